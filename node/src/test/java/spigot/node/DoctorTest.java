package spigot.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.NodeId;
import spigot.node.home.GridIdentities;
import spigot.node.home.SpigotHome;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.Identity;
import spigot.transport.tls.ServerLimits;
import spigot.transport.tls.TransportServer;

@DisplayName("The doctor")
class DoctorTest {
    private static final String GRID = "grid 00000000";

    @TempDir
    Path directory;

    private SpigotHome home;
    private GridAuthority authority;
    private GridIdentities identities;

    @BeforeEach
    void join() throws Exception {
        home = new SpigotHome(directory.resolve("home"));
        authority = GridAuthority.create(
                directory.resolve("authority"), new NodeId(0, 7), Duration.ofDays(1), Clock.systemUTC());
        identities = new GridIdentities(home);
    }

    private Identity node() throws Exception {
        return authority.issue(new NodeId(8, 1), PeerIdentity.Role.NODE, "laptop", "here");
    }

    private String ofTheGrid(Duration limit) {
        List<String> lines = new Doctor(home, limit)
                .examine().stream()
                        .map(finding -> finding.verdict() + " " + finding.text())
                        .filter(line -> line.contains(GRID))
                        .toList();
        assertThat(lines).hasSize(1);
        return lines.getFirst();
    }

    private TransportServer server() throws Exception {
        Identity identity = authority.issue(new NodeId(9, 1), PeerIdentity.Role.SERVER, "alpha", "home");
        return TransportServer.listen(
                new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                () -> identity,
                new RefusingHandler(),
                TransportLimits.DEFAULT,
                ServerLimits.DEFAULT,
                new TransportCounters());
    }

    @Test
    void findsAServerThatAnswersAtOneOfItsAddresses() throws Exception {
        try (ServerSocket silent = silent();
                TransportServer server = server()) {
            identities.store(node(), address(silent.getLocalPort()));
            identities.store(node(), address(server.port()));
            assertThat(ofTheGrid(Duration.ofSeconds(60)))
                    .startsWith("OK " + GRID + " answers at " + address(server.port()));
        }
    }

    @Test
    void tellsWhichStepFailedWhereNothingListensAndWhereTheServerIsStopped() throws Exception {
        try (ServerSocket stopped = silent()) {
            ServerSocket closed = silent();
            closed.close();
            identities.store(node(), address(stopped.getLocalPort()));
            identities.store(node(), address(closed.getLocalPort()));
            assertThat(ofTheGrid(Duration.ofSeconds(2)))
                    .startsWith("WARNING " + GRID + " can't be reached")
                    .contains(address(stopped.getLocalPort()) + ": no TLS handshake within 800 ms")
                    .contains(address(closed.getLocalPort()) + ": connection refused");
        }
    }

    /** Its kernel accepts, and nobody answers: as a server that is stopped. */
    private static ServerSocket silent() throws IOException {
        return new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    }

    private static String address(int port) {
        return "127.0.0.1:" + port;
    }
}
