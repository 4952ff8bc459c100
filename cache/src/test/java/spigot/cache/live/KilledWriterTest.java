package spigot.cache.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that writes is killed in the middle: what it had been told to be written is in its journal. */
@DisplayName("What a killed process has written")
class KilledWriterTest {
    private static final long SEED = Long.getLong("spigot.test.seed", System.nanoTime());
    private static final int BLOCKS = 50;
    private static final int BLOCK = 4096;

    @TempDir
    Path directory;

    @Test
    @DisplayName("is found by the next one, each byte of it")
    void isFound() throws Exception {
        Random random = new Random(SEED);
        Map<Integer, Long> written = new HashMap<>();
        Process child = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledWriterTest.class.getName(),
                        directory.toString(),
                        String.valueOf(random.nextLong()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.US_ASCII))) {
            for (int lines = 100 + random.nextInt(400); lines > 0; ) {
                String line = out.readLine();
                assertThat(line).as("seed %d: the child writes", SEED).isNotNull();
                if (!line.startsWith("wrote ")) {
                    continue;
                }
                lines--;
                String[] parts = line.substring("wrote ".length()).split(" ");
                written.put(Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
            }
        } finally {
            child.destroyForcibly();
            child.waitFor();
        }
        // A home in the state in which the child's was: nobody else has written since.
        Path elsewhere = Files.createDirectories(directory.resolve("elsewhere"));
        try (LiveGrid grid = new LiveGrid(elsewhere)) {
            LiveGrid.Node node = grid.node(1, directory.resolve("journal"));
            assertThat(node.files.left()).containsExactly(LiveGrid.FILE);
            LiveFile file = node.file();
            file.settle(LiveGrid.LONG);
            node.sync(file);
            ByteBuffer found = ByteBuffer.wrap(grid.committed());
            written.forEach((block, value) -> {
                long first = found.getLong(block * BLOCK);
                assertThat(first).as("seed %d: block %d", SEED, block).isGreaterThanOrEqualTo(value);
                for (int at = 0; at < BLOCK; at += Long.BYTES) {
                    // Of a write that was not told to be done, some may be there.
                    assertThat(found.getLong(block * BLOCK + at))
                            .as("seed %d: block %d at %d", SEED, block, at)
                            .isIn(first, value);
                }
            });
        }
    }

    /** The child: writes blocks until it is killed, a line for each. */
    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        Random random = new Random(Long.parseLong(arguments[1]));
        LiveGrid grid = new LiveGrid(directory);
        LiveLimits limits = new LiveLimits(10_000, 10_000, 10, Duration.ofHours(1));
        LiveGrid.Node node = grid.node(1, directory.resolve("journal"), limits);
        LiveFile file = node.file();
        for (long value = 1; ; value++) {
            int block = random.nextInt(BLOCKS);
            ByteBuffer bytes = ByteBuffer.allocate(BLOCK);
            while (bytes.hasRemaining()) {
                bytes.putLong(value);
            }
            node.write(file, (long) block * BLOCK, bytes.array());
            System.out.println("wrote " + block + " " + value);
        }
    }
}
