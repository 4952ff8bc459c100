package spigot.transport.tls;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import spigot.model.NodeId;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.Identity;

/** A grid on loopback: its authority, one server, and clients as they are asked for. */
final class TestGrid implements AutoCloseable {
    static final Duration LONG = Duration.ofSeconds(30);
    static final SecureRandom RANDOM = new SecureRandom();
    static final TransportLimits LIMITS = TransportLimits.DEFAULT;
    /** Quick keepalive, so that a dead peer shows within a test; not so quick that a busy machine looks dead. */
    static final TransportLimits QUICK = LIMITS.withKeepalive(Duration.ofMillis(250), Duration.ofSeconds(2));

    final GridAuthority authority;
    final Identity serverIdentity;
    final TransportCounters serverCounters = new TransportCounters();
    final TransportCounters clientCounters = new TransportCounters();
    final TransportServer server;
    private final TransportLimits limits;
    private final List<AutoCloseable> closing = new ArrayList<>();

    TestGrid(Path directory, LinkHandler handler) throws IOException, CertificateException {
        this(directory, handler, LIMITS, ServerLimits.DEFAULT);
    }

    TestGrid(Path directory, LinkHandler handler, TransportLimits limits, ServerLimits serverLimits)
            throws IOException, CertificateException {
        this(newAuthority(directory.resolve("authority")), handler, limits, serverLimits);
    }

    TestGrid(GridAuthority authority, LinkHandler handler) throws IOException, CertificateException {
        this(authority, handler, LIMITS, ServerLimits.DEFAULT);
    }

    private TestGrid(GridAuthority authority, LinkHandler handler, TransportLimits limits, ServerLimits serverLimits)
            throws IOException, CertificateException {
        this.authority = authority;
        this.limits = limits;
        serverIdentity = authority.issue(NodeId.random(RANDOM), Role.SERVER, "alpha", "hsinchu");
        server =
                TransportServer.listen(loopback(), () -> serverIdentity, handler, limits, serverLimits, serverCounters);
    }

    static GridAuthority newAuthority(Path directory) throws IOException {
        return GridAuthority.create(
                directory, NodeId.random(RANDOM), GridAuthority.DEFAULT_VALIDITY, Clock.systemUTC());
    }

    static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    String address() {
        return "127.0.0.1:" + server.port();
    }

    Identity node() throws CertificateException {
        return authority.issue(NodeId.random(RANDOM), Role.NODE, "laptop", "tainan");
    }

    Peer client() throws CertificateException {
        return client(new ServingHandler());
    }

    Peer client(LinkHandler handler) throws CertificateException {
        return client(handler, node(), limits);
    }

    Peer client(LinkHandler handler, Identity identity, TransportLimits limits) {
        return client(address(), handler, identity, limits);
    }

    Peer client(String address, LinkHandler handler, Identity identity, TransportLimits limits) {
        Peer peer = new Connector(() -> identity, limits, clientCounters, RANDOM).peer(address, handler);
        closing.add(peer);
        return peer;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable each : closing) {
            each.close();
        }
        server.close();
    }
}
