package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.catalog.TestGrid;
import spigot.catalog.TestTree;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.DirectoryListing;
import spigot.catalog.client.Located;
import spigot.catalog.client.NamespaceListener;
import spigot.catalog.client.RegistrationClient;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.LogicalPath;
import spigot.model.NodeId;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.identity.IdentityRequest;
import spigot.transport.identity.JoinToken;
import spigot.transport.wire.CreateToken;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.GridRequest;
import spigot.transport.wire.Hello;
import spigot.transport.wire.JoinReply;
import spigot.transport.wire.JoinRequest;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registration;
import spigot.transport.wire.ServerHello;

/** What the catalog answers to whom, over links in memory. */
class CatalogServerTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private TestGrid grid;
    private PeerIdentity alpha;
    private PeerIdentity beta;

    @BeforeEach
    void start() throws Exception {
        grid = TestGrid.inMemory(directory);
        alpha = grid.identity(PeerIdentity.Role.SERVER, 1, "alpha");
        beta = grid.identity(PeerIdentity.Role.SERVER, 2, "beta");
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    private Envelope ask(PeerIdentity identity, Envelope request) throws Exception {
        LinkHandler handler = new LinkHandler() {
            @Override
            public void request(Link from, Envelope asked, Responder responder) throws Exception {
                responder.fail(Failure.getDefaultInstance());
            }
        };
        try (var peer = grid.connect(identity).apply(handler)) {
            return peer.link(SOON).call(request, SOON);
        }
    }

    private Failure.Code refusal(PeerIdentity identity, Envelope.Builder request) throws Exception {
        try {
            ask(identity, request.build());
            throw new AssertionError("was not refused: " + request);
        } catch (FailureException e) {
            return e.code();
        }
    }

    @Test
    void aJoinerMayDoNothingButJoin() throws Exception {
        PeerIdentity joiner = grid.identity(PeerIdentity.Role.JOINER, 5, "joiner");
        assertThat(refusal(joiner, Envelope.newBuilder().setGridRequest(GridRequest.getDefaultInstance())))
                .isEqualTo(Failure.Code.DENIED);
        assertThat(refusal(
                        joiner,
                        Envelope.newBuilder().setHello(Hello.newBuilder().setNonce(3))))
                .isEqualTo(Failure.Code.DENIED);
    }

    @Test
    void aNodeMayOnlyRead() throws Exception {
        PeerIdentity node = grid.identity(PeerIdentity.Role.NODE, 5, "node");
        assertThat(ask(
                                node,
                                Envelope.newBuilder()
                                        .setGridRequest(GridRequest.getDefaultInstance())
                                        .build())
                        .hasGridReply())
                .isTrue();
        assertThat(refusal(node, Envelope.newBuilder().setRegisterRequest(RegisterRequest.getDefaultInstance())))
                .isEqualTo(Failure.Code.DENIED);
        assertThat(refusal(
                        node,
                        Envelope.newBuilder()
                                .setCreateToken(CreateToken.newBuilder().setRole("node"))))
                .isEqualTo(Failure.Code.DENIED);
        assertThat(refusal(node, Envelope.newBuilder().setServerHello(ServerHello.getDefaultInstance())))
                .isEqualTo(Failure.Code.DENIED);
    }

    @Test
    void aTokenLetsInTheProcessThatBringsItOnce() throws Exception {
        JoinToken token = grid.server().createToken(PeerIdentity.Role.SERVER, "lab", Duration.ofMinutes(5));
        PeerIdentity joiner = grid.identity(PeerIdentity.Role.JOINER, 5, "joiner");
        Envelope request = joining(token, new IdentityRequest());
        JoinReply reply = ask(joiner, request).getJoinReply();
        assertThat(reply.getChainCount()).isEqualTo(2);
        assertThat(reply.getGrid()).isEqualTo(grid.authority.gridBytes());
        assertThat(ask(joiner, request).getJoinReply().getChainCount()).isEqualTo(2);
        assertThat(refusal(joiner, joining(token, new IdentityRequest()).toBuilder()))
                .isEqualTo(Failure.Code.BAD_TOKEN);
    }

    @Test
    void aBadCertificateRequestDoesNotUseUpTheToken() throws Exception {
        JoinToken token = grid.server().createToken(PeerIdentity.Role.NODE, "lab", Duration.ofMinutes(5));
        PeerIdentity joiner = grid.identity(PeerIdentity.Role.JOINER, 5, "joiner");
        Envelope.Builder bad = Envelope.newBuilder()
                .setJoinRequest(JoinRequest.newBuilder()
                        .setSecret(token.requestSecret())
                        .setName("x")
                        .setCertificateRequest(ByteString.copyFromUtf8("rubbish")));
        assertThat(refusal(joiner, bad)).isEqualTo(Failure.Code.BAD_REQUEST);
        assertThat(ask(joiner, joining(token, new IdentityRequest())).hasJoinReply())
                .isTrue();
    }

    private static Envelope joining(JoinToken token, IdentityRequest request) {
        return Envelope.newBuilder()
                .setJoinRequest(JoinRequest.newBuilder()
                        .setSecret(token.requestSecret())
                        .setName("newcomer")
                        .setCertificateRequest(request.certificateRequest()))
                .build();
    }

    @Test
    void aServerMakesTokens() throws Exception {
        Envelope reply = ask(
                alpha,
                Envelope.newBuilder()
                        .setCreateToken(CreateToken.newBuilder().setRole("node").setSite("lab"))
                        .build());
        assertThat(JoinToken.parse(reply.getCreateTokenReply().getToken()).role())
                .isEqualTo(PeerIdentity.Role.NODE);
        assertThat(refusal(
                        alpha,
                        Envelope.newBuilder()
                                .setCreateToken(CreateToken.newBuilder().setRole("king"))))
                .isEqualTo(Failure.Code.BAD_REQUEST);
    }

    @Test
    void theReplicasOfAServerThatFallsSilentAreWithdrawnUntilItIsHeardAgain() throws Exception {
        RegistrationClient server = grid.replicaServer(alpha);
        TestTree tree = new TestTree(server, "/data");
        FileId file = tree.file("a", 10);
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        assertThat(client.replicas(file)).singleElement().satisfies(replica -> {
            assertThat(replica.state()).isEqualTo(ReplicaState.HOME);
            assertThat(replica.serverName()).isEqualTo("alpha");
            assertThat(replica.address()).isEqualTo("127.0.0.1:7001");
        });
        await().atMost(SOON).until(() -> client.replicas(file).getFirst().state() == ReplicaState.WITHDRAWN);
        assertThat(client.locate(file, true).replicas()).isEmpty();
        assertThat(client.grid().servers().getFirst().alive()).isFalse();
        server.hello(TestGrid.info(alpha));
        assertThat(client.replicas(file).getFirst().state()).isEqualTo(ReplicaState.HOME);
    }

    @Test
    void aVerifiedCopyBecomesHomeWhenSomebodyLooksForAFileWhoseHomeIsDead() throws Exception {
        TestTree tree = new TestTree(grid.replicaServer(alpha), "/data");
        FileId file = tree.file("a", 10);
        RegistrationClient second = grid.replicaServer(beta);
        second.publish(LogicalPath.parse("/data"), true, false, TestTree.directoryAttributes(), null);
        second.register(RegisterRequest.newBuilder()
                .setPublication(spigot.transport.Messages.bytes(tree.root()))
                .setReplica(true)
                .addEntries(TestTree.entry(tree.root(), "a", TestTree.attributes(FileKind.REGULAR, 10)))
                .build());
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        second.replicaStates(List.of(new RegistrationClient.Comparison(
                file, ReplicaState.VERIFIED, client.record(file).version(), "")));
        Located before = client.locate(file, false);
        assertThat(before.replicas().stream().map(Replica::state))
                .containsExactly(ReplicaState.HOME, ReplicaState.VERIFIED);
        AtomicBoolean stopped = new AtomicBoolean();
        Thread heartbeat = Thread.ofVirtual().start(() -> {
            try {
                while (!stopped.get()) {
                    second.hello(TestGrid.info(beta));
                    Thread.sleep(200);
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        await().atMost(SOON)
                .until(() -> client.replicas(file).stream().anyMatch(r -> r.state() == ReplicaState.WITHDRAWN));
        assertThat(client.locate(file, false).record().home()).isEqualTo(alpha.id());
        Located after = client.locate(file, true);
        assertThat(after.record().home()).isEqualTo(beta.id());
        assertThat(after.record().homeEpoch()).isEqualTo(2);
        assertThat(after.record().version()).isEqualTo(before.record().version());
        assertThat(after.replicas())
                .singleElement()
                .satisfies(replica -> assertThat(replica.server()).isEqualTo(beta.id()));
        assertThat(client.lookup(tree.root(), FileName.of("a")).orElseThrow().home())
                .isEqualTo(beta.id());
        stopped.set(true);
        heartbeat.join();
    }

    @Test
    void aPublicationOfAnotherServerIsAConflict() throws Exception {
        new TestTree(grid.replicaServer(alpha), "/data");
        RegistrationClient second = grid.replicaServer(beta);
        assertThatThrownBy(() ->
                        second.publish(LogicalPath.parse("/data"), false, false, TestTree.directoryAttributes(), null))
                .isInstanceOfSatisfying(FailureException.class, e -> {
                    assertThat(e.code()).isEqualTo(Failure.Code.CONFLICT);
                    assertThat(e.getMessage()).contains("'alpha'");
                });
    }

    @Test
    void aWithdrawnDirectoryTakesAllThatIsBelowIt() throws Exception {
        RegistrationClient server = grid.replicaServer(alpha);
        TestTree tree = new TestTree(server, "/data");
        FileId d = tree.directory("d");
        for (int i = 0; i < 10; i++) {
            tree.fileIn(d, "f" + i, 1);
        }
        FileId kept = tree.file("kept", 1);
        server.withdraw(tree.root(), List.of(new RegistrationClient.Name(tree.root(), FileName.of("d"))));
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        assertThat(client.list(tree.root()).size()).isEqualTo(1);
        assertThat(client.grid().files()).isEqualTo(1);
        assertThat(client.record(kept).id()).isEqualTo(kept);
    }

    @Test
    void aWithdrawnPublicationLeavesNothing() throws Exception {
        RegistrationClient server = grid.replicaServer(alpha);
        TestTree tree = new TestTree(server, "/deep/data");
        FileId d = tree.directory("d");
        for (int i = 0; i < 2500; i++) {
            tree.later("f" + i, 1);
        }
        tree.flush();
        tree.fileIn(d, "below", 1);
        assertThat(server.served(tree.root(), null)).hasSize(2503);
        server.withdraw(tree.root());
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        assertThat(client.list(FileId.ROOT).size()).isZero();
        assertThat(client.grid().files()).isZero();
        assertThat(client.grid().directories()).isEqualTo(1);
        assertThat(server.served(tree.root(), null)).isEmpty();
    }

    @Test
    void aListingIsOfOneMomentWhateverChangesMeanwhile() throws Exception {
        TestTree tree = new TestTree(grid.replicaServer(alpha), "/data");
        AtomicBoolean stopped = new AtomicBoolean();
        Thread writer = Thread.ofVirtual().start(() -> {
            try {
                for (int round = 1; !stopped.get(); round++) {
                    for (int i = 0; i < 300; i++) {
                        tree.later("f" + i, round);
                    }
                    tree.flush();
                }
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        try (CatalogClient client = grid.client("node", NamespaceListener.NONE)) {
            for (int i = 0; i < 50; i++) {
                DirectoryListing listing = client.list(tree.root());
                long size =
                        listing.size() == 0 ? 0 : listing.record(0).attributes().size();
                for (int f = 0; f < listing.size(); f++) {
                    assertThat(listing.record(f).attributes().size()).isEqualTo(size);
                }
                assertThat(listing.size()).isIn(0, 300);
            }
        } finally {
            stopped.set(true);
            writer.join();
        }
    }

    @Test
    void whatABatchMayHoldIsBounded() throws Exception {
        RegisterRequest.Builder request = RegisterRequest.newBuilder();
        for (int i = 0; i < 1001; i++) {
            request.addEntries(Registration.getDefaultInstance());
        }
        assertThat(refusal(alpha, Envelope.newBuilder().setRegisterRequest(request)))
                .isEqualTo(Failure.Code.TOO_MANY);
    }

    @Test
    void malformedIdsAreRefused() throws Exception {
        assertThat(refusal(
                        alpha,
                        Envelope.newBuilder()
                                .setRecordRequest(spigot.transport.wire.RecordRequest.newBuilder()
                                        .setId(ByteString.copyFromUtf8("short")))))
                .isEqualTo(Failure.Code.BAD_REQUEST);
        assertThat(new NodeId(1, 1)).isEqualTo(alpha.id());
    }
}
