package spigot.fuse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Compiles C programs of the tests with gcc. */
final class HelperProgram {
    private HelperProgram() {}

    /** {@code src/test/c/helper.c}, compiled once a run. */
    static Path build() {
        return compile(Path.of("src/test/c/helper.c"), "fuse-helper");
    }

    static Path compile(Path source, String name) {
        try {
            Path program =
                    Files.createDirectories(Path.of("target").toAbsolutePath()).resolve(name);
            Process compiler = new ProcessBuilder(
                            "gcc",
                            "-O1",
                            "-Wall",
                            "-o",
                            program.toString(),
                            source.toAbsolutePath().toString())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (compiler.waitFor() != 0) {
                throw new IllegalStateException("gcc cannot compile " + source + ": " + said);
            }
            return program;
        } catch (IOException e) {
            throw new UncheckedIOException("the tests need gcc", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
