package spigot.testbed.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("What a local program changes in a published tree")
class BehindTheBackTest {
    /** The promise is a second; the machine may be busy. */
    private static final Duration SOON = Duration.ofSeconds(5);

    private static final int GENERATION_BYTES = 2 << 20;

    @TempDir
    static Path directory;

    private static Path source;
    private static TestGrid grid;
    private static TestGrid.Mount mount;

    @BeforeAll
    static void start() throws Exception {
        source = Files.createDirectory(directory.resolve("source"));
        Files.writeString(source.resolve("rewritten"), "one");
        Files.writeString(source.resolve("renamed"), "one");
        Files.writeString(source.resolve("removed"), "one");
        generation(0, "generations");
        Files.createDirectory(source.resolve("sub"));
        grid = new TestGrid(directory);
        grid.found("a", "--publish", source + "=/data");
        mount = grid.mount("m");
    }

    @AfterAll
    static void end() {
        if (grid != null) {
            grid.close();
        }
    }

    private static String read(String name) {
        Command.Result result =
                Command.of("cat", mount.path("data/" + name).toString()).run();
        return result.exitCode() == 0 ? result.output() : "absent";
    }

    @Test
    void inPlaceIsSeen() throws IOException {
        assertThat(read("rewritten")).isEqualTo("one");
        Files.writeString(source.resolve("rewritten"), "two");
        await().atMost(SOON).until(() -> read("rewritten").equals("two"));
        Files.writeString(source.resolve("rewritten"), "and much longer now");
        await().atMost(SOON).until(() -> read("rewritten").equals("and much longer now"));
        assertThat(Command.of("stat", "-c", "%s", mount.path("data/rewritten").toString())
                        .run()
                        .output()
                        .strip())
                .isEqualTo("19");
    }

    @Test
    void byRenameIsSeen() throws IOException {
        assertThat(read("renamed")).isEqualTo("one");
        Files.writeString(source.resolve("renamed.new"), "two");
        Files.move(source.resolve("renamed.new"), source.resolve("renamed"), StandardCopyOption.ATOMIC_MOVE);
        await().atMost(SOON).until(() -> read("renamed").equals("two"));
    }

    @Test
    void byAddingAndRemovingNamesIsSeen() throws IOException {
        assertThat(read("sub/new")).isEqualTo("absent");
        assertThat(read("removed")).isEqualTo("one");
        Files.writeString(source.resolve("sub/new"), "here");
        Files.delete(source.resolve("removed"));
        await().atMost(SOON).until(() -> read("sub/new").equals("here"));
        await().atMost(SOON).until(() -> read("removed").equals("absent"));
    }

    @Test
    void neverMixesTwoGenerationsInOneOpenWhenReplacedByRename() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().start(() -> {
            for (int i = 1; !stop.get(); i++) {
                generation(i, "generations.new");
                try {
                    Files.move(
                            source.resolve("generations.new"),
                            source.resolve("generations"),
                            StandardCopyOption.ATOMIC_MOVE);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }
        });
        try {
            Set<String> seen = new HashSet<>();
            for (int i = 0; i < 60; i++) {
                byte[] content = Files.readAllBytes(mount.path("data/generations"));
                assertThat(content).hasSize(GENERATION_BYTES);
                String text = new String(content, StandardCharsets.US_ASCII);
                String mark = text.substring(0, 8);
                assertThat(text).isEqualTo(mark.repeat(GENERATION_BYTES / 8));
                seen.add(mark);
            }
            assertThat(seen).as("generations seen").hasSizeGreaterThan(1);
        } finally {
            stop.set(true);
            writer.join();
        }
    }

    private static void generation(int number, String name) {
        try {
            Files.writeString(source.resolve(name), "%08d".formatted(number).repeat(GENERATION_BYTES / 8));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
