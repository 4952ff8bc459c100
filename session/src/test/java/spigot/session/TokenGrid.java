package spigot.session;

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
import spigot.coherence.GrantorConfig;
import spigot.coherence.token.TokenHomeConfig;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.Identity;
import spigot.transport.tls.Connector;
import spigot.transport.tls.ServerLimits;
import spigot.transport.tls.TransportServer;

/** One home and clients of it, over TLS links on loopback. */
final class TokenGrid implements AutoCloseable {
    static final FileId FILE = new FileId(7, 1);
    static final Duration LONG = Duration.ofSeconds(60);

    /** Short leases, but not so short that a busy machine loses them. */
    static final TokenHomeConfig CONFIG = TokenHomeConfig.of(GrantorConfig.ofLease(3_000));

    private static final SecureRandom RANDOM = new SecureRandom();

    final TestTokenHome home;
    private final GridAuthority authority;
    private final TransportServer server;
    private final List<TestTokenClient> clients = new ArrayList<>();

    TokenGrid(Path directory) throws IOException, CertificateException {
        authority = GridAuthority.create(
                directory.resolve("authority"),
                NodeId.random(RANDOM),
                GridAuthority.DEFAULT_VALIDITY,
                Clock.systemUTC());
        Identity identity = authority.issue(NodeId.random(RANDOM), Role.SERVER, "home", "here");
        home = new TestTokenHome(directory.resolve("sessions"), CONFIG);
        server = TransportServer.listen(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                () -> identity,
                home,
                TransportLimits.DEFAULT,
                ServerLimits.DEFAULT,
                new TransportCounters());
    }

    TestTokenClient client(String name) throws CertificateException, IOException, InterruptedException {
        Identity identity = authority.issue(NodeId.random(RANDOM), Role.NODE, name, "there");
        TestTokenClient client = new TestTokenClient(name, handler -> peer(identity, handler));
        clients.add(client);
        client.connect();
        return client;
    }

    private Peer peer(Identity identity, LinkHandler handler) {
        return new Connector(() -> identity, TransportLimits.DEFAULT, new TransportCounters(), RANDOM)
                .peer("127.0.0.1:" + server.port(), handler);
    }

    @Override
    public void close() throws IOException {
        clients.forEach(TestTokenClient::close);
        home.close();
        server.close();
    }
}
