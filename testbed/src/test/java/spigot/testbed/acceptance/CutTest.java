package spigot.testbed.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The grid runs in a network namespace of its own; taking a server's address away drops what is under way without a reset,
 * as a cut cable does.
 */
@DisplayName("When the link to a server is cut in the middle of a read")
class CutTest {
    private static final int MIB = 1 << 20;
    private static final int FILE_BYTES = 32 * MIB;
    private static final String CATALOG = "198.18.7.1";
    private static final String HOME = "198.18.7.2";
    private static final String COPY = "198.18.7.3";

    @TempDir
    Path directory;

    private final String namespace = "spigot-cut-" + ProcessHandle.current().pid();
    private byte[] content;
    private Path source;
    private TestGrid grid;

    @BeforeEach
    void makeNamespace() throws Exception {
        assumeTrue(
                Command.of("ip", "netns", "add", namespace).run().exitCode() == 0,
                "network namespaces need root and iproute2");
        ip("link", "set", "lo", "up");
        for (String address : List.of(CATALOG, HOME, COPY)) {
            ip("addr", "add", address + "/32", "dev", "lo");
        }
        content = new byte[FILE_BYTES];
        new Random(9).nextBytes(content);
        source = Files.createDirectory(directory.resolve("source"));
        Files.write(source.resolve("file"), content);
        grid = new TestGrid(directory, List.of("nsenter", "--net=/run/netns/" + namespace));
    }

    @AfterEach
    void end() {
        if (grid != null) {
            grid.close();
            Command.of("ip", "netns", "del", namespace).run();
        }
    }

    private void ip(String... words) {
        List<String> all = new java.util.ArrayList<>(List.of("ip", "-n", namespace));
        all.addAll(List.of(words));
        Command.of(all.toArray(String[]::new)).run().orFail();
    }

    private void cut(String address) {
        ip("addr", "del", address + "/32", "dev", "lo");
    }

    private void heal(String address) {
        ip("addr", "add", address + "/32", "dev", "lo");
    }

    private boolean restIsRight(InputStream in, int from) throws Exception {
        byte[] rest = in.readNBytes(FILE_BYTES - from);
        return rest.length == FILE_BYTES - from && Arrays.mismatch(rest, 0, rest.length, content, from, FILE_BYTES) < 0;
    }

    @Test
    void theReadGoesOnFromTheOtherReplica() throws Exception {
        grid.foundAt("catalog", CATALOG + ":7440");
        grid.joinAt("home", HOME + ":7440").publish(source, "/data");
        Path other = Files.createDirectory(directory.resolve("copied"));
        Command.shell("cp -a " + source + "/. " + other).run().orFail();
        grid.joinAt("copy", COPY + ":7440").publish(other, "/data", "--replica");
        TestGrid.Mount mount = grid.mount("m");
        mount.awaitVerifiedCopy("data/file");
        try (InputStream in = Files.newInputStream(mount.path("data/file"))) {
            assertThat(in.readNBytes(2 * MIB)).hasSize(2 * MIB);
            cut(HOME);
            assertThat(restIsRight(in, 2 * MIB)).isTrue();
        }
    }

    @Test
    void failFailsNamesComeAtOnceAndAllIsWellAfterTheCut() throws Exception {
        grid.foundAt("only", CATALOG + ":7440").publish(source, "/data");
        TestGrid.Mount mount = grid.mount("m", "--on-unreachable", "fail", "--timeout", "6s");
        Command.of("ls", mount.path("data").toString()).run().orFail();
        Command.of("head", "-c", "1000000", mount.path("data/file").toString())
                .run()
                .orFail();
        cut(CATALOG);
        Process reader = new ProcessBuilder("dd", "if=" + mount.path("data/file"), "of=/dev/null", "bs=1M", "skip=20")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("reader.txt").toFile())
                .start();
        Command.of("ls", mount.path("data").toString())
                .within(Duration.ofSeconds(20))
                .run()
                .orFail();
        Command.of("df", mount.point.toString())
                .within(Duration.ofSeconds(20))
                .run()
                .orFail();
        assertThat(reader.waitFor(80, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(directory.resolve("reader.txt"))).contains("Input/output error");
        heal(CATALOG);
        await().atMost(Duration.ofSeconds(60))
                .until(() -> Command.of(
                                        "cmp",
                                        source.resolve("file").toString(),
                                        mount.path("data/file").toString())
                                .run()
                                .exitCode()
                        == 0);
    }
}
