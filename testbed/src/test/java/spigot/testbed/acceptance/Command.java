package spigot.testbed.acceptance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs one program to its end, bounded in time; output goes through files, so that no pipe can fill. */
final class Command {
    /** How a program ended. */
    record Result(List<String> command, int exitCode, String output, String errors, long millis) {
        Result orFail() {
            if (exitCode != 0) {
                throw new AssertionError(this);
            }
            return this;
        }

        @Override
        public String toString() {
            return command + " ended with " + exitCode + " after " + millis + " ms\n" + output + errors;
        }
    }

    private final List<String> words;
    private Duration limit = Duration.ofSeconds(240);
    private final Map<String, String> environment;

    private Command(Map<String, String> environment, List<String> words) {
        this.environment = environment;
        this.words = words;
    }

    static Command of(String... words) {
        return new Command(Map.of(), List.of(words));
    }

    static Command shell(String script) {
        return of("bash", "-euo", "pipefail", "-c", script);
    }

    static Command of(Map<String, String> environment, List<String> words) {
        return new Command(environment, List.copyOf(words));
    }

    Command within(Duration duration) {
        limit = duration;
        return this;
    }

    /** Fails the test when the program does not end in time; it is killed then. */
    Result run() {
        try {
            Path out = Files.createTempFile("spigot-out", ".txt");
            Path err = Files.createTempFile("spigot-err", ".txt");
            try {
                long start = System.nanoTime();
                ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(words))
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .redirectInput(ProcessBuilder.Redirect.from(
                                Path.of("/dev/null").toFile()));
                builder.environment().putAll(environment);
                Process process = builder.start();
                boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
                if (!ended) {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                    throw new AssertionError(words + " did not end within " + limit + "\n" + read(out) + read(err));
                }
                return new Result(words, process.exitValue(), read(out), read(err), millis);
            } finally {
                Files.deleteIfExists(out);
                Files.deleteIfExists(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(Arrays.toString(words.toArray()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    static boolean exists(String program) {
        return Command.of("sh", "-c", "command -v " + program).run().exitCode() == 0;
    }

    private static String read(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
