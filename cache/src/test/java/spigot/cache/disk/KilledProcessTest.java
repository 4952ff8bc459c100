package spigot.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;
import spigot.model.FileVersion;
import spigot.model.Version;

/** A process that writes to its cache is killed in the middle; the next one serves what is right and nothing else. */
class KilledProcessTest {
    private static final long SEED = Long.getLong("spigot.test.seed", System.nanoTime());
    private static final long SIZE = 32L << 20;
    private static final int BLOCK = 4096;
    private static final int RUN = 64;

    @TempDir
    private Path directory;

    @Test
    void whatAKilledProcessLeavesIsRightOrFetchedAgain() throws Exception {
        Random random = new Random(SEED);
        for (int round = 0; round < 3; round++) {
            Process child = new ProcessBuilder(
                            ProcessHandle.current().info().command().orElse("java"),
                            "--enable-native-access=ALL-UNNAMED",
                            "-Xmx64m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            KilledProcessTest.class.getName(),
                            directory.toString(),
                            String.valueOf(random.nextLong()))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try (BufferedReader out =
                    new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.US_ASCII))) {
                for (int lines = 10 + random.nextInt(40); lines > 0; lines--) {
                    assertThat(out.readLine())
                            .as("seed %d: the child writes", SEED)
                            .isNotNull();
                }
            } finally {
                child.destroyForcibly();
                child.waitFor();
            }
            checkAll();
        }
    }

    private void checkAll() throws Exception {
        int good = 0;
        try (DiskCache disk = DiskCache.open(directory, 256L << 20);
                Arena arena = Arena.ofConfined()) {
            MemorySegment to = arena.allocate((long) RUN * BLOCK);
            for (int file = 0; file < 4; file++) {
                for (long first = 0; first < SIZE / BLOCK; first += RUN) {
                    BitSet blocks = disk.read(content(file), SIZE, first, RUN, to);
                    for (int b = blocks.nextSetBit(0); b >= 0; b = blocks.nextSetBit(b + 1)) {
                        MemorySegment expected = arena.allocate(BLOCK);
                        fill(expected, file, first + b);
                        assertThat(to.asSlice((long) b * BLOCK, BLOCK).mismatch(expected))
                                .isEqualTo(-1);
                        good++;
                    }
                }
            }
        }
        assertThat(good).as("seed %d: blocks that survived", SEED).isPositive();
    }

    /** The child: writes runs of blocks until it is killed, a line for each. */
    public static void main(String[] arguments) throws Exception {
        Random random = new Random(Long.parseLong(arguments[1]));
        DiskCache disk = DiskCache.open(Path.of(arguments[0]), 256L << 20);
        MemorySegment data = Arena.global().allocate((long) RUN * BLOCK);
        while (true) {
            int file = random.nextInt(4);
            long first = random.nextLong(SIZE / BLOCK / RUN) * RUN;
            for (int b = 0; b < RUN; b++) {
                fill(data.asSlice((long) b * BLOCK, BLOCK), file, first + b);
            }
            disk.write(content(file), SIZE, first, data);
            System.out.println(first);
        }
    }

    private static FileVersion content(int file) {
        return new FileVersion(new FileId((long) file << 60, 9), new Version(1, 1));
    }

    private static void fill(MemorySegment block, int file, long number) {
        for (long at = 0; at < BLOCK; at += 8) {
            block.set(ValueLayout.JAVA_LONG_UNALIGNED, at, (number << 8 | file) * 0x9E3779B97F4A7C15L + at);
        }
    }
}
