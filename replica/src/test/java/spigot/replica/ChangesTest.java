package spigot.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import spigot.coherence.GrantorConfig;
import spigot.coherence.HolderConfig;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.session.BootClock;
import spigot.session.LeaseHolder;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LeaseKind;

@DisplayName("A change behind the server's back")
class ChangesTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private TestGrid.TestServer server;
    private GridReader reader;

    @BeforeEach
    void start() throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        grid = new TestGrid(directory);
        server = grid.server(grid.serverIdentity("home"), directory.resolve("data"));
        reader = grid.reader();
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    @Test
    void inPlaceIsTheNextVersionAtTheNextOpen() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "before");
        publish();
        FileRecord before =
                reader.open(server, reader.get("/data/file").id(), 0).record();
        Files.writeString(file, "after!", StandardOpenOption.WRITE);
        FileRecord after = reader.open(server, before.id(), 0).record();
        assertThat(after.version()).isGreaterThan(before.version());
        assertThat(reader.readAll(server, after)).isEqualTo("after!".getBytes(UTF_8));
        assertGone(before);
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(reader.get("/data/file").version()).isGreaterThan(before.version()));
    }

    @Test
    void ofTheModeAloneIsNoNewVersion() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "content");
        publish();
        FileRecord before =
                reader.open(server, reader.get("/data/file").id(), 0).record();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        FileRecord after = reader.open(server, before.id(), 0).record();
        assertThat(after.attributes().mode()).isEqualTo(0600);
        assertThat(after.version()).isEqualTo(before.version());
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(reader.get("/data/file").attributes().mode()).isEqualTo(0600));
        assertThat(reader.readAll(server, before)).isEqualTo("content".getBytes(UTF_8));
    }

    @Test
    void thatPutsTheModificationTimeBackIsNoticed() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "before");
        FileTime time = Files.getLastModifiedTime(file);
        publish();
        FileRecord before =
                reader.open(server, reader.get("/data/file").id(), 0).record();
        Files.writeString(file, "after!", StandardOpenOption.WRITE);
        Files.setLastModifiedTime(file, time);
        assertThat(reader.text(server, "/data/file")).isEqualTo("after!");
        assertGone(before);
    }

    @Test
    void byRenameIsAnotherFileAndTheOldOneIsReadToItsEnd() throws Exception {
        Files.writeString(source.resolve("file"), "old");
        publish();
        FileRecord old = reader.open(server, reader.get("/data/file").id(), 0).record();
        replace("file", "new content");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(reader.get("/data/file").id()).isNotEqualTo(old.id()));
        assertThat(reader.text(server, "/data/file")).isEqualTo("new content");
        assertThat(reader.readAll(server, old)).isEqualTo("old".getBytes(UTF_8));
    }

    @Test
    void ofANameKeepsTheFile() throws Exception {
        Files.createDirectories(source.resolve("from"));
        Files.createDirectories(source.resolve("to"));
        Files.writeString(source.resolve("from/a"), "content");
        publish();
        FileRecord before =
                reader.open(server, reader.get("/data/from/a").id(), 0).record();
        Files.move(source.resolve("from/a"), source.resolve("to/b"));
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(reader.find("/data/from/a")).isNull();
            assertThat(reader.get("/data/to/b").id()).isEqualTo(before.id());
        });
        assertThat(reader.open(server, before.id(), 0).record().version()).isEqualTo(before.version());
    }

    @Test
    void ofADirectorysNameShowsAllBelowUnderTheNewOne() throws Exception {
        Files.createDirectories(source.resolve("x/deep"));
        Files.writeString(source.resolve("x/deep/file"), "content");
        publish();
        FileId before = reader.get("/data/x/deep/file").id();
        Files.move(source.resolve("x"), source.resolve("y"));
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(reader.find("/data/x")).isNull();
            assertThat(reader.get("/data/y/deep/file").id()).isEqualTo(before);
        });
        assertThat(reader.text(server, "/data/y/deep/file")).isEqualTo("content");
        Files.writeString(source.resolve("y/deep/more"), "later");
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(reader.find("/data/y/deep/more")).isNotNull());
    }

    @Test
    void thatMakesOneThingOfAnotherKindIsSeen() throws Exception {
        Files.createDirectories(source.resolve("thing/below"));
        Files.writeString(source.resolve("other"), "x");
        publish();
        Files.delete(source.resolve("thing/below"));
        Files.delete(source.resolve("thing"));
        Files.writeString(source.resolve("thing"), "a file now");
        Files.delete(source.resolve("other"));
        Files.createDirectories(source.resolve("other/sub"));
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(reader.text(server, "/data/thing")).isEqualTo("a file now");
            assertThat(reader.get("/data/other/sub").attributes().isDirectory()).isTrue();
        });
    }

    @ParameterizedTest(name = "with {0} watches")
    @ValueSource(ints = {0, 1, 1000})
    void ofNamesIsSeenWhetherOrNotTheKernelTells(int watches) throws Exception {
        server.close();
        PeerIdentity self = grid.serverIdentity("bounded");
        server = grid.server(
                ReplicaConfiguration.of(self.id(), self.name(), "test", directory.resolve("bounded"))
                        .with(TestGrid.TIMES)
                        .with(GrantorConfig.ofLease(2000))
                        .with(ReplicaConfiguration.Bounds.DEFAULT.withWatches(watches)),
                self);
        Files.createDirectories(source.resolve("a/b"));
        Files.writeString(source.resolve("a/b/file"), "1");
        publish();
        assertThat(server.replica().status().watchedDirectories()).isEqualTo(Math.min(3, watches));
        Files.writeString(source.resolve("a/b/new"), "2");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(reader.find("/data/a/b/new")).isNotNull());
        Files.delete(source.resolve("a/b/file"));
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(reader.find("/data/a/b/file")).isNull());
        Files.createDirectories(source.resolve("c/d"));
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(reader.find("/data/c/d")).isNotNull());
        Files.writeString(source.resolve("c/d/e"), "3");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(reader.find("/data/c/d/e")).isNotNull());
        long modified = Files.getLastModifiedTime(source.resolve("c")).to(TimeUnit.NANOSECONDS);
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(reader.get("/data/c").attributes().modifiedNanos())
                                .isEqualTo(modified));
    }

    @Test
    void takesTheLeasesOfTheFileBackFirst() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "before");
        publish();
        Set<FileId> dropped = ConcurrentHashMap.newKeySet();
        try (LeaseHolder holder =
                new LeaseHolder("home", LeaseKind.FILES, HolderConfig.of(1), BootClock.system(), (object, done) -> {
                    dropped.add(object);
                    done.run();
                })) {
            GridReader leased = grid.reader("leased", new LinkHandler() {
                @Override
                public void request(Link from, Envelope request, Responder responder) {}

                @Override
                public void message(Link from, Envelope message) {
                    holder.message(from, message);
                }
            });
            holder.linkUp(leased.to(server));
            FileId id = leased.get("/data/file").id();
            GridReader.Opened opened =
                    leased.open(server, id, 0, holder.want(GridReader.PATIENCE).orElseThrow());
            assertThat(holder.granted(opened.grant())).isPresent();
            assertThat(server.replica().status().leases()).isEqualTo(1);
            // Nobody opens it meanwhile: it is looked at because it is leased.
            Files.writeString(file, "after!", StandardOpenOption.WRITE);
            await().atMost(SOON).untilAsserted(() -> assertThat(dropped).containsExactly(id));
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(leased.get("/data/file").version())
                            .isGreaterThan(opened.record().version()));
        }
    }

    @Test
    void throughAMappingThatNoTimeShowsIsFoundWhenTheFileIsQuiet() throws Exception {
        Path file = Files.write(source.resolve("file"), new byte[8192]);
        publish();
        FileId id = reader.get("/data/file").id();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofShared()) {
            MemorySegment mapping = channel.map(FileChannel.MapMode.READ_WRITE, 0, 8192, arena);
            mapping.set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
            GridReader.Opened first = reader.open(server, id, 8192);
            assertThat(first.first()[0]).isEqualTo((byte) 1);
            // The page is dirty already: this store moves neither time.
            FileTime time = Files.getLastModifiedTime(file);
            mapping.set(ValueLayout.JAVA_BYTE, 0, (byte) 2);
            assertThat(Files.getLastModifiedTime(file)).isEqualTo(time);
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(reader.get("/data/file").version())
                            .isGreaterThan(first.record().version()));
            GridReader.Opened second = reader.open(server, id, 8192);
            assertThat(second.first()[0]).isEqualTo((byte) 2);
        }
    }

    @Test
    void thatIsNoneLeavesTheVersionWhenTheFileIsQuiet() throws Exception {
        Files.write(source.resolve("file"), new byte[100_000]);
        publish();
        GridReader.Opened opened = reader.open(server, reader.get("/data/file").id(), 65536);
        reader.readAll(server, opened.record());
        // Longer than it takes until the reads are checked, which is nothing that could be waited for.
        await().pollDelay(Duration.ofSeconds(1)).atMost(SOON).until(() -> true);
        assertThat(reader.open(server, opened.record().id(), 0).record().version())
                .isEqualTo(opened.record().version());
    }

    @Test
    void thatNeverEndsMakesFewVersions() throws Exception {
        Path file = Files.writeString(source.resolve("log"), "begin");
        publish();
        long before = reader.get("/data/log").version().index();
        long updates = grid.asked(Envelope.BodyCase.UPDATE_REQUEST);
        long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        long pauses = 0; // that a busy machine made, so long that the file may have seemed to rest
        for (long now = System.nanoTime(), last = now; now < end; last = now, now = System.nanoTime()) {
            pauses += now - last > TestGrid.TIMES.settle().toNanos() / 2 ? 1 : 0;
            Files.writeString(file, "more", StandardOpenOption.APPEND);
            java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
        }
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(reader.get("/data/log").attributes().size()).isEqualTo(Files.size(file)));
        assertThat(reader.get("/data/log").version().index() - before).isBetween(1L, 6L + 2 * pauses);
        assertThat(grid.asked(Envelope.BodyCase.UPDATE_REQUEST) - updates).isBetween(1L, 12L + 4 * pauses);
    }

    @Test
    void ofASinglePublishedFileIsTheNextVersion() throws Exception {
        Path file = Files.writeString(source.resolve("single"), "first");
        server.replica().publish(file, LogicalPath.parse("/alone"), true, false, ProgressListener.NONE);
        FileRecord before = reader.open(server, reader.get("/alone").id(), 0).record();
        replace("single", "replaced");
        await().atMost(SOON).untilAsserted(() -> {
            FileRecord now = reader.get("/alone");
            assertThat(now.id()).isEqualTo(before.id());
            assertThat(now.version()).isGreaterThan(before.version());
        });
        assertThat(reader.text(server, "/alone")).isEqualTo("replaced");
        Files.writeString(file, "in place", StandardOpenOption.TRUNCATE_EXISTING);
        assertThat(reader.text(server, "/alone")).isEqualTo("in place");
    }

    @Test
    void doesNotStopAServerWithFewDescriptors() throws Exception {
        server.close();
        PeerIdentity self = grid.serverIdentity("bounded");
        server = grid.server(
                ReplicaConfiguration.of(self.id(), self.name(), "test", directory.resolve("bounded"))
                        .with(TestGrid.TIMES)
                        .with(ReplicaConfiguration.Bounds.DEFAULT.withDescriptors(3)),
                self);
        for (int i = 0; i < 40; i++) {
            Files.writeString(source.resolve("f" + i), "content " + i);
        }
        publish();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 40; i++) {
                assertThat(reader.text(server, "/data/f" + i)).isEqualTo("content " + i);
                assertThat(server.replica().status().openDescriptors()).isLessThanOrEqualTo(3);
            }
        }
        replace("f0", "other");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(reader.text(server, "/data/f0")).isEqualTo("other"));
    }

    private void replace(String name, String content) throws Exception {
        Path temporary = Files.writeString(source.resolve("." + name + ".tmp"), content);
        Files.move(temporary, source.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private void assertGone(FileRecord record) {
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.read(server, record.id(), record.version(), 0, 4096))
                .matches(e -> e.code() == Failure.Code.VERSION_GONE);
    }

    private void publish() throws Exception {
        server.replica().publish(source, LogicalPath.parse("/data"), true, false, ProgressListener.NONE);
    }
}
