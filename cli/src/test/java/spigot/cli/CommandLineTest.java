package spigot.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The command line")
class CommandLineTest {
    @TempDir
    Path directory;

    private record Said(int code, String out, String err) {}

    private static Said run(String... words) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.commandLine(words)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(words);
        return new Said(code, out.toString(), err.toString());
    }

    static List<String> verbs() {
        return List.copyOf(Main.commandLine().getSubcommands().keySet());
    }

    private static void assertOneLine(Said said, int code, String start, String... words) {
        assertThat(said.code()).as(said.err()).isEqualTo(code);
        assertThat(said.err().strip()).startsWith(start).contains(words).doesNotContain("\n", "Exception");
    }

    @Test
    void hasTheVerbsOfTheManual() {
        assertThat(verbs())
                .containsExactly(
                        "server",
                        "token",
                        "publish",
                        "mount",
                        "umount",
                        "status",
                        "stats",
                        "info",
                        "replicas",
                        "warmup",
                        "doctor",
                        "demo",
                        "completion");
        assertThat(run("--help").out()).contains(verbs()).contains("spigot mount HOST:7440");
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void explainsEachVerbWithExamplesInEightyColumns(String verb) {
        Said said = run(verb, "--help");
        assertThat(said.code()).isZero();
        assertThat(said.out()).contains("Usage: spigot " + verb, "Examples:", "  spigot " + verb);
        assertThat(said.out().lines()).allMatch(line -> line.length() <= 80);
        assertThat(said.out().lines().filter(line -> line.matches(" {6,}-{0,2}[a-zA-Z-]+$")))
                .as("options and parameters without a description")
                .isEmpty();
    }

    @Test
    void tellsItsVersion() {
        assertThat(run("--version").out()).startsWith("spigot ").contains("Java 2");
    }

    @Test
    void printsACompletionScriptThatBashUnderstands() throws Exception {
        Path script = directory.resolve("completion");
        Files.writeString(script, picocli.AutoComplete.bash("spigot", Main.commandLine()));
        Process bash = new ProcessBuilder("bash", "-n", script.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(bash.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(bash.waitFor()).as(said).isZero();
        assertThat(script).content().contains("--on-unreachable", "mount", "token create");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "fly                                       | spigot:              | fly",
                "mount                                     | spigot mount:        | HOST:PORT",
                "mount nowhere /mnt                        | spigot mount:        | nowhere",
                "mount h:1 /mnt --memory much              | spigot mount:        | much",
                "mount h:1 /tmp --memory 1MiB              | spigot mount:        | --memory",
                "mount h:1 /tmp --cache-size 1             | spigot mount:        | --cache-size",
                "mount h:1 /mnt --timeout soon             | spigot mount:        | soon",
                "mount h:1 /mnt --on-unreachable cry       | spigot mount:        | cry",
                "mount h:1 /tmp --token @/no/such/file     | spigot mount:        | /no/such/file",
                "server                                    | spigot server:       | --data",
                "server --data /d --publish x              | spigot server:       | SRC=/path",
                "server --data /d --token t                | spigot server:       | --join",
                "server --data /d --listen 7440            | spigot server:       | HOST:PORT",
                "server --data /d --site a/b               | spigot server:       | site",
                "token                                     | spigot token:        | create",
                "token create                              | spigot token create: | --role",
                "token create --role king                  | spigot token create: | king",
                "warmup                                    | spigot warmup:       | PATH",
                "warmup --check --evict /x                 | spigot warmup:       | --check",
                "stats /mnt --interval 0s                  | spigot stats:        | 0s",
            })
    void answersWrongUseWithOneLineAndExitCodeTwo(String words, String start, String word) {
        assertOneLine(run(words.strip().split(" +")), 2, start, word, "--help");
    }

    @Nested
    class WithNothingThere {
        @ParameterizedTest
        @ValueSource(strings = {"umount", "stats", "info", "replicas", "warmup", "status"})
        void saysThatNoGridIsMounted(String verb) {
            assertOneLine(
                    run(verb, directory.toString()), 1, "spigot " + verb + ": ", directory.toString(), "spigot status");
        }

        @Test
        void saysWhichServerIsNotRunning() {
            assertOneLine(
                    run("token", "create", "--role", "node", "--data", directory.toString()),
                    1,
                    "spigot token create: ",
                    "no server is running in " + directory,
                    "spigot server --data");
            assertOneLine(
                    run("publish", "/tmp", "/x", "--data", directory.toString()), 1, "spigot publish: ", "no server");
        }

        @Test
        void saysThatTheMountPointIsNone() throws Exception {
            assertOneLine(
                    run("mount", "h:1", directory.resolve("no") + ""), 1, "spigot mount: ", "no directory", "make it");
            Path file = Files.createFile(directory.resolve("file"));
            assertOneLine(run("mount", "h:1", file.toString()), 1, "spigot mount: ", "not a directory");
            assertOneLine(run("mount", "h:1", "/proc"), 1, "spigot mount: ", "/proc is in use", "proc");
        }
    }
}
