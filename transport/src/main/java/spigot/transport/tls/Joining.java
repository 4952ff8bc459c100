package spigot.transport.tls;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import spigot.model.NodeId;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Responder;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.CertificateChains;
import spigot.transport.identity.Identity;
import spigot.transport.identity.IdentityRequest;
import spigot.transport.identity.JoinToken;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.JoinRequest;

/**
 * Enters a grid with a one-time token. The first connection is TLS with both sides' certificates already: the server must
 * belong to the CA that the token pins, and this side shows a certificate of its own making, which entitles to joining alone.
 */
public final class Joining {
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(20);

    private Joining() {}

    /**
     * Makes a key, has it signed by the grid that the token pins, and returns the identity, which is not stored yet.
     *
     * @param address HOST:PORT of the server that carries the catalog
     * @param name of this process, for people
     * @throws IOException when the server can't be reached, is not of the token's grid, or refuses the token
     */
    public static Identity join(
            String address, JoinToken token, String name, TransportLimits limits, TransportCounters counters)
            throws IOException, InterruptedException {
        IdentityRequest request = new IdentityRequest();
        AtomicReference<@Nullable X509Certificate> authority = new AtomicReference<>();
        GridTls.ServerTrust trust = (chain, now) -> {
            X509Certificate pinned = CertificateChains.pinned(chain, token.authoritySha256());
            authority.set(pinned);
            return Connector.server(chain, pinned, now);
        };
        try {
            List<X509Certificate> own = List.of(request.selfSigned(Instant.now()));
            Dialer.Credentials credentials = new Dialer.Credentials(GridTls.client(request.key(), own, trust), trust);
            Dialer dialer = new Dialer(HostPort.parse(address), () -> credentials, limits, counters);
            Dialer.Dialed dialed = dialer.open(new Preface(true, 0, NodeId.NONE));
            try (SocketLink link = new SocketLink(
                    dialed.wire(),
                    dialed.peer(),
                    new ServesNothing(),
                    new SocketLink.Terms(limits, counters),
                    null,
                    closed -> {})) {
                link.start();
                return ask(link, request, token, name, authority.get());
            }
        } catch (CertificateException e) {
            throw new IOException("can't join the grid at " + address + ": " + e.getMessage(), e);
        }
    }

    private static Identity ask(
            Link link, IdentityRequest request, JoinToken token, String name, @Nullable X509Certificate authority)
            throws IOException, InterruptedException, CertificateException {
        Envelope reply = link.call(
                Envelope.newBuilder()
                        .setJoinRequest(JoinRequest.newBuilder()
                                .setSecret(token.requestSecret())
                                .setCertificateRequest(request.certificateRequest())
                                .setName(name))
                        .build(),
                CALL_TIMEOUT);
        if (!reply.hasJoinReply() || authority == null) {
            throw new IOException("the server answered the join with " + reply.getBodyCase());
        }
        return request.accept(reply.getJoinReply(), authority, Instant.now());
    }

    private static final class ServesNothing implements LinkHandler {
        @Override
        public void request(Link from, Envelope request, Responder responder) throws IOException {
            throw new IOException("a joiner serves nothing");
        }
    }
}
