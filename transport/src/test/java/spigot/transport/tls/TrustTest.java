package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static spigot.transport.tls.TestGrid.LONG;
import static spigot.transport.tls.TestGrid.RANDOM;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.NodeId;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.TransportCounters;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.Identity;
import spigot.transport.identity.IdentityRenewer;
import spigot.transport.identity.IdentityRequest;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/** Who gets a link, and what the others are told. */
class TrustTest {
    @TempDir
    private Path directory;

    private final ServingHandler serving = new ServingHandler();
    private TestGrid grid;

    @BeforeEach
    void listen() throws Exception {
        grid = new TestGrid(directory, serving);
    }

    @AfterEach
    void close() throws Exception {
        grid.close();
        // A link that its peer has ended is on its way down by itself: the server's close does not wait for it.
        await().atMost(LONG).untilAsserted(() -> assertThat(serving.closed).hasSameSizeAs(serving.opened));
    }

    private static GridAuthority authorityOfThePast(Path directory) throws IOException {
        Clock past = Clock.fixed(Instant.now().minus(Duration.ofDays(60)), ZoneOffset.UTC);
        return GridAuthority.create(directory, NodeId.random(RANDOM), Duration.ofDays(30), past);
    }

    private Identity foreigner(Role role) throws Exception {
        return TestGrid.newAuthority(directory.resolve("foreign")).issue(NodeId.random(RANDOM), role, "eve", "x");
    }

    @Test
    void aClientOfAnotherGridSaysSoAndTheServerLearnsNothingOfIt() throws Exception {
        Peer peer = grid.client(new ServingHandler(), foreigner(Role.NODE), TestGrid.LIMITS);
        assertThatThrownBy(() -> peer.link(Duration.ZERO))
                .isInstanceOf(LinkBrokenException.class)
                .hasMessageContaining(peer.address())
                .hasMessageContaining("certificate of a foreign grid: alpha belongs to grid " + grid.authority.grid())
                .hasMessageContaining("check the address, or join that grid with a token");
        assertThat(serving.opened).isEmpty();
    }

    @Test
    void aServerTellsAPeerOfAnotherGridWhyItIsRefused() throws Exception {
        try (RawPeer raw = new RawPeer(grid.server.port(), foreigner(Role.SERVER))) {
            Envelope hello = raw.hello();
            assertThat(hello.getFailure().getCode()).isEqualTo(Failure.Code.DENIED);
            assertThat(hello.getFailure().getMessage()).contains("certificate of a foreign grid: eve belongs to grid");
            raw.awaitEnd();
        }
        assertThat(serving.opened).isEmpty();
    }

    @Test
    void aServerTellsAPeerWhoseCertificateHasExpiredSince() throws Exception {
        try (TestGrid old = gridOfThePast();
                RawPeer raw = new RawPeer(old.server.port(), old.node())) {
            Envelope hello = raw.hello();
            assertThat(hello.getFailure().getCode()).isEqualTo(Failure.Code.DENIED);
            assertThat(hello.getFailure().getMessage())
                    .contains("certificate of laptop")
                    .contains("expired on " + old.node().expires().toString().substring(0, 10));
            raw.awaitEnd();
        }
    }

    @Test
    void aClientWhoseOwnCertificateHasExpiredIsToldToJoinAgain() throws Exception {
        Identity expired = authorityOfThePast(directory.resolve("past"))
                .issue(NodeId.random(RANDOM), Role.NODE, "laptop", "tainan");
        assertThatThrownBy(() -> grid.client(new ServingHandler(), expired, TestGrid.LIMITS)
                        .link(Duration.ZERO))
                .isInstanceOf(LinkBrokenException.class)
                .hasMessageContaining("own certificate expired on " + expired.expires())
                .hasMessageContaining("join the grid again");
    }

    @Test
    void aServerWhoseCertificateHasExpiredIsNotTrusted() throws Exception {
        try (TestGrid old = gridOfThePast()) {
            GridAuthority now =
                    GridAuthority.open(directory.resolve("old/authority"), Duration.ofDays(30), Clock.systemUTC());
            Identity fresh = now.issue(NodeId.random(RANDOM), Role.NODE, "laptop", "tainan");
            assertThatThrownBy(() -> old.client(new ServingHandler(), fresh, TestGrid.LIMITS)
                            .link(Duration.ZERO))
                    .isInstanceOf(LinkBrokenException.class)
                    .hasMessageContaining("certificate of alpha")
                    .hasMessageContaining("expired on " + old.serverIdentity.expires());
        }
    }

    private TestGrid gridOfThePast() throws Exception {
        authorityOfThePast(directory.resolve("old/authority"));
        Clock past = Clock.fixed(Instant.now().minus(Duration.ofDays(60)), ZoneOffset.UTC);
        return new TestGrid(GridAuthority.open(directory.resolve("old/authority"), Duration.ofDays(30), past), serving);
    }

    @Test
    void aNodeThatAnswersInPlaceOfAServerIsNotTrusted() throws Exception {
        Identity node = grid.node();
        try (TransportServer impostor = TransportServer.listen(
                TestGrid.loopback(),
                () -> node,
                serving,
                TestGrid.LIMITS,
                ServerLimits.DEFAULT,
                new TransportCounters())) {
            Peer peer = grid.client("127.0.0.1:" + impostor.port(), new ServingHandler(), grid.node(), TestGrid.LIMITS);
            assertThatThrownBy(() -> peer.link(Duration.ZERO)).hasMessageContaining("no server");
        }
    }

    @Test
    void plainTextIsClosed() throws Exception {
        try (Socket plain = RawPeer.plain(grid.server.port())) {
            plain.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            plain.getOutputStream().write(new Preface(true, 0, NodeId.NONE).encode());
            // At most an alert comes back, then the end.
            assertThat(plain.getInputStream().readAllBytes().length).isLessThan(64);
        } catch (java.net.SocketException closed) {
            // It depends on when the end comes: before, between or after the two writes.
            assertThat(closed.getMessage()).containsAnyOf("reset", "Broken pipe");
        }
        assertThat(serving.opened).isEmpty();
    }

    @Test
    void aServerThatDoesNotSpeakTlsIsNamedAsSuch() throws Exception {
        try (java.net.ServerSocket plain =
                new java.net.ServerSocket(0, 5, TestGrid.loopback().getAddress())) {
            Thread.ofVirtual().start(() -> {
                try (Socket accepted = plain.accept()) {
                    accepted.getOutputStream().write("220 ready\r\n".getBytes(StandardCharsets.US_ASCII));
                    accepted.getInputStream().read();
                } catch (IOException e) {
                    serving.ends.add(e);
                }
            });
            Peer peer = grid.client(
                    "127.0.0.1:" + plain.getLocalPort(), new ServingHandler(), grid.node(), TestGrid.LIMITS);
            assertThatThrownBy(() -> peer.link(Duration.ZERO)).hasMessageContaining("does not speak TLS");
        }
    }

    @Test
    void aJoinerMayOnlyAskToJoin() throws Exception {
        IdentityRequest request = new IdentityRequest();
        List<X509Certificate> own = List.of(request.selfSigned(Instant.now()));
        try (RawPeer raw = new RawPeer(grid.server.port(), request.key(), own)) {
            assertThat(raw.hello().hasDone()).isTrue();
            raw.send(FrameKind.REQUEST, 1, ServingHandler.renew(1));
            raw.awaitEnd();
        }
        try (RawPeer raw = new RawPeer(grid.server.port(), request.key(), own)) {
            assertThat(raw.hello().hasDone()).isTrue();
            raw.send(FrameKind.ONE_WAY, 0, ServingHandler.renew(1));
            raw.awaitEnd();
        }
        try (RawPeer raw = new RawPeer(grid.server.port(), request.key(), own)) {
            Envelope hello = raw.hello(new Preface(false, 1, NodeId.NONE).encode());
            assertThat(hello.getFailure().getCode()).isEqualTo(Failure.Code.DENIED);
        }
        try (RawPeer raw = new RawPeer(grid.server.port(), request.key(), own)) {
            assertThat(raw.hello().hasDone()).isTrue();
            raw.sendHead(9 + (17 << 10), FrameKind.REQUEST.code(), 1, 17 << 10);
            raw.awaitEnd();
        }
        assertThat(serving.messages).isEmpty();
    }

    @Test
    void bulkConnectionsBelongToALinkOfTheSamePeer() throws Exception {
        Peer peer = grid.client();
        peer.link(LONG);
        try (RawPeer stranger = new RawPeer(grid.server.port(), grid.node())) {
            Envelope hello = stranger.hello(new Preface(false, 0, NodeId.random(RANDOM)).encode());
            assertThat(hello.getFailure().getCode()).isEqualTo(Failure.Code.NOT_FOUND);
        }
    }

    @Test
    void aPrefaceOfAnotherVersionIsClosed() throws Exception {
        byte[] preface = new Preface(true, 0, NodeId.NONE).encode();
        preface[7] = 2;
        try (RawPeer raw = new RawPeer(grid.server.port(), grid.node())) {
            Envelope hello = raw.hello(preface);
            assertThat(hello.getFailure().getCode()).isEqualTo(Failure.Code.BAD_REQUEST);
            assertThat(hello.getFailure().getMessage()).contains("version 2");
            raw.awaitEnd();
        }
        assertThat(serving.opened).isEmpty();
    }

    @Test
    void aRenewedCertificateIsUsedFromTheNextHandshakeOnAndLinksStayUp() throws Exception {
        Identity first = grid.node();
        first.store(directory.resolve("node"));
        IdentityRenewer.Signer signer = IdentityRenewer.by(grid.authority);
        try (IdentityRenewer renewer =
                new IdentityRenewer(directory.resolve("node"), first, signer, Clock.systemUTC())) {
            Connector connector = new Connector(renewer, TestGrid.LIMITS, grid.clientCounters, RANDOM);
            try (Peer peer = connector.peer(grid.address(), new ServingHandler())) {
                Link link = peer.link(LONG);
                renewer.renew();
                assertThat(renewer.get().chain().getFirst())
                        .isNotEqualTo(first.chain().getFirst());
                assertThat(link.call(ServingHandler.renew(1), LONG).hasRenewed())
                        .isTrue();
                try (Peer second = connector.peer(grid.address(), new ServingHandler())) {
                    second.link(LONG).call(ServingHandler.renew(2), LONG);
                }
                assertThat(link.isOpen()).isTrue();
            }
            assertThat(Identity.load(directory.resolve("node")).chain())
                    .isEqualTo(renewer.get().chain());
        }
        await().until(() -> serving.closed.size() == 2);
    }

    @Test
    void aCertificateOfSecondsIsRenewedByItselfOverTheLink() throws Exception {
        GridAuthority brief =
                GridAuthority.open(directory.resolve("authority"), Duration.ofSeconds(8), Clock.systemUTC());
        ServingHandler renewing = new ServingHandler() {
            @Override
            public void request(Link from, Envelope request, spigot.transport.Responder responder) throws Exception {
                responder.reply(Envelope.newBuilder()
                        .setJoinReply(brief.renew(request.getRenewCertificate().getCertificateRequest(), from.peer()))
                        .build());
            }
        };
        Identity first = brief.issue(NodeId.random(RANDOM), Role.NODE, "laptop", "tainan");
        try (TransportServer server = TransportServer.listen(
                        TestGrid.loopback(),
                        () -> grid.serverIdentity,
                        renewing,
                        TestGrid.LIMITS,
                        ServerLimits.DEFAULT,
                        new TransportCounters());
                Peer peer = connected(grid.client("127.0.0.1:" + server.port(), renewing, first, TestGrid.LIMITS));
                IdentityRenewer renewer = new IdentityRenewer(
                        directory.resolve("node"), first, IdentityRenewer.over(peer), Clock.systemUTC())) {
            await().atMost(LONG).until(() -> renewer.get().expires().isAfter(first.expires()));
            assertThat(renewer.get().self()).isEqualTo(first.self());
        }
    }

    private static Peer connected(Peer peer) throws Exception {
        peer.link(LONG);
        return peer;
    }
}
