package spigot.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Real processes of the program, with a {@code SPIGOT_HOME} of their own. Closing it ends every server and mount that it started. */
final class Processes implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    /** What ./spigot starts a mount with. */
    private static final String IN_BACKGROUND =
            Path.of("../.ci/in-background").toAbsolutePath().normalize().toString();

    private final Path directory;
    private final Path home;
    private final List<Process> servers = new ArrayList<>();
    private final List<Path> mounts = new ArrayList<>();
    private List<String> prefix = List.of();

    /**
     * @param directory for their output
     * @param home their SPIGOT_HOME
     */
    Processes(Path directory, Path home) {
        this.directory = directory;
        this.home = home;
    }

    record Ended(int code, String out, String err) {}

    /** What every program is started with from now on, such as {@code unshare -m sh -c ...}. */
    void prefix(String... words) {
        prefix = List.of(words);
    }

    /** What ./spigot does, with the classes of this JVM and without a build. */
    private Path launcher() throws IOException {
        Path script = directory.resolve("launcher-" + home.getFileName());
        if (!Files.exists(script)) {
            String java = String.join(
                    " ",
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Dspigot.launcher=" + script,
                    "-cp",
                    System.getProperty("java.class.path"));
            Files.writeString(script, """
                    #!/usr/bin/env bash
                    case " $* " in
                      *" --foreground "*) ;;
                      " mount "*) exec %s %s -Dspigot.background=true spigot.cli.Main "$@" ;;
                    esac
                    exec %s spigot.cli.Main "$@"
                    """.formatted(IN_BACKGROUND, java, java));
            Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return script;
    }

    private ProcessBuilder builder(String... words) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.add(launcher().toString());
        command.addAll(List.of(words));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().put("SPIGOT_HOME", home().toString());
        return builder;
    }

    Path home() {
        return home;
    }

    Ended spigot(String... words) throws Exception {
        Path out = Files.createTempFile(directory, "run", ".out");
        Path err = Files.createTempFile(directory, "run", ".err");
        Process process = builder(words)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError(String.join(" ", words) + " did not end: " + Files.readString(err));
        }
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** @return HOST:PORT */
    String server(Path data, String... more) throws Exception {
        List<String> words = new ArrayList<>(
                List.of("server", "--data", data.toString(), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"));
        words.addAll(List.of(more));
        Path out = Files.createTempFile(directory, "server", ".out");
        Path err = Files.createTempFile(directory, "server", ".err");
        Process server = builder(words.toArray(String[]::new))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        servers.add(server);
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (System.nanoTime() < deadline) {
            for (String line : Files.readAllLines(out)) {
                if (line.startsWith("ready ")) {
                    return line.substring("ready ".length());
                }
            }
            if (server.waitFor(20, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        throw new AssertionError("the server did not start: " + Files.readString(err));
    }

    /** Starts without waiting; ended with the servers. */
    Process start(Path out, String... words) throws IOException {
        Process process = builder(words)
                .redirectOutput(out.toFile())
                .redirectError(Path.of(out + ".err").toFile())
                .start();
        servers.add(process);
        return process;
    }

    Process lastServer() {
        return servers.getLast();
    }

    /** What is mounted there is unmounted in the end. */
    void willMount(Path point) {
        mounts.add(point);
    }

    @Override
    public void close() throws Exception {
        prefix = List.of();
        for (Path point : mounts) {
            if (isMounted(point)) {
                spigot("umount", "--lazy", point.toString());
            }
        }
        servers.forEach(Process::destroyForcibly);
        for (Process server : servers) {
            server.waitFor(); // or it might make a file in the directory that is being deleted
        }
    }

    static boolean isMounted(Path point) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .anyMatch(line -> line.contains(" " + point + " "));
    }
}
