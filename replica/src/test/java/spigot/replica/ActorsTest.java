package spigot.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static spigot.replica.GridActor.id;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.coherence.HolderConfig;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.model.LogicalPath;
import spigot.session.BootClock;
import spigot.session.LeaseHolder;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;
import spigot.transport.wire.OperationReply;

@DisplayName("Clients with leases that change a tree")
class ActorsTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private PeerIdentity self;
    private TestGrid.TestServer server;
    private Node alice;
    private Node bob;
    private FileId root;

    @BeforeEach
    void start() throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        grid = new TestGrid(directory);
        self = grid.serverIdentity("home");
        server = grid.server(self, directory.resolve("data"));
        server.replica().publish(source, LogicalPath.parse("/data"), false, false, ProgressListener.NONE);
        alice = new Node("alice", 1);
        bob = new Node("bob", 2);
        root = alice.reader.get("/data").id();
    }

    @AfterEach
    void stop() throws Exception {
        alice.close();
        bob.close();
        grid.close();
    }

    /** A node with leases on directories and files. */
    private final class Node implements LinkHandler, AutoCloseable {
        final Set<FileId> dropped = ConcurrentHashMap.newKeySet();
        final LeaseHolder directories;
        final LeaseHolder files;
        final GridReader reader;

        Node(String name, long instance) throws Exception {
            directories = holder("catalog", LeaseKind.DIRECTORIES, instance);
            files = holder("home", LeaseKind.FILES, instance);
            reader = grid.reader(name, this);
            directories.linkUp(reader.catalog());
            files.linkUp(reader.to(server));
        }

        private LeaseHolder holder(String name, LeaseKind kind, long instance) {
            return new LeaseHolder(name, kind, HolderConfig.of(instance), BootClock.system(), (object, done) -> {
                dropped.add(object);
                done.run();
            });
        }

        GridActor actor() throws Exception {
            return new GridActor(
                    reader.to(server), directories.want(SOON).orElseThrow().getSession());
        }

        Optional<Lease> lease(String name) throws Exception {
            return directories.granted(lookup(name).getGrant());
        }

        LookupReply lookup(String name) throws Exception {
            return reader.catalog()
                    .call(
                            Envelope.newBuilder()
                                    .setLookupRequest(LookupRequest.newBuilder()
                                            .setWant(directories.want(SOON).orElseThrow())
                                            .setDirectory(Messages.bytes(root))
                                            .setName(GridActor.text(name)))
                                    .build(),
                            SOON)
                    .getLookupReply();
        }

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            throw new FailureException(spigot.transport.wire.Failure.Code.BAD_REQUEST, "asks only");
        }

        @Override
        public void message(Link from, Envelope message) {
            if (!directories.message(from, message)) {
                files.message(from, message);
            }
        }

        @Override
        public void close() {
            directories.close();
            files.close();
        }
    }

    @Test
    void keepTheirLeasesAndTakeThoseOfOthersBeforeAnybodySeesTheChange() throws Exception {
        Lease ofAlice = alice.lease("new").orElseThrow();
        Lease ofBob = bob.lease("new").orElseThrow();
        OperationReply reply = alice.actor().create(root, "new", 0600);
        assertThat(bob.directories.valid(ofBob)).isFalse();
        assertThat(alice.dropped).isEmpty();
        assertThat(alice.directories.ownChange(reply.getOwn())).anySatisfy(lease -> {
            assertThat(lease.object()).isEqualTo(root);
            assertThat(lease.version()).isNotEqualTo(ofAlice.version());
        });
        CompletableFuture<LookupReply> seenByBob = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return bob.lookup("new");
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                },
                task -> Thread.ofVirtual().start(task));
        assertThat(seenByBob).isNotDone();
        alice.directories.seen(reply.getOwn());
        assertThat(Messages.wire(Messages.record(seenByBob.get().getRecord()))).isEqualTo(reply.getRecord());
    }

    @Test
    void takeTurnsInOneDirectory() throws Exception {
        int rounds = 10;
        CompletableFuture<?>[] both = Stream.of(alice, bob)
                .map(node -> CompletableFuture.runAsync(
                        () -> {
                            try {
                                GridActor actor = node.actor();
                                for (int i = 0; i < rounds; i++) {
                                    node.lease("x");
                                    OperationReply reply = actor.create(root, node.hashCode() + "-" + i, 0600);
                                    node.directories.ownChange(reply.getOwn());
                                    node.directories.seen(reply.getOwn());
                                }
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        task -> Thread.ofVirtual().start(task)))
                .toArray(CompletableFuture<?>[]::new);
        CompletableFuture.allOf(both).get();
        assertThat(alice.reader.list("/data")).hasSize(2 * rounds);
    }

    @Test
    void keepAnUnlinkedFileThatIsOpenUntilTheyCloseIt() throws Exception {
        Files.writeString(source.resolve("a"), "content");
        await().atMost(SOON).until(() -> bob.reader.find("/data/a") != null);
        FileId file = bob.reader.get("/data/a").id();
        GridReader.Opened opened =
                bob.reader.open(server, file, 0, bob.files.want(SOON).orElseThrow());
        assertThat(bob.files.granted(opened.grant())).isPresent();
        OperationReply reply = alice.actor().unlink(root, "a");
        assertThat(reply.getReplaced().getAttributes().getLinks()).isZero();
        assertThat(source.resolve("a")).doesNotExist();
        assertThat(hidden()).isEqualTo(1);
        assertThat(new String(bob.reader.readAll(server, opened.record()), java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("content");
        assertThat(bob.reader.list("/data")).isEmpty();

        // Also after the server has died: the file is found by its hidden name.
        server.close();
        server = grid.server(self, directory.resolve("data"));
        await().atMost(SOON)
                .until(() -> server.replica().status().publications().getFirst().state() == PublicationState.SERVING);
        assertThat(new String(bob.reader.readAll(server, opened.record()), java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("content");
        // Nobody has opened it again in this life: when the leases of the former one are over it goes.
        await().atMost(SOON).untilAsserted(() -> assertThat(hidden()).isZero());
        assertThat(alice.reader.list("/data")).isEmpty();
    }

    private long hidden() throws Exception {
        try (Stream<Path> files = Files.list(source.resolve(".spigot-orphans"))) {
            return files.count();
        }
    }

    @Test
    void keepAFileThatIsReplacedWhileItIsOpen() throws Exception {
        Files.writeString(source.resolve("a"), "old");
        await().atMost(SOON).until(() -> bob.reader.find("/data/a") != null);
        FileId file = bob.reader.get("/data/a").id();
        GridReader.Opened opened =
                bob.reader.open(server, file, 0, bob.files.want(SOON).orElseThrow());
        bob.files.granted(opened.grant());
        GridActor actor = alice.actor();
        FileId next = id(actor.create(root, "b", 0600).getRecord());
        actor.rename(root, "b", root, "a", 0);
        assertThat(bob.reader.get("/data/a").id()).isEqualTo(next);
        assertThat(new String(bob.reader.readAll(server, opened.record()), java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("old");
        bob.files.giveUp(file);
        await().atMost(SOON).untilAsserted(() -> assertThat(hidden()).isZero());
    }
}
