package spigot.node.mount;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.home.SpigotHome;

/**
 * Starts the process of a mount and waits until it says that it serves, or why it can't. The process gets its configuration on
 * standard input and answers with one JSON line on standard output; see {@link MountMain}.
 */
public final class MountLauncher {
    /** System property: the directory of AOT caches, if there are any. */
    private static final String AOT_DIRECTORY = "spigot.aot";

    /** Environment: JVM options added last, such as {@code -Xlog:gc}. */
    private static final String EXTRA_OPTIONS = "SPIGOT_MOUNT_JAVA_OPTIONS";

    /** Environment: how much is logged. */
    private static final String LOG_LEVEL = "SPIGOT_LOG";

    private static final long MIB = 1L << 20;

    private final MountConfiguration configuration;
    private final SpigotHome home;
    private final Duration patience;

    /** @param patience for the answer; the process is ended when it has not come by then */
    public MountLauncher(MountConfiguration configuration, SpigotHome home, Duration patience) {
        this.configuration = configuration;
        this.home = home;
        this.patience = patience;
    }

    /** Where the daemon of this mount point logs. */
    public Path log() throws NodeException {
        return home.logs().resolve(SpigotHome.nameOf(configuration.mountPoint()) + ".log");
    }

    /** Returns when it is mounted; the daemon goes on by itself, in a session of its own. */
    public void inBackground() throws NodeException, IOException, InterruptedException {
        Path log = log();
        Path errors = log.resolveSibling(log.getFileName() + ".stderr");
        Process daemon = start(
                command(List.of("-Dspigot.log.file=" + log), "background"),
                ProcessBuilder.Redirect.to(errors.toFile()));
        // Ctrl-C before it is mounted: it has a session of its own, and would go on.
        Thread unwanted = Thread.ofPlatform().unstarted(() -> end(daemon));
        Runtime.getRuntime().addShutdownHook(unwanted);
        try (OutputStream in = daemon.getOutputStream()) {
            in.write(configurationLine());
        }
        awaitReady(daemon, errors);
        keep(unwanted);
    }

    private static void keep(Thread unwanted) throws NodeException {
        try {
            Runtime.getRuntime().removeShutdownHook(unwanted);
        } catch (IllegalStateException e) {
            throw new NodeException("it was interrupted, and is not mounted", e);
        }
    }

    /** Returns when the mount has ended. The process of the mount ends with this one. */
    public void inForeground(Runnable ready) throws NodeException, IOException, InterruptedException {
        Process child = start(command(List.of(), "foreground"), ProcessBuilder.Redirect.INHERIT);
        Thread ending = Thread.ofPlatform().unstarted(() -> end(child));
        Runtime.getRuntime().addShutdownHook(ending);
        // Standard input stays open: its end tells the child that this process is gone.
        OutputStream in = child.getOutputStream();
        in.write(configurationLine());
        in.flush();
        awaitReady(child, null);
        ready.run();
        int code = child.waitFor();
        if (code != 0) {
            throw new NodeException("the mount at " + configuration.mountPoint() + " ended with exit code " + code);
        }
    }

    private static void end(Process child) {
        child.destroy();
        try {
            child.waitFor(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private byte[] configurationLine() {
        return (Json.line(configuration.json()) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private Process start(List<String> command, ProcessBuilder.Redirect errors) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(new File("/")).redirectError(errors);
        builder.environment().put("SPIGOT_HOME", home.root().toString());
        builder.environment().putIfAbsent("MALLOC_ARENA_MAX", "1");
        builder.environment().putIfAbsent("LC_ALL", "C.UTF-8");
        return builder.start();
    }

    private List<String> command(List<String> properties, String mode) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xlog:disable",
                "-XX:+ExitOnOutOfMemoryError",
                "-Xss512k",
                "-Xms16m",
                "-Xmx" + Math.ceilDiv(configuration.heapBytes(), MIB) + "m",
                "-Xmn6m",
                "-XX:ReservedCodeCacheSize=32m",
                "-XX:MaxDirectMemorySize=64m",
                // What counts is the resident memory at its highest: the compiler may not take tens of MiB for one huge
                // method, and what it took is given back; the start-up cache is mapped where it can be shared.
                "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=memlimit,*.*,8M~stop",
                "-XX:TrimNativeHeapInterval=1000",
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:ArchiveRelocationMode=0"));
        String aot = System.getProperty(AOT_DIRECTORY);
        if (aot != null && Files.isReadable(Path.of(aot, "mount.aot"))) {
            command.add("-XX:AOTCache=" + Path.of(aot, "mount.aot"));
        }
        String extra = System.getenv().getOrDefault(EXTRA_OPTIONS, "");
        if (!extra.isBlank()) {
            command.addAll(List.of(extra.trim().split("\\s+")));
        }
        command.add("-Dspigot.log.level=" + System.getenv().getOrDefault(LOG_LEVEL, "INFO"));
        command.addAll(properties);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), MountMain.class.getName(), mode));
        return command;
    }

    private void awaitReady(Process process, @org.jspecify.annotations.Nullable Path errors)
            throws NodeException, IOException, InterruptedException {
        CompletableFuture<String> answer = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("mount-answer").start(() -> {
            try {
                String line = new BufferedReader(
                                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
                        .readLine();
                answer.complete(line == null ? "" : line);
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        });
        String line;
        try {
            line = answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            throw new NodeException("it was not mounted within " + patience.toSeconds() + " s; see " + log(), e);
        } catch (ExecutionException e) {
            throw new IOException("the mount's process can't be heard: " + NodeException.reason(e.getCause()), e);
        }
        if (line.isEmpty()) {
            process.waitFor(10, TimeUnit.SECONDS);
            throw new NodeException("the mount's process ended before it was ready" + lastLine(errors));
        }
        ObjectNode said = Json.parse(line);
        if (said.has("error")) {
            process.waitFor(10, TimeUnit.SECONDS);
            throw new NodeException(said.get("error").asText());
        }
    }

    private String lastLine(@org.jspecify.annotations.Nullable Path errors) throws IOException, NodeException {
        if (errors == null || Files.size(errors) == 0) {
            return "; see " + log();
        }
        return ": " + Files.readAllLines(errors).getLast() + "; see " + errors;
    }
}
