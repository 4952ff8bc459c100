package spigot.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs ordinary programs, as a user would: outside of this JVM, which must not fault on its own mount. */
final class Programs {
    private static final int TIMEOUT_SECONDS = 120;

    private Programs() {}

    /** What a program wrote, standard error included, and how it ended. */
    record Result(int status, String text) {}

    static Result bash(String script, Object... arguments) throws IOException, InterruptedException {
        return run("bash", script, arguments);
    }

    static Result python(String script, Object... arguments) throws IOException, InterruptedException {
        return run("python3", script, arguments);
    }

    /** The output of a script that must succeed. */
    static String text(Result result) {
        if (result.status() != 0) {
            throw new AssertionError("the program ended with " + result.status() + ":\n" + result.text());
        }
        return result.text();
    }

    private static Result run(String program, String script, Object... arguments)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("spigot-program", ".out");
        try {
            Process process = start(program, script, output, arguments);
            try {
                if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                    throw new AssertionError("the program did not end within " + TIMEOUT_SECONDS + " s:\n" + script);
                }
            } finally {
                process.destroyForcibly();
            }
            return new Result(process.exitValue(), new String(Files.readAllBytes(output), StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }

    static Process start(String program, String script, Path output, Object... arguments) throws IOException {
        List<String> command = new java.util.ArrayList<>(List.of(program, "-c", script));
        if (program.equals("bash")) {
            command.add("script");
        }
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
    }
}
