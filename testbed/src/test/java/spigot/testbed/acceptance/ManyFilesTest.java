package spigot.testbed.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Of 100,000 published files")
class ManyFilesTest {
    private static final int FILES = 100_000;
    private static final long MEMORY_MIB = 64;

    @TempDir
    Path directory;

    @Test
    void allAreFoundASecondListingSendsNoMessageAndMemoryStaysBounded() throws Exception {
        Path source = Files.createDirectory(directory.resolve("source"));
        Command.shell("cd " + source + "; for d in $(seq 1 10); do mkdir d$d; (cd d$d; seq 1 " + FILES / 10
                        + " | xargs touch); done")
                .run()
                .orFail();
        try (TestGrid grid = new TestGrid(directory)) {
            TestGrid.Server server = grid.found("a");
            server.publish(source, "/many");
            TestGrid.Mount mount = grid.mount("m", "--memory", MEMORY_MIB + "MiB");
            String many = mount.path("many").toString();

            assertThat(Command.shell("find " + many + " -type f | wc -l")
                            .run()
                            .orFail()
                            .output()
                            .strip())
                    .isEqualTo(Integer.toString(FILES));
            String list = "ls -lR " + many + " | wc -l";
            String first = Command.shell(list)
                    .within(Duration.ofSeconds(240))
                    .run()
                    .orFail()
                    .output();
            long messages = mount.stat("metadata_requests");
            long wire = mount.stat("wire_bytes_sent");
            long start = System.nanoTime();
            String second = Command.shell(list)
                    .within(Duration.ofSeconds(240))
                    .run()
                    .orFail()
                    .output();
            assertThat(second).isEqualTo(first);
            assertThat(mount.stat("metadata_requests") - messages).isZero();
            long sent = mount.stat("wire_bytes_sent") - wire;
            long seconds = Duration.ofNanos(System.nanoTime() - start).toSeconds();
            assertThat(sent).as("renewals of leases only, in %d s", seconds).isLessThan(20_000 + 500 * seconds);
            assertThat(mount.stat("data_bytes_received")).isZero();

            Files.write(source.resolve("d1/large"), new byte[0]);
            Command.shell("head -c 200000000 /dev/urandom > " + source + "/d1/large")
                    .run()
                    .orFail();
            server.publish(source, "/many");
            Command.of(
                            "cmp",
                            source.resolve("d1/large").toString(),
                            mount.path("many/d1/large").toString())
                    .run()
                    .orFail();
            long residentKib = Long.parseLong(Files.readAllLines(Path.of("/proc/" + mount.pid() + "/status")).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .findFirst()
                    .orElseThrow()
                    .replaceAll("\\D", ""));
            assertThat(residentKib)
                    .as("highest resident memory of the mount, KiB")
                    .isLessThan((MEMORY_MIB + 128) << 10);
        }
    }
}
