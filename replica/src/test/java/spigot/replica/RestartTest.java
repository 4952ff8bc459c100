package spigot.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;
import spigot.linux.FileStatus;
import spigot.linux.Statx;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.XattrKinds;
import spigot.transport.FailureException;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.Envelope.BodyCase;
import spigot.transport.wire.Failure;

@DisplayName("A replica server that starts again")
class RestartTest {
    /** Where a hundred thousand files are made in seconds, if there is such a place. */
    static final class InMemory implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context) throws IOException {
            Path memory = Path.of("/dev/shm");
            return Files.isWritable(memory)
                    ? Files.createTempDirectory(memory, "spigot")
                    : Files.createTempDirectory("spigot");
        }
    }

    private static final int AT_WORKING_DIRECTORY = -100;
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private PeerIdentity self;
    private TestGrid.TestServer server;
    private GridReader reader;

    @BeforeEach
    void start() throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        grid = new TestGrid(directory);
        self = grid.serverIdentity("home");
        server = grid.server(self, directory.resolve("data"));
        reader = grid.reader();
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    @Test
    void sendsNothingOfAHundredThousandFilesThatDidNotChange(@TempDir(factory = InMemory.class) Path memory)
            throws Exception {
        source = memory;
        run("for d in $(seq 100); do mkdir d$d; (cd d$d; seq -f f%g 1000 | xargs touch); done");
        long[] seenAtMost = {0};
        PublicationStatus status = server.replica()
                .publish(
                        source,
                        LogicalPath.parse("/data"),
                        true,
                        false,
                        (seen, registered, skipped) -> seenAtMost[0] = Math.max(seenAtMost[0], seen));
        assertThat(status.entries()).isEqualTo(100_100);
        assertThat(status.registered()).isEqualTo(100_100);
        assertThat(seenAtMost[0]).isEqualTo(100_100);
        long first = grid.asked(BodyCase.REGISTER_REQUEST);
        assertThat(first).isBetween(100L, 160L);
        long updates = grid.asked(BodyCase.UPDATE_REQUEST);

        restart();
        assertThat(grid.asked(BodyCase.REGISTER_REQUEST)).isEqualTo(first);
        assertThat(grid.asked(BodyCase.UPDATE_REQUEST)).isEqualTo(updates);
        assertThat(grid.asked(BodyCase.WITHDRAW_REQUEST)).isZero();

        server.close();
        Files.writeString(source.resolve("d7/f7"), "changed");
        Files.writeString(source.resolve("d8/new"), "new");
        Files.delete(source.resolve("d9/f9"));
        restart();
        assertThat(grid.asked(BodyCase.REGISTER_REQUEST)).isEqualTo(first + 1);
        assertThat(grid.asked(BodyCase.WITHDRAW_REQUEST)).isEqualTo(1);
        // The file, and the directories whose times have changed with their names.
        assertThat(grid.asked(BodyCase.UPDATE_REQUEST)).isBetween(updates + 1, updates + 4);
        assertThat(reader.text(server, "/data/d7/f7")).isEqualTo("changed");
        assertThat(reader.text(server, "/data/d8/new")).isEqualTo("new");
        assertThat(reader.find("/data/d9/f9")).isNull();
    }

    @Test
    void goesOnWhereItWasKilled() throws Exception {
        run("for d in $(seq 30); do mkdir -p a$d/b; (cd a$d/b; seq -f f%g 100 | xargs touch); done");
        grid.loseRepliesAfter(BodyCase.REGISTER_REQUEST, 2);
        Thread publishing = Thread.startVirtualThread(() -> {
            try {
                publish();
            } catch (Exception e) {
                // Its server ends meanwhile.
            }
        });
        await().atMost(SOON).until(() -> grid.asked(BodyCase.REGISTER_REQUEST) >= 3);
        server.close();
        publishing.join();
        // The catalog has what this server does not know to be registered; some of it is gone when it comes back.
        run("rm a1/b/f1 a1/b/f2; rm -r a2; rm -r a30/b; touch later");
        grid.loseRepliesAfter(BodyCase.REGISTER_REQUEST, Long.MAX_VALUE);
        restart();
        assertThat(names("")).isEqualTo(localNames(source));
        for (int d = 1; d <= 30; d++) {
            if (d != 2) {
                assertThat(names("/a" + d)).isEqualTo(localNames(source.resolve("a" + d)));
            }
            if (d != 2 && d != 30) {
                assertThat(names("/a" + d + "/b")).isEqualTo(localNames(source.resolve("a" + d + "/b")));
            }
        }
    }

    @Test
    void doesNotWithdrawWhatItDoesNotFind() throws Exception {
        Files.writeString(source.resolve("file"), "content");
        publish();
        FileRecord before = reader.get("/data/file");
        server.close();
        Files.move(source, directory.resolve("elsewhere"));
        server = grid.server(self, directory.resolve("data"));
        awaitState(PublicationState.MISSING);
        assertThat(reader.get("/data/file").id()).isEqualTo(before.id());
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.open(server, before.id(), 0))
                .matches(e -> e.code() == Failure.Code.NOT_READY)
                .withMessageContaining(source.toString());

        // A file system that is not mounted leaves an empty directory.
        Files.createDirectory(source);
        await().atMost(SOON)
                .until(() -> server.replica()
                        .status()
                        .publications()
                        .getFirst()
                        .detail()
                        .contains("not mounted"));
        assertThat(reader.get("/data/file").id()).isEqualTo(before.id());

        Files.delete(source);
        Files.move(directory.resolve("elsewhere"), source);
        awaitState(PublicationState.SERVING);
        assertThat(reader.get("/data/file").id()).isEqualTo(before.id());
        assertThat(reader.text(server, "/data/file")).isEqualTo("content");
        assertThat(reader.get("/data/file").version()).isEqualTo(before.version());
    }

    @Test
    void keepsTheVersionsOfWhatDidNotChange() throws Exception {
        Files.writeString(source.resolve("file"), "content");
        publish();
        FileRecord before =
                reader.open(server, reader.get("/data/file").id(), 0).record();
        restart();
        FileRecord after = reader.open(server, before.id(), 0).record();
        assertThat(after.version()).isEqualTo(before.version());
        assertThat(reader.read(server, before.id(), before.version(), 0, 4096)).isEqualTo("content".getBytes(UTF_8));
        // All that is needed came with the comparison at the start.
        assertThat(grid.asked(BodyCase.RECORD_REQUEST)).isZero();
    }

    @Test
    void opensNothingWhileItMayHaveBeenGivenUp() throws Exception {
        server.close();
        ReplicaConfiguration.Times times = TestGrid.TIMES;
        server = grid.server(
                ReplicaConfiguration.of(self.id(), self.name(), "test", directory.resolve("data"))
                        .with(new ReplicaConfiguration.Times(
                                times.heartbeat(),
                                Duration.ofSeconds(2),
                                times.leasedPoll(),
                                times.rescan(),
                                times.coalesce(),
                                times.settle(),
                                times.sourceCheck(),
                                times.comparisons(),
                                times.patience())),
                self);
        Files.writeString(source.resolve("file"), "content");
        publish();
        FileRecord record =
                reader.open(server, reader.get("/data/file").id(), 0).record();
        grid.cutCatalog(true);
        await().atMost(SOON)
                .untilAsserted(() -> assertThatExceptionOfType(FailureException.class)
                        .isThrownBy(() -> reader.open(server, record.id(), 0))
                        .matches(e -> e.code() == Failure.Code.NOT_READY));
        // What has a version is right for ever.
        assertThat(reader.read(server, record.id(), record.version(), 0, 4096)).isEqualTo("content".getBytes(UTF_8));
        grid.cutCatalog(false);
        await().atMost(SOON)
                .ignoreExceptions()
                .untilAsserted(() ->
                        assertThat(reader.open(server, record.id(), 0).record()).isEqualTo(record));
        assertThat(grid.asked(BodyCase.RECORD_REQUEST)).isPositive();
    }

    @Test
    void looksAgainAtTheExtendedAttributesThatAnEarlierReleaseDidNotTellApart() throws Exception {
        Files.writeString(source.resolve("plain"), "content");
        Files.writeString(source.resolve("file"), "content");
        Files.setAttribute(source.resolve("file"), "user:colour", "green".getBytes(UTF_8));
        publish();
        FileRecord before = reader.get("/data/file");
        assertThat(before.attributes().xattrs()).isEqualTo(new XattrKinds(2));
        server.close();
        Path index = directory.resolve("data/publications");
        try (PublicationIndex old = PublicationIndex.open(index)) {
            IndexedFile row = Objects.requireNonNull(old.file(before.id()));
            FileStatus status = Statx.at(
                    AT_WORKING_DIRECTORY, source.resolve("file").toString().getBytes(UTF_8));
            assertThat(old.update(row.seen(status, FileAttributes.of(status, XattrKinds.NOT_KNOWN_WHICH))))
                    .isTrue();
        }
        long updates = grid.asked(BodyCase.UPDATE_REQUEST);
        restart();
        assertThat(grid.asked(BodyCase.UPDATE_REQUEST)).isEqualTo(updates + 1);
        FileRecord after = reader.open(server, before.id(), 0).record();
        assertThat(after).isEqualTo(before);
        server.close();
        try (PublicationIndex looked = PublicationIndex.open(index)) {
            assertThat(looked.file(before.id()))
                    .isNotNull()
                    .satisfies(row -> assertThat(row.attributes().xattrs()).isEqualTo(new XattrKinds(2)));
        }
    }

    private Set<String> names(String path) throws Exception {
        Set<String> names = new HashSet<>();
        for (FileName name : reader.list("/data" + path)) {
            names.add(name.toString());
        }
        return names;
    }

    private static Set<String> localNames(Path path) throws Exception {
        Set<String> names = new HashSet<>();
        try (var entries = Files.newDirectoryStream(path)) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        }
        return names;
    }

    private void restart() throws Exception {
        server.close();
        server = grid.server(self, directory.resolve("data"));
        awaitState(PublicationState.SERVING);
    }

    private void awaitState(PublicationState state) {
        await().atMost(SOON)
                .until(() -> server.replica().status().publications().getFirst().state() == state);
    }

    private void publish() throws Exception {
        server.replica().publish(source, LogicalPath.parse("/data"), true, false, ProgressListener.NONE);
    }

    private void run(String script) throws Exception {
        Process process = new ProcessBuilder("bash", "-c", script)
                .directory(source.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
    }
}
