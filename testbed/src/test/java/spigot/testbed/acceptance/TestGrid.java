package spigot.testbed.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;

/**
 * A grid of real processes in a directory of its own, used as a user would: through {@code ./spigot}. Closing it ends every
 * process and mount that it made.
 */
final class TestGrid implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern VERIFIED = Pattern.compile("\\bverified\\b", Pattern.CASE_INSENSITIVE);
    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration FIRST_START = Duration.ofMinutes(8);
    private static final AtomicBoolean PREPARED = new AtomicBoolean();

    private final Path directory;
    private final Path launcher;
    private final List<Server> servers = new ArrayList<>();
    private final List<Mount> mounts = new ArrayList<>();
    private final List<String> prefix;

    TestGrid(Path directory) {
        this(directory, List.of());
    }

    /** @param prefix what every process of the grid is started with, such as {@code nsenter --net=...} */
    TestGrid(Path directory, List<String> prefix) {
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "/dev/fuse is not writable for this user");
        this.directory = directory;
        this.prefix = prefix;
        this.launcher = launcher();
        prepare();
    }

    /** The first start after a build makes the caches that later ones begin with: no test's time limit is to count that. */
    private void prepare() {
        synchronized (PREPARED) {
            if (!PREPARED.get()) {
                Command.of(environment(), List.of(launcher.toString(), "--version"))
                        .within(FIRST_START)
                        .run()
                        .orFail();
                PREPARED.set(true);
            }
        }
    }

    private static Path launcher() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.isExecutable(at.resolve("spigot")) || Files.isDirectory(at.resolve("spigot"))) {
            at = at.getParent();
            if (at == null) {
                throw new AssertionError("the launcher ./spigot is in no directory above this one");
            }
        }
        return at.resolve("spigot");
    }

    Path directory() {
        return directory;
    }

    /** Runs {@code spigot WORDS...} to its end. */
    Command.Result spigot(String... words) {
        return command(words).within(START).run();
    }

    Command command(String... words) {
        List<String> all = new ArrayList<>(prefix);
        all.add(launcher.toString());
        all.addAll(List.of(words));
        return Command.of(environment(), all);
    }

    private Map<String, String> environment() {
        return Map.of("SPIGOT_HOME", directory.resolve("home").toString());
    }

    /** The first server, which makes the grid. */
    Server found(String name, String... options) throws Exception {
        Server server = new Server(name, "127.0.0.1:0", List.of(options));
        servers.add(server);
        server.start();
        return server;
    }

    /** A further replica server. */
    Server join(String name, String... options) throws Exception {
        return joinAt(name, "127.0.0.1:0", options);
    }

    Server joinAt(String name, String listen, String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of("--join", servers.getFirst().address(), "--token", token("server")));
        all.addAll(List.of(options));
        Server server = new Server(name, listen, all);
        servers.add(server);
        server.start();
        return server;
    }

    Server foundAt(String name, String listen, String... options) throws Exception {
        Server server = new Server(name, listen, List.of(options));
        servers.add(server);
        server.start();
        return server;
    }

    String token(String role) {
        return spigot(
                        "token",
                        "create",
                        "--role",
                        role,
                        "--data",
                        servers.getFirst().data.toString())
                .orFail()
                .output()
                .strip();
    }

    Mount mount(String name, String... options) throws IOException {
        Mount mount = new Mount(name, List.of(options));
        mounts.add(mount);
        mount.start();
        return mount;
    }

    @Override
    public void close() {
        for (Mount mount : mounts) {
            mount.end();
        }
        for (Server server : servers) {
            server.end();
        }
    }

    /** One {@code spigot server} process. */
    final class Server {
        final Path data;
        private final String name;
        private final List<String> options;
        private String listen;
        private Process process;

        private Server(String name, String listen, List<String> options) {
            this.name = name;
            this.listen = listen;
            this.options = options;
            this.data = directory.resolve("server-" + name);
        }

        String address() {
            return listen;
        }

        void start() throws Exception {
            Path out = directory.resolve(name + ".out");
            List<String> words = new ArrayList<>(prefix);
            words.addAll(List.of(
                    launcher.toString(),
                    "server",
                    "--data",
                    data.toString(),
                    "--name",
                    name,
                    "--listen",
                    listen,
                    "--http",
                    "127.0.0.1:0"));
            words.addAll(options);
            ProcessBuilder builder = new ProcessBuilder(words)
                    .redirectOutput(out.toFile())
                    .redirectError(directory.resolve(name + ".err").toFile());
            builder.environment().putAll(environment());
            process = builder.start();
            long deadline = System.nanoTime() + START.toNanos();
            while (System.nanoTime() < deadline) {
                for (String line : Files.readAllLines(out)) {
                    if (line.startsWith("ready ")) {
                        listen = line.substring("ready ".length()).strip();
                        return;
                    }
                }
                if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
                    break;
                }
            }
            throw new AssertionError("server " + name + " is not ready: " + Files.readString(out)
                    + Files.readString(directory.resolve(name + ".err")));
        }

        void publish(Path source, String path, String... more) {
            List<String> words =
                    new ArrayList<>(List.of("publish", source.toString(), path, "--data", data.toString()));
            words.addAll(List.of(more));
            command(words.toArray(String[]::new))
                    .within(Duration.ofSeconds(300))
                    .run()
                    .orFail();
        }

        /** Ends it as a power cut would, or stops ({@code STOP}) and continues ({@code CONT}) it. */
        void signal(String signal) throws InterruptedException {
            process.descendants().forEach(child -> send(signal, child.pid()));
            send(signal, process.pid());
            if (signal.equals("KILL")) {
                process.waitFor();
            }
        }

        private void end() {
            process.descendants().forEach(child -> {
                send("CONT", child.pid());
                child.destroyForcibly();
            });
            send("CONT", process.pid());
            // Waits, or it might make a file in the directory that is being deleted.
            process.destroyForcibly().onExit().join();
        }
    }

    private static void send(String signal, long pid) {
        Command.of("kill", "-" + signal, Long.toString(pid)).run();
    }

    /** One {@code spigot mount}. */
    final class Mount {
        final Path point;
        private final Path cache;
        private final List<String> options;

        private Mount(String name, List<String> options) {
            this.point = directory.resolve("mnt-" + name);
            this.cache = directory.resolve("cache-" + name);
            this.options = options;
        }

        void start() throws IOException {
            Files.createDirectories(point);
            List<String> words = new ArrayList<>(
                    List.of("mount", servers.getFirst().address(), point.toString(), "--cache", cache.toString()));
            if (!Files.exists(directory.resolve("joined"))) {
                words.addAll(List.of("--token", token("node")));
            }
            words.addAll(options);
            command(words.toArray(String[]::new)).within(START).run().orFail();
            Files.writeString(directory.resolve("joined"), "");
        }

        Path path(String below) {
            return point.resolve(below);
        }

        void unmount() {
            spigot("umount", point.toString()).orFail();
        }

        /** The daemon's process id, from {@code status}. */
        long pid() throws IOException {
            return JSON.readTree(spigot("status", point.toString(), "--json")
                            .orFail()
                            .output())
                    .findValue("pid")
                    .asLong();
        }

        /** Waits until the second copy of a file may be read: an UNVERIFIED one may not. */
        void awaitVerifiedCopy(String below) {
            await().atMost(START)
                    .until(() -> VERIFIED.matcher(
                                    spigot("replicas", path(below).toString()).output())
                            .find());
        }

        /** Waits until this node has heard of so many servers to read from, as it does soon after the first reads. */
        void awaitSources(int count) {
            await().atMost(START)
                    .until(() -> JSON.readTree(spigot("status", point.toString(), "--json")
                                            .orFail()
                                            .output())
                                    .findPath("sources")
                                    .size()
                            >= count);
        }

        JsonNode stats() throws IOException {
            return JSON.readTree(
                    spigot("stats", point.toString(), "--json").orFail().output());
        }

        long stat(String field) throws IOException {
            JsonNode value = stats().get(field);
            assertThat(value).as("stats --json has " + field).isNotNull();
            return value.asLong();
        }

        JsonNode info(String below) throws IOException {
            return JSON.readTree(
                    spigot("info", path(below).toString(), "--json").orFail().output());
        }

        private void end() {
            if (mounted()) {
                command("umount", point.toString())
                        .within(Duration.ofSeconds(40))
                        .run();
            }
            if (mounted()) {
                Command.of("umount", "-l", point.toString()).run();
            }
        }

        private boolean mounted() {
            return Command.of("grep", "-q", " " + point + " ", "/proc/self/mountinfo")
                            .run()
                            .exitCode()
                    == 0;
        }
    }
}
