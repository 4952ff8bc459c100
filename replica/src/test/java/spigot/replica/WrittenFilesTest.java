package spigot.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import spigot.coherence.token.Range;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.replica.commit.ChangedRanges;
import spigot.replica.commit.Committed;
import spigot.replica.commit.Mutation;
import spigot.session.NotCommittedException;
import spigot.session.TokenStore;
import spigot.transport.FailureException;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.TokenChange;

@DisplayName("A file that is written through the grid")
@Timeout(120)
class WrittenFilesTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Duration NEVER = Duration.ofHours(1);
    private static final long TIME = 1_700_000_000_123_456_789L;

    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private PeerIdentity self;
    private TestGrid.@Nullable TestServer running;
    private GridReader reader;

    @BeforeEach
    void start() throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        grid = new TestGrid(directory);
        self = grid.serverIdentity("home");
        reader = grid.reader();
    }

    private TestGrid.TestServer server() {
        return Objects.requireNonNull(running, "publish comes first");
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    private void publish(Duration foldAfter) throws Exception {
        grid.foldAfter(foldAfter);
        running = grid.server(self, directory.resolve("data"));
        server().replica().publish(source, LogicalPath.parse("/data"), false, false, ProgressListener.NONE);
    }

    private void restart(Duration foldAfter) throws Exception {
        server().close();
        grid.foldAfter(foldAfter);
        running = grid.server(self, directory.resolve("data"));
        await().atMost(SOON)
                .until(() -> server().replica().status().publications().stream()
                        .allMatch(publication -> publication.state() == PublicationState.SERVING));
    }

    private FileId id(String path) throws Exception {
        return reader.get(path).id();
    }

    private Committed write(FileId id, long offset, String text) throws Exception {
        return submit(id, Mutation.Write.of(offset, ByteBuffer.wrap(text.getBytes(UTF_8))));
    }

    private Committed submit(FileId id, Mutation mutation) throws Exception {
        return server().replica().written().submit(id, mutation, TIME).get(60, TimeUnit.SECONDS);
    }

    private String opened(FileId id) throws Exception {
        FileRecord record = reader.open(server(), id, 0).record();
        return new String(reader.readAll(server(), record), UTF_8);
    }

    private void awaitFolded() {
        await().atMost(SOON).until(() -> server().replica().written().figures().dirtyFiles() == 0);
    }

    private void awaitQuiet() {
        await().atMost(SOON).until(() -> server().replica().written().figures().files() == 0);
    }

    @Test
    void isReadAtOnceAndFoldedLaterAndTheCatalogKnows() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "hello world");
        publish(NEVER);
        FileRecord before = reader.open(server(), id("/data/file"), 0).record();
        Committed answer = write(before.id(), 6, "WORLD, all");
        assertThat(answer.size()).isEqualTo(16);
        assertThat(answer.version()).isGreaterThan(before.version());
        FileRecord record = reader.open(server(), before.id(), 0).record();
        assertThat(record.version()).isEqualTo(answer.version());
        assertThat(record.attributes().size()).isEqualTo(16);
        assertThat(record.attributes().modifiedNanos()).isEqualTo(TIME);
        assertThat(reader.readAll(server(), record)).isEqualTo("hello WORLD, all".getBytes(UTF_8));
        assertThat(reader.open(server(), before.id(), 4096).first()).isEqualTo("hello WORLD, all".getBytes(UTF_8));
        assertThat(file).hasContent("hello world");
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.readAll(server(), before))
                .matches(e -> e.code() == Failure.Code.VERSION_GONE);

        restart(Duration.ofMillis(50));
        assertThat(opened(before.id())).isEqualTo("hello WORLD, all");
        awaitQuiet();
        assertThat(file).hasContent("hello WORLD, all");
        assertThat(Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS)).isEqualTo(TIME);
        FileRecord after = reader.get("/data/file");
        assertThat(after.version()).isEqualTo(answer.version());
        assertThat(after.attributes().size()).isEqualTo(16);
        assertThat(after.attributes().modifiedNanos()).isEqualTo(TIME);
        assertThat(reader.open(server(), before.id(), 0).record()).isEqualTo(after);
        assertThat(reader.readAll(server(), after)).isEqualTo("hello WORLD, all".getBytes(UTF_8));
    }

    @Test
    void hasOneVersionForEachCommitWhateverIsFoldedMeanwhile() throws Exception {
        Files.writeString(source.resolve("file"), "");
        publish(Duration.ofMillis(1));
        FileId id = id("/data/file");
        Version last = write(id, 0, "0").version();
        for (int i = 1; i < 300; i++) {
            Committed answer = submit(id, new Mutation.Append(ByteBuffer.wrap(new byte[] {(byte) ('0' + i % 10)})));
            assertThat(answer.version()).isEqualTo(last.next());
            assertThat(answer.size()).isEqualTo(i + 1);
            last = answer.version();
            FileRecord record = reader.open(server(), id, 0).record();
            assertThat(record.version()).isEqualTo(last);
            assertThat(record.attributes().size()).isEqualTo(i + 1);
        }
        assertThat(opened(id)).isEqualTo("0123456789".repeat(30));
        Version before = new Version(last.epoch(), last.index() - 2);
        assertThat(server().replica().written().changedSince(id, before))
                .isEqualTo(new ChangedRanges.Only(List.of(
                        new ChangedRanges.Range(298, 299),
                        new ChangedRanges.Range(298, 299),
                        new ChangedRanges.Range(299, 300),
                        new ChangedRanges.Range(299, 300))));
        awaitQuiet();
        assertThat(source.resolve("file")).hasContent("0123456789".repeat(30));
        assertThat(reader.get("/data/file").version()).isEqualTo(last);
    }

    @Test
    void isReadForTokensWithItsStateWrittenOrNot() throws Exception {
        Files.writeString(source.resolve("file"), "hello");
        publish(NEVER);
        FileRecord record = reader.get("/data/file");
        server().replica().written().open(record.id());
        assertThat(readForTokens(record.id())).isEqualTo("hello");
        write(record.id(), 5, "!");
        assertThat(readForTokens(record.id())).isEqualTo("hello!");
        assertThat(server().replica().written().version(record.id()))
                .isEqualTo(reader.open(server(), record.id(), 0).record().version());
    }

    private String readForTokens(FileId id) throws Exception {
        StringBuilder seen = new StringBuilder();
        Version version = reader.open(server(), id, 0).record().version();
        server().replica().written().read(id, 0, 4096, (state, data) -> {
            assertThat(state.version()).isEqualTo(version);
            assertThat(state.size()).isEqualTo(data.remaining());
            seen.append(UTF_8.decode(data));
        });
        return seen.toString();
    }

    @Test
    void isNotTakenForChangedBehindByItsOwnFoldingsWhileItIsRead() throws Exception {
        Files.write(source.resolve("file"), new byte[256 << 10]);
        publish(Duration.ofMillis(1));
        FileId id = id("/data/file");
        Version first = write(id, 0, "0").version();
        for (int i = 1; i < 200; i++) {
            write(id, (i * 7919L * 4096) % (256 << 10), "x".repeat(4096));
            assertThat(opened(id)).hasSize(256 << 10);
        }
        assertThat(reader.open(server(), id, 0).record().version())
                .isEqualTo(new Version(first.epoch(), first.index() + 199));
    }

    @Test
    void isOneFileForManyWritersAndReadersWhateverElseIsDoneToIt() throws Exception {
        int writers = 4;
        int each = 100;
        Files.writeString(source.resolve("file"), "");
        publish(Duration.ofMillis(1));
        FileId root = id("/data");
        FileId id = id("/data/file");
        GridActor actor = new GridActor(reader.to(server()), 4_711);
        Version first = write(id, 0, "-").version();
        try (ExecutorService threads = Executors.newFixedThreadPool(writers)) {
            List<Future<?>> all = new ArrayList<>();
            for (int writer = 0; writer < writers; writer++) {
                byte letter = (byte) ('a' + writer);
                all.add(threads.submit(() -> {
                    for (int i = 0; i < each; i++) {
                        submit(id, new Mutation.Append(ByteBuffer.wrap(new byte[] {letter})));
                    }
                    return null;
                }));
            }
            int operations = 0;
            while (!all.stream().allMatch(Future::isDone)) {
                String name = operations % 2 == 0 ? "file" : "moved";
                actor.rename(root, name, root, operations % 2 == 0 ? "moved" : "file", 0);
                actor.set(id, set -> set.setMode(0644));
                operations++;
                String seen = readForTokens(server(), id);
                assertThat(seen).startsWith("-").matches("-[abcd]*");
            }
            for (Future<?> one : all) {
                one.get();
            }
            System.out.println("written files: operations beside the commits: " + operations);
        }
        String seen = opened(id);
        for (int writer = 0; writer < writers; writer++) {
            char letter = (char) ('a' + writer);
            assertThat(seen.chars().filter(one -> one == letter).count()).isEqualTo(each);
        }
        // No folding and no operation was taken for a change by others, which makes a version.
        assertThat(reader.open(server(), id, 0).record().version())
                .isEqualTo(new Version(first.epoch(), first.index() + (long) writers * each));
        awaitQuiet();
        assertThat(reader.open(server(), id, 0).record().attributes().size()).isEqualTo(1 + writers * each);
    }

    private static String readForTokens(TestGrid.TestServer server, FileId id) throws Exception {
        StringBuilder seen = new StringBuilder();
        server.replica().written().read(id, 0, 4096, (state, data) -> {
            assertThat(state.size()).isEqualTo(data.remaining());
            seen.append(UTF_8.decode(data));
        });
        return seen.toString();
    }

    @Test
    void givesWayNowhereToALocalProgramButShowsWhatThatHasDone() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "hello world");
        publish(NEVER);
        FileId id = id("/data/file");
        Committed answer = write(id, 0, "J");
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap("Yellow".getBytes(UTF_8)));
        }
        await().atMost(SOON).until(() -> opened(id).equals("Jellowworld"));
        FileRecord record = reader.open(server(), id, 0).record();
        assertThat(record.version()).isGreaterThan(answer.version());
        assertThat(server().replica().written().changedSince(id, answer.version()))
                .isEqualTo(new ChangedRanges.Everything());
        restart(Duration.ofMillis(50));
        awaitQuiet();
        assertThat(file).hasContent("Jellowworld");
        assertThat(opened(id)).isEqualTo("Jellowworld");
    }

    @Test
    void keepsItsVersionWhenOnlyItsModeIsChangedAndIsFoundUnderAnotherName() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "hello");
        publish(NEVER);
        FileId id = id("/data/file");
        Committed answer = write(id, 0, "J");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        await().atMost(SOON).untilAsserted(() -> {
            FileRecord record = reader.get("/data/file");
            assertThat(record.attributes().mode()).isEqualTo(0600);
            assertThat(record.version()).isEqualTo(answer.version());
        });
        Files.move(file, source.resolve("other"), StandardCopyOption.ATOMIC_MOVE);
        await().atMost(SOON).until(() -> reader.find("/data/other") != null);
        assertThat(id("/data/other")).isEqualTo(id);
        assertThat(opened(id)).isEqualTo("Jello");
    }

    @Test
    void takesTheLeasesOfItsReadersBackWhenItIsWrittenFirst() throws Exception {
        Files.writeString(source.resolve("file"), "hello");
        publish(Duration.ofMillis(50));
        FileId id = id("/data/file");
        long asked = grid.asked(Envelope.BodyCase.UPDATE_REQUEST);
        write(id, 0, "J");
        write(id, 1, "E");
        assertThat(grid.asked(Envelope.BodyCase.UPDATE_REQUEST)).isGreaterThan(asked);
        awaitQuiet();
        Version told = reader.get("/data/file").version();
        Committed again = write(id, 2, "L");
        // The catalog has a version of its own for the first commit after a pause, which no copy has.
        assertThat(again.version()).isEqualTo(told.next().next());
        assertThat(opened(id)).isEqualTo("JELlo");
    }

    @Test
    void isRenamedAndLinkedAndGivenAwayWithWhatIsNotInItYet() throws Exception {
        Files.writeString(source.resolve("file"), "hello");
        publish(NEVER);
        FileId root = id("/data");
        FileId id = id("/data/file");
        Committed answer = write(id, 5, " world");
        GridActor actor = new GridActor(reader.to(server()), 4_711);
        assertThat(actor.rename(root, "file", root, "moved", 0)
                        .getRecord()
                        .getAttributes()
                        .getSize())
                .isEqualTo(11);
        assertThat(actor.link(id, root, "linked").getRecord().getAttributes().getSize())
                .isEqualTo(11);
        actor.set(id, set -> set.setMode(0640));
        FileRecord record = reader.get("/data/moved");
        assertThat(record.attributes().mode()).isEqualTo(0640);
        assertThat(record.attributes().links()).isEqualTo(2);
        assertThat(record.attributes().size()).isEqualTo(11);
        assertThat(reader.open(server(), id, 0).record().version()).isEqualTo(answer.version());
        assertThat(opened(id)).isEqualTo("hello world");
        actor.unlink(root, "moved");
        restart(Duration.ofMillis(50));
        awaitQuiet();
        assertThat(source.resolve("linked")).hasContent("hello world");
        assertThat(reader.get("/data/linked").version()).isEqualTo(answer.version());
    }

    @Test
    void hasItsSizeAndTimeSetInTheOrderOfItsCommits() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "hello");
        publish(NEVER);
        FileId id = id("/data/file");
        write(id, 5, " world");
        GridActor actor = new GridActor(reader.to(server()), 4_711);
        actor.set(id, set -> set.setSize(8));
        assertThat(opened(id)).isEqualTo("hello wo");
        assertThat(file).hasContent("hello");
        write(id, 8, "!");
        long time = 1_600_000_000_000_000_000L;
        actor.set(id, set -> set.setModifiedNanos(time));
        FileRecord record = reader.open(server(), id, 0).record();
        assertThat(record.attributes().modifiedNanos()).isEqualTo(time);
        assertThat(record.attributes().size()).isEqualTo(9);
        restart(Duration.ofMillis(50));
        awaitQuiet();
        assertThat(file).hasContent("hello wo!");
        assertThat(Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS)).isEqualTo(time);
        assertThat(reader.get("/data/file").attributes().modifiedNanos()).isEqualTo(time);
    }

    @Test
    void isWrittenUnderTokensByPiecesAndBySize() throws Exception {
        Files.writeString(source.resolve("file"), "hello world");
        publish(NEVER);
        FileId id = id("/data/file");
        TokenStore store = server().replica().written();
        TokenChange.Builder pieces = TokenChange.newBuilder().setModifiedNanos(TIME);
        pieces.addPiecesBuilder().setOffset(0).setData(ByteString.copyFromUtf8("J"));
        pieces.addPiecesBuilder().setOffset(6).setData(ByteString.copyFromUtf8("W"));
        store.open(id);
        TokenStore.Stored stored =
                store.commit(id, Range.ofBytes(0, 11), pieces.build()).get(60, TimeUnit.SECONDS);
        assertThat(stored.size()).isEqualTo(11);
        assertThat(stored.version()).isEqualTo(store.version(id));
        TokenChange least = TokenChange.newBuilder()
                .setModifiedNanos(TIME + 1)
                .setAttributes(LiveAttributes.newBuilder().setSize(7))
                .build();
        assertThat(store.commit(id, Range.ATTRIBUTES, least).get(60, TimeUnit.SECONDS))
                .isEqualTo(new TokenStore.Stored(stored.version().next(), 11));
        TokenChange size = least.toBuilder().setExactSize(true).build();
        assertThat(store.commit(id, Range.ATTRIBUTES, size).get(60, TimeUnit.SECONDS))
                .isEqualTo(new TokenStore.Stored(stored.version().next().next(), 7));
        assertThat(readForTokens(id)).isEqualTo("Jello W");
        TokenChange tooLarge = TokenChange.newBuilder()
                .setAttributes(LiveAttributes.newBuilder().setSize(1L << 50))
                .build();
        assertThatExceptionOfType(NotCommittedException.class)
                .isThrownBy(() -> store.commit(id, Range.ATTRIBUTES, tooLarge))
                .matches(e -> e.errno() == Errno.EFBIG);
    }

    @Test
    void isRefusedWhereThePublicationIsReadOnly() throws Exception {
        Files.writeString(source.resolve("file"), "hello");
        grid.foldAfter(NEVER);
        running = grid.server(self, directory.resolve("data"));
        server().replica().publish(source, LogicalPath.parse("/data"), true, false, ProgressListener.NONE);
        FileId id = id("/data/file");
        assertThatExceptionOfType(SystemCallException.class)
                .isThrownBy(() -> write(id, 0, "J"))
                .matches(e -> e.errno() == Errno.EROFS);
        assertThat(opened(id)).isEqualTo("hello");
        assertThat(server().replica().written().figures().files()).isZero();
    }

    @Test
    void hasNoVerifiedCopyFromTheFirstCommitOn() throws Exception {
        Files.writeString(source.resolve("file"), "hello");
        publish(NEVER);
        Path copy = Files.createDirectories(directory.resolve("copy"));
        Files.writeString(copy.resolve("file"), "hello");
        TestGrid.TestServer other = grid.server(grid.serverIdentity("other"), directory.resolve("other"));
        other.replica().publish(copy, LogicalPath.parse("/data"), false, true, ProgressListener.NONE);
        FileId id = id("/data/file");
        await().atMost(SOON).until(() -> stateOfTheCopy(id) == ReplicaState.VERIFIED);
        write(id, 0, "J");
        assertThat(stateOfTheCopy(id)).isEqualTo(ReplicaState.UNVERIFIED);
        restart(Duration.ofMillis(50));
        await().atMost(SOON).until(() -> stateOfTheCopy(id) == ReplicaState.DIFFERS);
        assertThat(source.resolve("file")).hasContent("Jello");
    }

    private ReplicaState stateOfTheCopy(FileId id) throws Exception {
        return reader.replicas(id).stream()
                .filter(replica -> !replica.server().equals(self.id()))
                .map(Replica::state)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void isAllInItsFileWhenThePublicationHasEnded() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "hello");
        publish(NEVER);
        FileId id = id("/data/file");
        write(id, 0, "J");
        server().replica().unpublish(LogicalPath.parse("/data"));
        assertThat(file).hasContent("Jello");
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> write(id, 0, "X"))
                .matches(e -> e.code() == Failure.Code.NOT_FOUND);
        awaitQuiet();
    }

    @Test
    void isForgottenWhenItIsRemoved() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "hello");
        publish(NEVER);
        FileId id = id("/data/file");
        write(id, 0, "J");
        Files.delete(file);
        await().atMost(SOON).until(() -> reader.find("/data/file") == null);
        restart(Duration.ofMillis(50));
        awaitQuiet();
    }
}
