package spigot.node.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import spigot.model.NodeId;
import spigot.node.NodeException;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.Identity;
import spigot.transport.identity.JoinToken;
import spigot.transport.tls.Joining;

/** Who a server is in which grid: found in its directory, or made by founding a grid or by joining one. */
record Membership(
        ServerDirectory.ServerMarker marker,
        Path identityDirectory,
        Identity identity,
        Optional<GridAuthority> authority) {
    private static final String DEFAULT_SITE = "default";
    private static final Duration VALIDITY = GridAuthority.DEFAULT_VALIDITY;

    static Membership establish(
            ServerDirectory directory, ServerConfiguration configuration, TransportCounters counters)
            throws NodeException, IOException, InterruptedException {
        ServerDirectory.ServerMarker marker = directory.marker();
        if (marker != null) {
            return resume(directory, configuration, marker);
        }
        return configuration.join().isPresent()
                ? join(directory, configuration, configuration.join().get(), counters)
                : found(directory, configuration);
    }

    private static Membership resume(
            ServerDirectory directory, ServerConfiguration configuration, ServerDirectory.ServerMarker marker)
            throws NodeException, IOException {
        String catalog = marker.catalog();
        if (configuration.join().isPresent()) {
            if (marker.isFirst()) {
                throw new NodeException(directory.path()
                        + " is the first server of a grid of its own and can't join another; use an empty directory");
            }
            // The first server may have moved.
            catalog = configuration.join().get().address().toString();
        }
        Identity identity = Identity.load(directory.below("identity"));
        try {
            identity.requireValid(Clock.systemUTC().instant());
        } catch (CertificateException e) {
            if (!marker.isFirst()) {
                throw new NodeException(NodeException.reason(e), e);
            }
            // The first server signs its own: the renewer does it at once.
        }
        ServerDirectory.ServerMarker now = new ServerDirectory.ServerMarker(
                marker.grid(),
                configuration.name().orElse(marker.name()),
                configuration.site().orElse(marker.site()),
                catalog);
        if (!now.equals(marker)) {
            directory.mark(now);
        }
        Optional<GridAuthority> authority = marker.isFirst()
                ? Optional.of(GridAuthority.open(directory.below("authority"), VALIDITY, Clock.systemUTC()))
                : Optional.empty();
        return new Membership(now, directory.below("identity"), identity, authority);
    }

    private static Membership found(ServerDirectory directory, ServerConfiguration configuration)
            throws NodeException, IOException {
        SecureRandom random = new SecureRandom();
        GridAuthority authority =
                GridAuthority.create(directory.below("authority"), NodeId.random(random), VALIDITY, Clock.systemUTC());
        String name = configuration.name().orElse(hostName());
        String site = configuration.site().orElse(DEFAULT_SITE);
        try {
            Identity identity = authority.issue(NodeId.random(random), PeerIdentity.Role.SERVER, name, site);
            return store(directory, identity, name, site, "", Optional.of(authority));
        } catch (CertificateException e) {
            throw new NodeException("the server's certificate can't be made: " + NodeException.reason(e), e);
        }
    }

    private static Membership join(
            ServerDirectory directory,
            ServerConfiguration configuration,
            ServerConfiguration.Join join,
            TransportCounters counters)
            throws NodeException, IOException, InterruptedException {
        if (join.token().isEmpty()) {
            throw new NodeException(
                    "joining a grid needs --token: make one with 'spigot token create --role server' on the machine of "
                            + join.address());
        }
        JoinToken token;
        try {
            token = JoinToken.parse(join.token().get());
        } catch (IllegalArgumentException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
        if (token.role() != PeerIdentity.Role.SERVER) {
            throw new NodeException(
                    "this token lets in a node, not a server: make one with 'spigot token create --role server'");
        }
        String name = configuration.name().orElse(hostName());
        Identity identity;
        try {
            identity = Joining.join(join.address().toString(), token, name, TransportLimits.DEFAULT, counters);
        } catch (IOException e) {
            throw new NodeException(
                    "the grid at " + join.address() + " can't be joined: " + NodeException.reason(e), e);
        }
        String site = configuration.site().orElse(identity.self().site());
        return store(directory, identity, name, site, join.address().toString(), Optional.empty());
    }

    private static Membership store(
            ServerDirectory directory,
            Identity identity,
            String name,
            String site,
            String catalog,
            Optional<GridAuthority> authority)
            throws IOException {
        identity.store(directory.below("identity"));
        ServerDirectory.ServerMarker marker =
                new ServerDirectory.ServerMarker(identity.self().grid(), name, site, catalog);
        directory.mark(marker);
        return new Membership(marker, directory.below("identity"), identity, authority);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "server";
        }
    }
}
