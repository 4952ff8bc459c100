package spigot.testbed.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each test has a grid of its own and mostly waits for time limits: some run at a time. */
@Execution(ExecutionMode.CONCURRENT)
@DisplayName("When a server dies or is stopped in the middle of a read")
class FaultsTest {
    private static final int MIB = 1 << 20;
    private static final int FILE_BYTES = 48 * MIB;

    /** What "at once" may take on a busy machine. */
    private static final Duration AT_ONCE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private byte[] content;
    private Path source;
    private TestGrid grid;

    @BeforeEach
    void makeData() throws Exception {
        content = new byte[FILE_BYTES];
        new Random(5).nextBytes(content);
        source = Files.createDirectory(directory.resolve("source"));
        Files.write(source.resolve("file"), content);
        Files.createDirectory(source.resolve("names"));
        for (int i = 0; i < 20; i++) {
            Files.writeString(source.resolve("names/n" + i), "x");
        }
        grid = new TestGrid(directory);
    }

    @AfterEach
    void end() {
        grid.close();
    }

    @Nested
    class WithASecondReplica {
        @ParameterizedTest
        @ValueSource(strings = {"KILL", "STOP"})
        void theReadGoesOnWithoutAnError(String signal) throws Exception {
            grid.found("catalog");
            TestGrid.Server home = grid.join("home");
            home.publish(source, "/data");
            TestGrid.Server copy = grid.join("copy");
            assertReadSurvives(home, copy, signal);
        }

        @ParameterizedTest
        @ValueSource(strings = {"KILL", "STOP"})
        void theReadGoesOnEvenWhenTheCatalogIsThere(String signal) throws Exception {
            TestGrid.Server home = grid.found("both");
            home.publish(source, "/data");
            assertReadSurvives(home, grid.join("copy"), signal);
        }

        private void assertReadSurvives(TestGrid.Server home, TestGrid.Server copy, String signal) throws Exception {
            Path other = Files.createDirectory(directory.resolve("copied"));
            Command.shell("cp -a " + source + "/. " + other).run().orFail();
            copy.publish(other, "/data", "--replica");
            TestGrid.Mount mount = grid.mount("m");
            mount.awaitVerifiedCopy("data/file");
            try (RandomAccessFile file =
                    new RandomAccessFile(mount.path("data/file").toFile(), "r")) {
                assertThat(readFrom(file, 0, 4 * MIB)).isTrue();
                // Nobody could tell of the other one when the catalog dies with the home.
                mount.awaitSources(2);
                home.signal(signal);
                assertThat(readFrom(file, 4 * MIB, FILE_BYTES)).isTrue();
            }
        }
    }

    /** Whether [from, to) of the open file has the right bytes. */
    private boolean readFrom(RandomAccessFile file, int from, int to) throws IOException {
        byte[] buffer = new byte[MIB];
        file.seek(from);
        for (int at = from; at < to; at += MIB) {
            file.readFully(buffer);
            if (java.util.Arrays.mismatch(buffer, 0, MIB, content, at, at + MIB) >= 0) {
                return false;
            }
        }
        return true;
    }

    @Nested
    class WithoutAnother {
        private TestGrid.Server server;
        private TestGrid.Mount mount;

        private void start(String... options) throws Exception {
            server = grid.found("only");
            server.publish(source, "/data");
            mount = grid.mount("m", options);
            Command.of("ls", mount.path("data/names").toString()).run().orFail();
            Command.of("dd", "if=" + mount.path("data/file"), "of=/dev/null", "bs=1M", "count=4", "status=none")
                    .run()
                    .orFail();
        }

        private Process reader() throws IOException {
            return new ProcessBuilder(
                            "dd", "if=" + mount.path("data/file"), "of=/dev/null", "bs=1M", "skip=30", "count=8")
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("reader.txt").toFile())
                    .start();
        }

        /** Names that are cached and the figures of the file system come at once, whatever the servers do. */
        private void assertNamesComeAtOnce() {
            assertThat(Command.of("ls", mount.path("data/names").toString())
                            .within(AT_ONCE)
                            .run()
                            .orFail()
                            .output()
                            .lines())
                    .hasSize(20);
            Command.of("df", mount.point.toString()).within(AT_ONCE).run().orFail();
            Command.of("stat", mount.path("data/names/n3").toString())
                    .within(AT_ONCE)
                    .run()
                    .orFail();
        }

        @ParameterizedTest
        @ValueSource(strings = {"KILL", "STOP"})
        void failEndsTheReadWithEioWithinTheTimeout(String signal) throws Exception {
            start("--on-unreachable", "fail", "--timeout", "6s");
            server.signal(signal);
            Process reader = reader();
            assertNamesComeAtOnce();
            assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(reader.exitValue()).isNotZero();
            assertThat(Files.readString(directory.resolve("reader.txt"))).contains("Input/output error");
            assertNamesComeAtOnce();
        }

        @Test
        void waitWaitsAndGoesOnWhenTheServerIsBack() throws Exception {
            start("--on-unreachable", "wait", "--timeout", "4s");
            server.signal("STOP");
            Process reader = reader();
            assertNamesComeAtOnce();
            assertThat(reader.waitFor(8, TimeUnit.SECONDS))
                    .as("the reader waits")
                    .isFalse();
            server.signal("CONT");
            assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(reader.exitValue()).isZero();
        }

        @Test
        void waitGoesOnWhenTheServerIsStartedAgain() throws Exception {
            start("--on-unreachable", "wait");
            server.signal("KILL");
            Process reader = reader();
            assertThat(reader.waitFor(3, TimeUnit.SECONDS))
                    .as("the reader waits")
                    .isFalse();
            server.start();
            assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(reader.exitValue()).isZero();
        }

        @Test
        void aWaitingReaderCanBeKilledAtOnce() throws Exception {
            start("--on-unreachable", "wait");
            server.signal("STOP");
            Process reader = reader();
            assertThat(reader.waitFor(3, TimeUnit.SECONDS)).isFalse();
            reader.destroyForcibly();
            assertThat(reader.waitFor(AT_ONCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }

        @Test
        void staleServesWhatIsCachedAndFailsTheRest() throws Exception {
            start("--on-unreachable", "stale", "--timeout", "6s");
            server.signal("KILL");
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> grid.spigot("status", mount.point.toString())
                            .output()
                            .contains("stale: "));
            byte[] head = new byte[4 * MIB];
            try (var in = Files.newInputStream(mount.path("data/file"))) {
                assertThat(in.readNBytes(head, 0, head.length)).isEqualTo(head.length);
            }
            assertThat(java.util.Arrays.mismatch(head, 0, head.length, content, 0, head.length))
                    .isNegative();
            Process reader = reader();
            assertThat(reader.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(reader.exitValue()).isNotZero();
            assertNamesComeAtOnce();
        }
    }
}
