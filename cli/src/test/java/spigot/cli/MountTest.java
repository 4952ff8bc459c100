package spigot.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.node.Json;
import spigot.node.home.ProcessStamp;

@DisplayName("spigot mount, with real processes,")
class MountTest {
    @TempDir
    static Path directory;

    private static Processes processes;
    private static Path data;
    private static String address;

    @BeforeAll
    static void startServer() throws Exception {
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "/dev/fuse is not writable for this user");
        Path source = Files.createDirectories(directory.resolve("source"));
        Files.writeString(source.resolve("file"), "hello\n".repeat(10_000));
        data = directory.resolve("data");
        processes = new Processes(directory, Path.of(System.getenv("SPIGOT_HOME")));
        address = processes.server(data, "--publish", source + "=/data:ro");
    }

    @AfterAll
    static void end() throws Exception {
        if (processes != null) {
            processes.close();
        }
    }

    private static String token(String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of("token", "create", "--role", "node", "--data", data.toString()));
        words.addAll(List.of(more));
        Processes.Ended ended = here(words.toArray(String[]::new));
        assertThat(ended.code()).as(ended.err()).isZero();
        return ended.out().strip();
    }

    private static Path point(String name) throws IOException {
        return Files.createDirectories(directory.resolve(name));
    }

    /** A verb in this process. */
    private static Processes.Ended here(String... words) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.commandLine(words)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(words);
        return new Processes.Ended(code, out.toString(), err.toString());
    }

    private static Processes.Ended mount(String server, Path point, String... more) throws Exception {
        processes.willMount(point);
        List<String> words = new ArrayList<>(List.of("mount", server, point.toString()));
        words.addAll(List.of(more));
        return processes.spigot(words.toArray(String[]::new));
    }

    private static void assertOk(Processes.Ended ended) {
        assertThat(ended.code()).as(ended.err()).isZero();
    }

    private static void assertRefused(Processes.Ended ended, Path point, String... words) throws IOException {
        assertThat(ended.code()).as(ended.err()).isEqualTo(1);
        assertThat(ended.err().strip())
                .contains(words)
                .startsWith("spigot mount: ")
                .doesNotContain("\n", "Exception");
        assertThat(Processes.isMounted(point)).isFalse();
        assertNothingRuns(point);
    }

    /** No process of the mount is left, and no record of it. */
    private static void assertNothingRuns(Path point) throws IOException {
        Path run = processes.home().resolve("run");
        if (Files.isDirectory(run)) {
            try (var records = Files.newDirectoryStream(run, "*.json")) {
                for (Path record : records) {
                    assertThat(record).content().doesNotContain("\"" + point + "\"");
                }
            }
        }
        assertThat(daemonsOf(point)).isEmpty();
    }

    @Test
    void letsProgramsReadAndEndsWithNothingLeft() throws Exception {
        Path point = point("whole");
        // A pipe can be read only once, though the JVM starts twice for another heap.
        Path pipe = directory.resolve("token-pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Process writer = new ProcessBuilder("sh", "-c", "echo \"$1\" > \"$2\"", "sh", token(), pipe.toString()).start();
        assertOk(mount(address, point, "--token", "@" + pipe, "--memory", "64MiB"));
        assertThat(writer.waitFor()).isZero();
        assertThat(point.resolve("data/file")).hasContent("hello\n".repeat(10_000));

        JsonNode status = Json.parse(here("status", point.toString(), "--json").out());
        assertThat(status.path("daemon").asText()).isEqualTo("running");
        long pid = status.path("pid").asLong();
        assertThat(ProcessStamp.of(pid)).isPresent();
        Path daemon = Path.of("/proc/" + pid);
        assertThat(Files.readString(daemon.resolve("cmdline"))).contains("\0-Xmx36m\0"); // as --memory needs
        assertThat(Files.readSymbolicLink(daemon.resolve("cwd"))).isEqualTo(Path.of("/"));
        assertThat(Files.readSymbolicLink(daemon.resolve("fd/0"))).isEqualTo(Path.of("/dev/null"));
        assertThat(Files.readSymbolicLink(daemon.resolve("fd/1"))).isEqualTo(Path.of("/dev/null"));
        assertThat(Files.readSymbolicLink(daemon.resolve("fd/2")).toString()).endsWith(".log.stderr");

        JsonNode stats = Json.parse(here("stats", point.toString(), "--json").out());
        for (String field : List.of(
                "data_bytes_received",
                "data_bytes_sent",
                "wire_bytes_received",
                "wire_bytes_sent",
                "fragment_fetches",
                "cache_hits",
                "cache_misses",
                "demand_wait_millis",
                "metadata_requests",
                "rss_bytes")) {
            assertThat(stats.path(field).isIntegralNumber()).as(field).isTrue();
        }
        assertThat(stats.path("data_bytes_received").asLong()).isEqualTo(60_000);

        String file = point.resolve("data/file").toString();
        JsonNode info = Json.parse(here("info", file, "--json").out());
        assertThat(info.path("size").asLong()).isEqualTo(60_000);
        assertThat(info.path("id").asText()).matches("[0-9a-f]{32}");
        assertThat(info.path("fragment_size").asLong()).isPositive();
        assertThat(info.path("cached_ranges").get(0).path("length").asLong()).isEqualTo(60_000);
        assertThat(info.path("replicas").get(0).path("state").asText()).isEqualTo("HOME");
        assertThat(here("replicas", file).out()).contains("HOME", "default");
        assertThat(here("warmup", "--check", point.toString()).out()).contains("(100 %)");
        assertThat(here("warmup", "--evict", file).out()).contains("(0 %)");
        assertThat(here("warmup", "--pin", file).out()).contains(": 1 file, ", "(100 %)", "1 pinned");

        try (var _ = Files.newInputStream(point.resolve("data/file"))) {
            Processes.Ended busy = here("umount", point.toString());
            assertThat(busy.code()).isEqualTo(1);
            assertThat(busy.err()).contains("is in use", "--lazy");
        }
        Processes.Ended doctor = here("doctor");
        assertOk(doctor);
        assertThat(doctor.out()).contains(" answers at " + address);
        assertOk(here("umount", point.toString()));
        assertThat(Processes.isMounted(point)).isFalse();
        assertThat(ProcessStamp.of(pid)).isEmpty(); // which a zombie is not, that its parent collects a moment later
        assertNothingRuns(point);
        assertThat(here("umount", point.toString()).err()).contains("no grid is mounted");
    }

    @Test
    void goesOnWithTheIdentityOfTheFirstAndIsCleanedUpAfterACrash() throws Exception {
        Path point = point("crashed");
        assertOk(mount(address, point, "--token", token()));
        Processes.Ended again = mount(address, point);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("is in use", "spigot umount");
        Path other = point("other");
        assertOk(mount(address, other));
        assertThat(other.resolve("data/file")).exists();

        long pid = Json.parse(here("status", point.toString(), "--json").out())
                .path("pid")
                .asLong();
        ProcessHandle daemon = ProcessHandle.of(pid).orElseThrow();
        daemon.destroyForcibly();
        daemon.onExit().get();
        Processes.Ended status = here("status", point.toString());
        assertThat(status.code()).isEqualTo(1);
        assertThat(status.out()).contains("dead", "spigot umount " + point);
        Processes.Ended doctor = here("doctor");
        assertThat(doctor.code()).isEqualTo(1);
        assertThat(doctor.out()).contains(point + ": its daemon").contains("ok      " + other);
        assertThat(here("stats", point.toString()).err()).contains("has died");
        assertOk(here("umount", point.toString()));
        assertThat(Processes.isMounted(point)).isFalse();
        assertNothingRuns(point);
        assertOk(mount(address, point));
        assertOk(here("umount", point.toString()));
        assertOk(here("umount", other.toString()));
    }

    @Test
    void refusesBadTokensWithOneLineEach() throws Exception {
        Path point = point("tokens");
        try (Processes stranger = new Processes(directory, directory.resolve("stranger"))) {
            Processes.Ended none = stranger.spigot("mount", address, point.toString());
            assertRefused(none, point, "spigot token create --role node", "--token");
        }
        String used = token();
        assertOk(mount(address, point, "--token", used));
        assertOk(here("umount", point.toString()));
        assertRefused(mount(address, point, "--token", used), point, "used already");
        assertRefused(mount(address, point, "--token", "spigot1.rubbish"), point, "token");
        String expired = token("--ttl", "1ms");
        assertRefused(mount(address, point, "--token", expired), point, "expired");
    }

    @Test
    void refusesAForeignGridAndAServerThatIsNotThere() throws Exception {
        Path point = point("foreign");
        try (Processes others = new Processes(directory, directory.resolve("others"))) {
            Path foreignData = directory.resolve("foreign-data");
            String foreign = others.server(foreignData);
            assertRefused(mount(foreign, point, "--token", token()), point, foreign);
            if (Files.isDirectory(processes.home().resolve("grids"))) {
                Processes.Ended unknown = mount(foreign, point);
                assertRefused(unknown, point, foreign);
            }
            // SIGTERM is the usual end of a server.
            others.lastServer().destroy();
            assertThat(others.lastServer().waitFor()).isZero();
            assertThat(foreignData.resolve("control.sock")).doesNotExist();
            assertRefused(mount(foreign, point, "--token", token()), point, foreign);
            // At once, not when patience ends.
            assertThat(here("status", foreign).err()).contains(foreign).doesNotContain("within");
        }
    }

    @Test
    void staysOnlyInTheForegroundWithoutItsLauncher() throws Exception {
        Path point = point("alone");
        assertRefused(here("mount", address, point.toString()), point, "--foreground");
    }

    @Test
    void refusesAMountPointThatIsNotEmpty() throws Exception {
        Path point = point("full");
        Files.createFile(point.resolve("something"));
        assertRefused(mount(address, point), point, "not empty", point.toString());
    }

    @Test
    void isNotMountedWhenItIsInterrupted() throws Exception {
        Path point = point("interrupted");
        String joining = token();
        processes.willMount(point);
        Process mount = processes.start(
                directory.resolve("interrupted.out"), "mount", address, point.toString(), "--token", joining);
        await().atMost(Duration.ofSeconds(60)).until(() -> !daemonsOf(point).isEmpty());
        mount.destroy();
        mount.waitFor();
        await().atMost(Duration.ofSeconds(60)).until(() -> daemonsOf(point).isEmpty());
        assertThat(Processes.isMounted(point)).isFalse();
        assertNothingRuns(point);
    }

    @Test
    void answersQuestionsSoonWhenTheServerHasStopped() throws Exception {
        Path source = Files.createDirectories(directory.resolve("silent-source"));
        Files.createFile(source.resolve("file"));
        try (Processes others = new Processes(directory, directory.resolve("silent"))) {
            Path silentData = directory.resolve("silent-data");
            String silent = others.server(silentData, "--publish", source + "=/data");
            Path point = point("silent-point");
            Processes.Ended made = others.spigot("token", "create", "--role", "node", "--data", silentData.toString());
            others.willMount(point);
            assertOk(others.spigot(
                    "mount", silent, point.toString(), "--token", made.out().strip()));
            String file = point.resolve("data/file").toString();
            Process server = others.lastServer();
            signal("STOP", server);
            try {
                Path status = directory.resolve("silent-status");
                Process asking = others.start(status, "status", "--data", silentData.toString());
                Processes.Ended info = others.spigot("info", file);
                assertThat(info.code()).isEqualTo(1);
                assertThat(info.err()).contains("the catalog has not answered for 10 s", "spigot status " + point);
                assertThat(asking.waitFor()).isEqualTo(1);
                assertThat(Path.of(status + ".err")).content().contains("does not answer", "10000 ms");
                Processes.Ended doctor = others.spigot("doctor");
                assertThat(doctor.out()).contains("can't be reached", silent, "no TLS handshake within 2000 ms");
            } finally {
                signal("CONT", server);
            }
        }
    }

    private static void signal(String name, Process process) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Its processes in /proc; one that has ended and waits for its parent has no command line any more. */
    private static List<Path> daemonsOf(Path point) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : all) {
                try {
                    List<String> words =
                            List.of(Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                                    .split("\0"));
                    if (words.contains("spigot.cli.Main") && words.contains(point.toString())) {
                        found.add(process);
                    }
                } catch (IOException e) {
                    assertThat(process).doesNotExist(); // it has just ended
                }
            }
        }
        return found;
    }

    @Test
    void refusesACacheDirectoryThatCanNotBeUsed() throws Exception {
        Path point = point("cache");
        Path file = Files.createFile(directory.resolve("a-file"));
        assertRefused(
                mount(address, point, "--token", token(), "--cache", file.toString()),
                point,
                "cache directory",
                file.toString());
        Path small = point("small");
        boolean made = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=64k", "none", small.toString())
                        .start()
                        .waitFor()
                == 0;
        assumeTrue(made, "a small file system can't be mounted by this user");
        try {
            Files.write(small.resolve("filler"), new byte[50_000]);
            assertRefused(
                    mount(address, point, "--token", token(), "--cache", small.toString()),
                    point,
                    small.toString(),
                    "space");
        } finally {
            new ProcessBuilder("umount", "-l", small.toString()).start().waitFor();
        }
    }

    /** Words that run a program with a /dev of its own, where a script has made something. */
    private static String[] withDevices(String script) {
        return new String[] {
            "unshare",
            "-m",
            "sh",
            "-c",
            "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/random c 1 8"
                    + " && mknod -m 666 /dev/urandom c 1 9 && " + script + " && exec \"$@\"",
            "sh"
        };
    }

    @Test
    void saysWhatIsMissingWithoutDevFuse() throws Exception {
        Path point = point("devices");
        boolean can = new ProcessBuilder("unshare", "-m", "true").start().waitFor() == 0;
        assumeTrue(can, "a mount namespace can't be made by this user");
        String joining = token();
        try {
            processes.prefix(withDevices("true"));
            assertRefused(
                    processes.spigot("mount", address, point.toString(), "--token", joining), point, "no /dev/fuse");
            Processes.Ended doctor = processes.spigot("doctor");
            assertThat(doctor.code()).isEqualTo(1);
            assertThat(doctor.out()).contains("failed  there is no /dev/fuse");
            processes.prefix(withDevices("touch /dev/fuse"));
            assertThat(processes.spigot("doctor").out()).contains("failed  /dev/fuse is no device");
            processes.prefix(withDevices("mknod /dev/fuse c 10 250")); // which no driver has
            assertThat(processes.spigot("doctor").out()).contains("failed  /dev/fuse can't be opened by this user");
            processes.prefix(withDevices("mknod /dev/fuse c 10 229"));
            assertThat(processes.spigot("doctor").out()).contains("ok      /dev/fuse can be opened");
        } finally {
            processes.prefix();
        }
    }

    @Test
    void saysNothingMoreInADemoThatIsInterrupted() throws Exception {
        Path out = directory.resolve("demo.out");
        try (Processes demos = new Processes(directory, directory.resolve("demo-home"))) {
            // Interruptible also where this test runs in the background of a shell, whose children ignore the signal.
            demos.prefix("env", "--default-signal=INT", "setsid");
            Process demo = demos.start(out, "demo");
            await().atMost(Duration.ofSeconds(120))
                    .until(() -> Files.readString(out).contains("starting a grid") || !demo.isAlive());
            assertThat(demo.isAlive())
                    .as(Files.readString(Path.of(out + ".err")))
                    .isTrue();
            // As a terminal does: to the demo and all that it has started.
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> demo.descendants().findAny().isPresent());
            assertThat(new ProcessBuilder("kill", "-INT", "--", "-" + demo.pid())
                            .start()
                            .waitFor())
                    .isZero();
            assertThat(demo.waitFor(60, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
        }
        assertThat(Path.of(out + ".err")).content().isEmpty();
        assertThat(Files.readAllLines(out)).hasSize(2).allMatch(line -> !line.contains("failed"));
        String made = Files.readAllLines(out).getFirst();
        assertThat(Path.of(made.substring(made.indexOf('/')))).doesNotExist();
    }

    @Test
    void listsWhatAPublicationLeavesOut() throws Exception {
        String[] asOthers = {"setpriv", "--bounding-set", "-dac_override,-dac_read_search"};
        List<String> probe = new ArrayList<>(List.of(asOthers));
        probe.add("true");
        assumeTrue(new ProcessBuilder(probe).start().waitFor() == 0, "capabilities can't be given up by this user");
        Path source = Files.createDirectories(directory.resolve("secrets"));
        Files.writeString(source.resolve("open"), "content");
        Path secret = Files.writeString(source.resolve("secret"), "content");
        Files.setPosixFilePermissions(secret, Set.of());
        try (Processes others = new Processes(directory, directory.resolve("careful"))) {
            Path carefulData = directory.resolve("careful-data");
            others.prefix(asOthers);
            others.server(carefulData);
            String[] server = {"--data", carefulData.toString()};
            Processes.Ended published = here("publish", source.toString(), "/secrets", server[0], server[1]);
            assertOk(published);
            assertThat(published.out()).startsWith("/secrets: 1 entry, ").contains(", 1 skipped, ");
            assertThat(published.err())
                    .startsWith("skipped " + secret + ": permission denied")
                    .hasLineCount(1);
            Processes.Ended status = here("status", server[0], server[1]);
            assertOk(status);
            assertThat(status.out()).contains("skipped entries").containsPattern(secret + " +permission denied");
            assertOk(here("publish", source.toString(), "/secrets", "--remove", server[0], server[1]));
            assertThat(here("status", server[0], server[1]).out()).doesNotContain("permission denied");
        }
    }

    @Test
    void staysInTheForegroundAndUnmountsWhenItIsEnded() throws Exception {
        Path point = point("foreground");
        String joining = token();
        Path out = directory.resolve("foreground.out");
        Process mount = processes.start(out, "mount", address, point.toString(), "--token", joining, "--foreground");
        org.awaitility.Awaitility.await()
                .atMost(java.time.Duration.ofSeconds(60))
                .until(() -> Files.readString(out).contains("mounted " + point));
        assertThat(point.resolve("data/file")).exists();
        mount.destroy();
        mount.waitFor();
        assertThat(Processes.isMounted(point)).isFalse();
        assertThatThrownBy(() -> Files.readString(point.resolve("data/file"))).isInstanceOf(IOException.class);
    }
}
