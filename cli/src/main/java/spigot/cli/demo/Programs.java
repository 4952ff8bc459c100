package spigot.cli.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import spigot.node.NodeException;

/** Runs programs to their ends, bounded in time. */
final class Programs {
    private static final Duration LIMIT = Duration.ofSeconds(120);
    private static final int MAX_OUTPUT = 1 << 20;

    private final Path directory;
    private final Path home;

    /**
     * @param directory for their output
     * @param home SPIGOT_HOME of the demo
     */
    Programs(Path directory, Path home) {
        this.directory = directory;
        this.home = home;
    }

    /** How a program ended. */
    record Result(int exitCode, String output, String errors, long nanos) {}

    static boolean exists(String name) {
        return Arrays.stream(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(directory -> !directory.isEmpty() && Files.isExecutable(Path.of(directory, name)));
    }

    Result shell(String script) throws NodeException, IOException, InterruptedException {
        return run(List.of("sh", "-c", script));
    }

    /** @throws NodeException when the verb failed, with the line that it said */
    String spigot(String... words) throws NodeException, IOException, InterruptedException {
        Result result = run(spigotCommand(words));
        if (result.exitCode != 0) {
            throw new NodeException(
                    result.errors.isBlank() ? String.join(" ", words) + " failed" : lastLine(result.errors));
        }
        return result.output;
    }

    private static String lastLine(String text) {
        return text.strip().lines().reduce((_, last) -> last).orElse("");
    }

    /** This program again, through the launcher that started it. */
    List<String> spigotCommand(String... words) throws NodeException {
        String launcher = System.getProperty("spigot.launcher");
        if (launcher == null) {
            throw new NodeException("this was started without the launcher 'spigot': start it with that");
        }
        List<String> command = new ArrayList<>(List.of(launcher));
        command.addAll(List.of(words));
        return command;
    }

    ProcessBuilder builder(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().put("SPIGOT_HOME", home.toString());
        builder.environment().put("SPIGOT_NO_BUILD", "1");
        return builder;
    }

    private Result run(List<String> command) throws NodeException, IOException, InterruptedException {
        Path out = Files.createTempFile(directory, "program", ".out");
        Path err = Files.createTempFile(directory, "program", ".err");
        try {
            long start = System.nanoTime();
            Process process = builder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            boolean ended = process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS);
            long nanos = System.nanoTime() - start;
            if (!ended) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                throw new NodeException(String.join(" ", command) + " did not end within " + LIMIT.toSeconds() + " s");
            }
            return new Result(process.exitValue(), read(out), read(err), nanos);
        } finally {
            Files.deleteIfExists(out);
            Files.deleteIfExists(err);
        }
    }

    private static String read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(MAX_OUTPUT), StandardCharsets.UTF_8);
        }
    }
}
