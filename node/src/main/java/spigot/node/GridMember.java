package spigot.node;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import spigot.node.home.GridIdentities;
import spigot.transport.LinkBrokenException;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;
import spigot.transport.identity.JoinToken;
import spigot.transport.tls.Connector;
import spigot.transport.tls.Joining;

/**
 * This user in one grid, met at one address: by a token, or by an identity that an earlier token gave. Blocks, for as long as the address
 * takes to answer.
 *
 * @param directory where the identity is kept
 */
public record GridMember(Path directory, Identity identity) {
    /** @throws NodeException when the token is refused, or the grid can't be reached */
    public static GridMember join(
            Address server, String tokenText, String name, GridIdentities identities, TransportCounters counters)
            throws NodeException, IOException, InterruptedException {
        JoinToken token;
        try {
            token = JoinToken.parse(tokenText);
        } catch (IllegalArgumentException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
        if (token.role() != PeerIdentity.Role.NODE) {
            throw new NodeException(
                    "this token lets in a server, not a node: make one with 'spigot token create --role node'");
        }
        try {
            Identity identity = Joining.join(server.toString(), token, name, TransportLimits.DEFAULT, counters);
            GridIdentities.Known known = identities.store(identity, server.toString());
            return new GridMember(known.directory(), known.identity());
        } catch (IOException e) {
            throw new NodeException("the grid at " + server + " can't be joined: " + NodeException.reason(e), e);
        }
    }

    /** @throws NodeException when this user has no identity of the grid at that address, or nothing answers there */
    public static GridMember known(
            Address server, GridIdentities identities, TransportCounters counters, RandomGenerator random)
            throws NodeException, IOException, InterruptedException {
        List<GridIdentities.Known> candidates = identities.candidates(server.toString());
        if (candidates.isEmpty()) {
            throw new NodeException(
                    "this user has joined no grid yet: run 'spigot token create --role node' on the machine of "
                            + server + " and give the token to 'spigot mount' with --token");
        }
        if (candidates.stream()
                                .filter(known -> known.addresses().contains(server.toString()))
                                .count()
                        == 1
                || candidates.size() == 1) {
            // The only one that can be meant: whoever connects will see.
            return new GridMember(
                    candidates.getFirst().directory(), candidates.getFirst().identity());
        }
        List<String> refusals = new ArrayList<>();
        for (GridIdentities.Known candidate : candidates) {
            Connector connector = new Connector(candidate::identity, TransportLimits.DEFAULT, counters, random);
            try (Peer peer = connector.peer(server.toString(), new RefusingHandler())) {
                peer.link(Duration.ZERO);
                identities.remember(candidate.directory(), server.toString());
                return new GridMember(candidate.directory(), candidate.identity());
            } catch (LinkBrokenException e) {
                refusals.add(NodeException.reason(e));
            }
        }
        throw new NodeException("none of this user's " + candidates.size() + " identities is let in at " + server + ": "
                + refusals.getFirst() + "; if it is another grid, join it with --token");
    }
}
