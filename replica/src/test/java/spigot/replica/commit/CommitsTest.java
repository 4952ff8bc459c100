package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.replica.commit.CommitRefusedException.Reason;

@DisplayName("Commits")
@Timeout(60)
class CommitsTest {
    private static final FileId FILE = new FileId(0, 1);
    private static final NodeId CLIENT = new NodeId(1, 2);

    @TempDir
    private Path directory;

    private Path published() {
        return directory.resolve("published");
    }

    private Commits open(Path log, CommitLimits limits) throws Exception {
        Commits commits = Commits.open(
                new LinuxStore(log),
                _ -> LinuxStore.openFile(published()),
                limits,
                FoldListener.NONE,
                () -> System.nanoTime() / 1_000_000);
        try (StoredFile file = LinuxStore.openFile(published())) {
            commits.install(FILE, 1, new Version(1, 0), file.fingerprint());
        }
        return commits;
    }

    private static CommitRequest write(long offset, String text) {
        return new CommitRequest(
                FILE,
                1,
                null,
                Mutation.Write.of(offset, ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII))),
                1_234_567_890_123_456_789L,
                null);
    }

    private String read(Commits commits) throws IOException {
        ByteBuffer into = ByteBuffer.allocateDirect(1 << 16);
        try (StoredFile file = LinuxStore.openFile(published())) {
            commits.read(FILE, file, 0, into);
        }
        byte[] bytes = new byte[into.flip().remaining()];
        into.get(bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Nested
    @DisplayName("on real files")
    class OnRealFiles {
        @Test
        void areReadAtOnceAndFoldedLater() throws Exception {
            Files.writeString(published(), "hello world, how are you");
            try (Commits commits = open(directory.resolve("log"), CommitLimits.defaults())) {
                assertThat(commits.commit(write(6, "WORLD"))).isEqualTo(new Committed(new Version(1, 1), 24));
                commits.commit(new CommitRequest(FILE, 1, null, new Mutation.Resize(12), 5, null));
                commits.commit(new CommitRequest(FILE, 1, null, new Mutation.Resize(14), 5, null));
                commits.commit(new CommitRequest(FILE, 1, null, new Mutation.Punch(1, 3), 5, null));
                commits.commit(new CommitRequest(
                        FILE, 1, null, new Mutation.Append(ByteBuffer.wrap(new byte[] {'!'})), 1_000_000_007, null));
                String expected = "h\0\0\0o WORLD,\0\0!";
                assertThat(read(commits)).isEqualTo(expected);
                assertThat(Files.readString(published())).isEqualTo("hello world, how are you");
                commits.foldAll();
                assertThat(read(commits)).isEqualTo(expected);
                assertThat(Files.readString(published())).isEqualTo(expected);
                assertThat(commits.figures().dirtyFiles()).isZero();
                try (StoredFile file = LinuxStore.openFile(published())) {
                    assertThat(file.fingerprint().modifiedNanos()).isEqualTo(1_000_000_007);
                    assertThat(commits.view(FILE).fingerprint()).isEqualTo(file.fingerprint());
                }
            }
        }

        @Test
        void areThereAfterAStartWithTheirVersions() throws Exception {
            Files.writeString(published(), "hello");
            OperationKey key = new OperationKey(CLIENT, 1, 1, 0);
            CommitRequest request =
                    new CommitRequest(FILE, 1, null, new Mutation.Append(ByteBuffer.wrap(new byte[] {'!'})), 5, key);
            try (Commits commits = open(directory.resolve("log"), CommitLimits.defaults())) {
                assertThat(commits.commit(request)).isEqualTo(new Committed(new Version(1, 1), 6));
                commits.install(FILE, 4, new Version(1, 1), commits.view(FILE).fingerprint());
            }
            try (Commits commits = open4(directory.resolve("log"))) {
                assertThat(commits.view(FILE).version()).isEqualTo(new Version(1, 1));
                assertThat(read(commits)).isEqualTo("hello!");
                assertThatExceptionOfType(CommitRefusedException.class)
                        .isThrownBy(() -> commits.commit(request))
                        .matches(e -> e.reason() == Reason.OLDER_EPOCH);
                CommitRequest again = new CommitRequest(FILE, 4, null, request.mutation(), 5, key);
                assertThat(commits.commit(again)).isEqualTo(new Committed(new Version(1, 1), 6));
                assertThat(read(commits)).isEqualTo("hello!");
                CommitRequest next =
                        new CommitRequest(FILE, 4, null, request.mutation(), 5, new OperationKey(CLIENT, 1, 2, 2));
                assertThat(commits.commit(next)).isEqualTo(new Committed(new Version(4, 2), 7));
                assertThatExceptionOfType(CommitRefusedException.class)
                        .isThrownBy(() -> commits.commit(again))
                        .matches(e -> e.reason() == Reason.HEARD_ALREADY);
                assertThatExceptionOfType(CommitRefusedException.class)
                        .isThrownBy(() -> commits.forget(FILE))
                        .matches(e -> e.reason() == Reason.NOT_FOLDED);
                commits.foldAll();
                commits.forget(FILE);
                assertThatExceptionOfType(CommitRefusedException.class).isThrownBy(() -> commits.view(FILE));
            }
        }

        private Commits open4(Path log) throws Exception {
            return Commits.open(
                    new LinuxStore(log),
                    _ -> LinuxStore.openFile(published()),
                    CommitLimits.defaults(),
                    FoldListener.NONE,
                    () -> 0);
        }

        @Test
        void ofManyShareAnFdatasync() throws Exception {
            Files.writeString(published(), "");
            int writers = 8;
            int each = 200;
            try (Commits commits = open(directory.resolve("log"), CommitLimits.defaults());
                    ExecutorService threads = Executors.newFixedThreadPool(writers)) {
                commits.start();
                long before = commits.figures().syncs();
                List<Callable<Long>> all = new ArrayList<>();
                for (int writer = 0; writer < writers; writer++) {
                    long offset = writer * 8L;
                    all.add(() -> {
                        long last = 0;
                        for (int i = 0; i < each; i++) {
                            Committed answer = commits.commit(write(offset, String.format("%08d", i)));
                            assertThat(answer.version().index()).isGreaterThan(last);
                            last = answer.version().index();
                        }
                        return last;
                    });
                }
                long newest = 0;
                for (Future<Long> last : threads.invokeAll(all)) {
                    newest = Math.max(newest, last.get());
                }
                assertThat(newest).isEqualTo(writers * each);
                assertThat(read(commits)).isEqualTo("00000199".repeat(writers));
                assertThat(commits.figures().syncs() - before).isLessThan(writers * each);
            }
        }

        @Test
        void thatComeDuringAnFdatasyncShareTheNext() throws Exception {
            CommitBench bench = new CommitBench(CommitBench.all(), CommitBench.LIMITS, "hello");
            long before = bench.commits.figures().syncs();
            List<Future<Committed>> answers = new ArrayList<>();
            bench.disk.hook((operation, _) -> {
                if (operation.equals("sync") && answers.size() == 1) {
                    try {
                        for (int i = 0; i < 8; i++) {
                            answers.add(bench.commits.submit(CommitBench.write(i, "x")));
                        }
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            answers.add(bench.commits.submit(CommitBench.write(0, "y")));
            bench.commits.flush();
            assertThat(answers).hasSize(9);
            assertThat(answers.stream().filter(Future::isDone)).hasSize(1);
            assertThat(bench.read()).isEqualTo("yello");
            bench.commits.flush();
            assertThat(answers.stream().filter(Future::isDone)).hasSize(9);
            assertThat(bench.read()).isEqualTo("x".repeat(8));
            assertThat(bench.commits.figures().syncs() - before).isEqualTo(2);
        }

        @Test
        void waitForTheFoldingAndStayWithinTheirBounds() throws Exception {
            Files.writeString(published(), "");
            CommitLimits limits = new CommitLimits(64 << 10, 256 << 10, 64 << 10, 32, 64, 10, 60_000, 1_000);
            try (Commits commits = open(directory.resolve("log"), limits)) {
                commits.start();
                String text = "x".repeat(4_000);
                for (int i = 0; i < 400; i++) {
                    commits.commit(write(i * 8_000L, text));
                    CommitFigures figures = commits.figures();
                    assertThat(figures.ranges()).isLessThanOrEqualTo(32);
                    // What the folding itself writes does not wait.
                    assertThat(figures.logBytes()).isLessThanOrEqualTo((256 << 10) + 4_096);
                }
            }
            try (var files = Files.list(directory.resolve("log"))) {
                long bytes = files.mapToLong(file -> file.toFile().length()).sum();
                assertThat(bytes).isLessThan(300 << 10);
            }
            try (Commits commits = open(directory.resolve("log"), limits)) {
                assertThat(commits.view(FILE).version().index()).isEqualTo(400);
                commits.foldAll();
            }
            assertThat(Files.size(published())).isEqualTo(399 * 8_000L + 4_000);
        }

        @Test
        void failWhenNothingCanBeFoldedAndGoOnWhenItCan() throws Exception {
            Files.writeString(published(), "");
            CommitLimits limits = new CommitLimits(64 << 10, 256 << 10, 64 << 10, 8, 64, 10, 0, 10);
            AtomicBoolean failing = new AtomicBoolean(true);
            PublishedFiles files = _ -> {
                if (failing.get()) {
                    throw new SystemCallException("open", "the published file", Errno.EDQUOT);
                }
                return LinuxStore.openFile(published());
            };
            try (Commits commits = Commits.open(
                    new LinuxStore(directory.resolve("log")),
                    files,
                    limits,
                    FoldListener.NONE,
                    () -> System.nanoTime() / 1_000_000)) {
                try (StoredFile file = LinuxStore.openFile(published())) {
                    commits.install(FILE, 1, new Version(1, 0), file.fingerprint());
                }
                commits.start();
                assertThatExceptionOfType(SystemCallException.class)
                        .isThrownBy(() -> {
                            for (int i = 0; i < 10; i++) {
                                commits.commit(write(i * 10L, "x"));
                            }
                        })
                        .matches(e -> e.errno() == Errno.EDQUOT)
                        .withMessageContaining("nothing can be folded");
                failing.set(false);
                commits.foldAll();
                commits.commit(write(1_000, "x"));
            }
        }
    }

    @Nested
    @DisplayName("without bytes")
    class WithoutBytes {
        @Test
        void setTheTimeOfThePublishedFile() throws Exception {
            CommitBench bench = new CommitBench(CommitBench.all(), CommitBench.LIMITS, "hello");
            bench.commits.commit(CommitBench.request(new Mutation.Resize(5), null));
            assertThat(bench.commits.view(FILE).isDirty()).isTrue();
            bench.commits.foldAll();
            assertThat(bench.fingerprint().modifiedNanos()).isEqualTo(1_000);
            assertThat(bench.commits.view(FILE).isDirty()).isFalse();
        }

        @Test
        void thatOnlyGrowAFileAreFoldedAfterAStartToo() throws Exception {
            FileId other = new FileId(0, 2);
            CommitBench bench = new CommitBench(CommitBench.all(), CommitBench.LIMITS, "hello");
            bench.disk.put(CrashDisk.name(other), new byte[0]);
            try (StoredFile file = bench.disk.open(CrashDisk.name(other))) {
                bench.commits.install(other, 1, new Version(1, 0), file.fingerprint());
            }
            bench.commits.commit(CommitBench.request(new Mutation.Resize(9), null));
            ByteBuffer bytes = ByteBuffer.wrap(new byte[3_000]);
            for (int i = 0; i < 4; i++) {
                bench.commits.commit(new CommitRequest(other, 1, null, Mutation.Write.of(0, bytes), 5, null));
            }
            bench.disk.hook((operation, file) -> {
                if (operation.equals("setSize") && file.equals(CrashDisk.name(FILE))) {
                    throw new SystemCallException("ftruncate", file, Errno.EIO);
                }
            });
            assertThatExceptionOfType(SystemCallException.class).isThrownBy(bench.commits::foldAll);
            bench.disk.hook(null);
            assertThat(bench.disk.list()).doesNotContain(Segment.name(1));
            bench.restart();
            assertThat(bench.published()).isEqualTo("hello");
            bench.commits.foldAll();
            assertThat(bench.published()).isEqualTo("hello\0\0\0\0");
        }

        @Test
        void areRefusedWhereTheSystemCallIs() throws Exception {
            CommitBench bench = new CommitBench(CommitBench.all(), CommitBench.LIMITS, "hello");
            assertThatExceptionOfType(SystemCallException.class)
                    .isThrownBy(() -> bench.commits.commit(CommitBench.request(new Mutation.Zero(100, 0), null)))
                    .matches(e -> e.errno() == Errno.EINVAL);
            assertThatExceptionOfType(SystemCallException.class)
                    .isThrownBy(() -> bench.commits.commit(CommitBench.request(new Mutation.Resize(1L << 50), null)))
                    .matches(e -> e.errno() == Errno.EFBIG);
            assertThat(bench.commits.view(FILE).version()).isEqualTo(CommitBench.FIRST);
        }
    }

    @Nested
    @DisplayName("on a small disk")
    class OnASmallDisk {
        @Test
        void failWithoutATraceAndGoOnWhenThereIsRoom() throws Exception {
            Path small = Files.createDirectories(directory.resolve("small"));
            Files.writeString(published(), "hello");
            assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=1m", "spigot-test", small.toString()), "needs tmpfs");
            try {
                Path ballast = small.resolve("ballast");
                Files.write(ballast, new byte[700 << 10]);
                try (Commits commits = open(small.resolve("log"), CommitLimits.defaults())) {
                    commits.start();
                    String big = "x".repeat(200 << 10);
                    commits.commit(write(0, "J"));
                    int done = 0;
                    int errno = 0;
                    while (errno == 0) {
                        try {
                            commits.commit(write(0, big));
                            done++;
                        } catch (SystemCallException e) {
                            errno = e.errno();
                        }
                    }
                    assertThat(errno).isEqualTo(Errno.ENOSPC);
                    assertThat(commits.view(FILE).version().index()).isEqualTo(1L + done);
                    Files.delete(ballast);
                    assertThat(commits.commit(write(1, "E")).version().index()).isEqualTo(2L + done);
                    assertThat(read(commits)).startsWith(done > 0 ? "xExx" : "JEllo");
                }
                try (Commits commits = open(small.resolve("log"), CommitLimits.defaults())) {
                    assertThat(read(commits).charAt(1)).isEqualTo('E');
                }
            } finally {
                run("umount", small.toString());
            }
        }

        private boolean run(String... command) throws Exception {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        }
    }

    @Nested
    @DisplayName("after damage")
    class AfterDamage {
        @Test
        void areCutWhereTheLastRecordIsTorn() throws Exception {
            Files.writeString(published(), "hello");
            Path log = directory.resolve("log");
            try (Commits commits = open(log, CommitLimits.defaults())) {
                commits.commit(write(0, "J"));
                commits.commit(write(1, "E"));
            }
            Path segment = log.resolve(Segment.name(1));
            byte[] all = Files.readAllBytes(segment);
            for (int cut = 1; cut < 112; cut += 7) {
                Files.write(segment, java.util.Arrays.copyOf(all, all.length - cut));
                try (Commits commits = open(log, CommitLimits.defaults())) {
                    assertThat(read(commits)).isEqualTo("Jello");
                }
            }
        }

        @Test
        void areNotOpenedWhenSomethingElseIsWrong() throws Exception {
            CommitBench bench = new CommitBench(CommitBench.all(), CommitBench.LIMITS, "hello");
            for (int i = 0; i < 4; i++) {
                bench.commit(i, "X".repeat(505));
            }
            byte[] segment = bench.disk.bytes(bench.lastSegment());
            byte[] before = segment.clone();
            // Between them are zeros that make the record of the installation longer, and nothing else.
            int head = RecordLayout.HEAD_BYTES;
            int second = head + 136;
            for (int i = 0; i < 1_200; i += i == head - 1 ? second - i : i < second ? 1 : 3) {
                System.arraycopy(before, 0, segment, 0, before.length);
                segment[i] ^= 1;
                assertThatExceptionOfType(IOException.class)
                        .as("byte %s", i)
                        .isThrownBy(bench::restart)
                        .withMessageContaining("damaged at offset")
                        .withMessageContaining(bench.lastSegment());
            }
        }
    }

    @Nested
    @DisplayName("made behind the back")
    class BehindTheBack {
        @Test
        void giveWayToCommitsAndMakeAVersion() throws Exception {
            CommitBench bench = new CommitBench(CommitBench.all(), CommitBench.LIMITS, "hello world");
            bench.commit(0, "J");
            try (StoredFile file = bench.disk.open(CrashDisk.name(FILE))) {
                file.write(ByteBuffer.wrap("Yellow World, all".getBytes(StandardCharsets.US_ASCII)), 0);
            }
            bench.commits.foldAll();
            assertThat(bench.heard).containsExactly("changed 1.2", "folded 1.2");
            assertThat(bench.read()).isEqualTo("Jellow World, all");
            assertThat(bench.published()).isEqualTo("Jellow World, all");
            assertThat(bench.commits.changedSince(FILE, new Version(1, 1))).isEqualTo(new ChangedRanges.Everything());
            bench.restart();
            assertThat(bench.read()).isEqualTo("Jellow World, all");
            assertThat(bench.commits.view(FILE).version()).isEqualTo(new Version(1, 2));
        }
    }
}
