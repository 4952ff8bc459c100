package spigot.catalog.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.catalog.TestGrid;
import spigot.catalog.TestTree;
import spigot.catalog.server.MemoryCatalogLog;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.transport.FailureException;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.Envelope.BodyCase;
import spigot.transport.wire.Failure;

/** What a node sees of names while they change, and while the catalog can't be reached. */
class CatalogClientTest {
    @TempDir
    Path directory;

    private final MemoryCatalogLog log = new MemoryCatalogLog();
    private TestGrid grid;
    private TestTree tree;

    @BeforeEach
    void start() throws Exception {
        grid = new TestGrid(directory, log);
        PeerIdentity alpha = grid.identity(PeerIdentity.Role.SERVER, 1, "alpha");
        tree = new TestTree(grid.replicaServer(alpha), "/data");
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    private static FileName name(String text) {
        return FileName.of(text);
    }

    @Test
    void aNameIsAskedForOnceAndThenKnownWithoutAMessage() throws Exception {
        FileId file = tree.file("a", 10);
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        assertThat(client.cachedLookup(tree.root(), name("a"))).isNull();
        assertThat(client.lookup(tree.root(), name("a")).orElseThrow().id()).isEqualTo(file);
        long asked = grid.count(BodyCase.LOOKUP_REQUEST);
        assertThat(client.cachedLookup(tree.root(), name("a"))).isInstanceOf(CachedLookup.Present.class);
        assertThat(client.lookup(tree.root(), name("a"))).isPresent();
        assertThat(grid.count(BodyCase.LOOKUP_REQUEST)).isEqualTo(asked);
        assertThat(client.isStale(tree.root())).isFalse();
    }

    @Test
    void thatANameIsAbsentIsKnownToo() throws Exception {
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        assertThat(client.lookup(tree.root(), name("none"))).isEmpty();
        assertThat(client.cachedLookup(tree.root(), name("none"))).isEqualTo(CachedLookup.Absent.ABSENT);
    }

    @Test
    void aListingAnswersForAllNames() throws Exception {
        for (int i = 0; i < 100; i++) {
            tree.file("f" + i, i);
        }
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        DirectoryListing listing = client.list(tree.root());
        assertThat(listing.size()).isEqualTo(100);
        assertThat(listing.own().id()).isEqualTo(tree.root());
        assertThat(listing.parent()).isEqualTo(FileId.ROOT);
        assertThat(client.cachedListing(tree.root())).isSameAs(listing);
        assertThat(client.cachedLookup(tree.root(), name("f7"))).isInstanceOf(CachedLookup.Present.class);
        assertThat(client.cachedLookup(tree.root(), name("g"))).isEqualTo(CachedLookup.Absent.ABSENT);
    }

    @Test
    void severalNamesOfADirectoryBringItsListing() throws Exception {
        for (int i = 0; i < 20; i++) {
            tree.file("f" + i, i);
        }
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        for (int i = 0; i < 3; i++) {
            client.lookup(tree.root(), name("f" + i));
        }
        await().until(() -> client.cachedListing(tree.root()) != null);
    }

    @Test
    void aChangeWaitsUntilWhatIsCachedIsGone() throws Exception {
        tree.file("a", 10);
        BlockingQueue<Runnable> drops = new LinkedBlockingQueue<>();
        CatalogClient client = grid.client("node", (_, done) -> drops.add(done));
        client.list(tree.root());
        try (var thread = Executors.newVirtualThreadPerTaskExecutor()) {
            var change = thread.submit(() -> tree.file("b", 1));
            Runnable done = drops.poll(20, TimeUnit.SECONDS);
            assertThat(done).isNotNull();
            assertThat(change).isNotDone();
            assertThat(client.cachedListing(tree.root())).isNull();
            done.run();
            change.get(20, TimeUnit.SECONDS);
        }
        assertThat(client.list(tree.root()).size()).isEqualTo(2);
    }

    @Test
    void registeringTheSameAgainTakesNothingBack() throws Exception {
        FileId file = tree.file("a", 10);
        List<FileId> drops = new CopyOnWriteArrayList<>();
        CatalogClient client = grid.client("node", (id, done) -> {
            drops.add(id);
            done.run();
        });
        DirectoryListing listing = client.list(tree.root());
        assertThat(tree.file("a", 10)).isEqualTo(file);
        assertThat(client.cachedListing(tree.root())).isSameAs(listing);
        assertThat(drops).isEmpty();
    }

    @Test
    void aClientThatDoesNotAnswerDelaysAChangeForItsLeaseOnly() throws Exception {
        tree.file("a", 10);
        CatalogClient client = grid.client("node", (_, _) -> {});
        client.list(tree.root());
        tree.file("b", 1);
        CatalogClient other = grid.client("other", NamespaceListener.NONE);
        assertThat(other.list(tree.root()).size()).isEqualTo(2);
    }

    @Test
    void aClientThatHasGoneDelaysNothing() throws Exception {
        tree.file("a", 10);
        CatalogClient client = grid.client("node", (_, _) -> {});
        client.list(tree.root());
        assertThat(grid.server().clients()).isEqualTo(1);
        client.close();
        await().until(() -> grid.server().clients() == 0); // who leaves waits for the answer, but not for long
    }

    @Test
    void cachedDirectoriesAreAnsweredAsStaleWhileTheCatalogIsCutOffAndRightAgainAfterwards() throws Exception {
        tree.file("a", 10);
        CatalogClient client = grid.client(
                "node", NamespaceListener.NONE, CatalogClientSettings.DEFAULT.withPatience(Duration.ofSeconds(1)));
        client.list(tree.root());
        grid.cut();
        await().atMost(Duration.ofSeconds(20)).until(() -> client.isStale(tree.root()));
        assertThat(client.list(tree.root()).size()).isEqualTo(1);
        assertThat(client.lookup(tree.root(), name("a"))).isPresent();
        assertThat(client.lookup(tree.root(), name("b"))).isEmpty();
        assertThat(client.cachedListing(tree.root())).isNotNull();
        assertThatThrownBy(() -> client.list(FileId.ROOT)).isInstanceOf(CatalogUnreachableException.class);
        assertThat(client.isConnected()).isFalse();
        grid.heal();
        tree.file("b", 1);
        await().atMost(Duration.ofSeconds(20)).until(client::isConnected);
        // Little patience means that a busy machine may make it answer as stale once more.
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            assertThat(client.list(tree.root()).size()).isEqualTo(2);
            assertThat(client.isStale(tree.root())).isFalse();
        });
    }

    @Test
    void aDirectoryThatDidNotChangeMeanwhileIsNotSentAgain() throws Exception {
        for (int i = 0; i < 50; i++) {
            tree.file("f" + i, i);
        }
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        DirectoryListing listing = client.list(tree.root());
        grid.cut();
        await().atMost(Duration.ofSeconds(20)).until(() -> client.isStale(tree.root()));
        grid.heal();
        await().atMost(Duration.ofSeconds(20)).until(client::isConnected);
        assertThat(client.cachedListing(tree.root())).isNull();
        assertThat(client.list(tree.root())).isSameAs(listing);
        assertThat(client.isStale(tree.root())).isFalse();
    }

    @Test
    void aCatalogThatStartsAgainGivesTheSameNames() throws Exception {
        FileId file = tree.file("a", 10);
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        client.list(tree.root());
        grid.restart(log);
        await().atMost(Duration.ofSeconds(20)).until(client::isConnected);
        assertThat(client.list(tree.root()).lookup(name("a")).orElseThrow().id())
                .isEqualTo(file);
        tree.file("b", 1);
        assertThat(client.list(tree.root()).size()).isEqualTo(2);
    }

    @Test
    void theLeastUsedDirectoriesAreGivenUpBeyondTheBudget() throws Exception {
        List<FileId> directories = new java.util.ArrayList<>();
        for (int d = 0; d < 20; d++) {
            FileId id = tree.directory("d" + d);
            for (int f = 0; f < 100; f++) {
                tree.fileIn(id, "f" + f, f);
            }
            directories.add(id);
        }
        List<FileId> drops = new CopyOnWriteArrayList<>();
        CatalogClient client = grid.client(
                "node",
                (id, done) -> {
                    drops.add(id);
                    done.run();
                },
                new CatalogClientSettings(Duration.ofSeconds(20), Duration.ofSeconds(10), 60_000, 3));
        for (FileId id : directories) {
            client.list(id);
            client.cachedListing(directories.getFirst());
            assertThat(client.cachedBytes()).isLessThanOrEqualTo(60_000);
        }
        assertThat(drops).isNotEmpty().doesNotContain(directories.getFirst(), directories.getLast());
        assertThat(client.cachedListing(directories.getFirst())).isNotNull();
        assertThat(client.cachedListing(drops.getFirst())).isNull();
    }

    @Test
    void manyCallersOfOneListingShareARequest() throws Exception {
        for (int i = 0; i < 1000; i++) {
            tree.later("f" + i, i);
        }
        tree.flush();
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        client.lookup(FileId.ROOT, name("data"));
        List<CompletableFuture<Integer>> all = new java.util.ArrayList<>();
        for (int i = 0; i < 20; i++) {
            CompletableFuture<Integer> size = new CompletableFuture<>();
            all.add(size);
            Thread.ofVirtual().start(() -> {
                try {
                    size.complete(client.list(tree.root()).size());
                } catch (Exception e) {
                    size.completeExceptionally(e);
                }
            });
        }
        for (CompletableFuture<Integer> one : all) {
            assertThat(one.get(20, TimeUnit.SECONDS)).isEqualTo(1000);
        }
        assertThat(grid.count(BodyCase.LIST_REQUEST)).isLessThan(5);
    }

    @Test
    void whatIsNotThereIsToldApart() throws Exception {
        FileId file = tree.file("a", 10);
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        assertThatThrownBy(() -> client.list(new FileId(5, 5)))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.NOT_FOUND));
        assertThatThrownBy(() -> client.list(file))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.NOT_DIRECTORY));
        assertThatThrownBy(() -> client.record(new FileId(5, 5)))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.NOT_FOUND));
    }

    @Test
    void theStateOfTheGridIsThereAtOnceAfterTheFirstTime() throws Exception {
        tree.file("a", 10);
        CatalogClient client = grid.client("node", NamespaceListener.NONE);
        Grid state = client.grid();
        assertThat(state.files()).isEqualTo(1);
        assertThat(state.bytes()).isEqualTo(10);
        assertThat(state.id()).isEqualTo(grid.authority.grid());
        assertThat(state.servers()).singleElement().satisfies(server -> {
            assertThat(server.name()).isEqualTo("alpha");
            assertThat(server.alive()).isTrue();
        });
        grid.cut();
        assertThat(client.cachedGrid()).isNotNull();
    }
}
