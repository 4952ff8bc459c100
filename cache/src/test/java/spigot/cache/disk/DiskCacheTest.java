package spigot.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.cache.ByteRange;
import spigot.cache.CacheDirectoryException;
import spigot.model.FileId;
import spigot.model.FileVersion;
import spigot.model.Version;

class DiskCacheTest {
    private static final long SEED = Long.getLong("spigot.test.seed", System.nanoTime());
    private static final int BLOCK = 4096;
    private static final long MIB = 1 << 20;
    private static final int MANY_FILES = 30_000;
    /** Logging, threads and classes that are loaded while the test runs. */
    private static final long OTHER_HEAP_BYTES = 2 << 20;

    @TempDir
    private Path directory;

    private final Arena arena = Arena.ofShared();
    private DiskCache disk;

    @BeforeEach
    void openIt() throws Exception {
        disk = DiskCache.open(directory, 64 * MIB);
    }

    @AfterEach
    void closeIt() {
        disk.close();
        arena.close();
    }

    private void restart() throws Exception {
        disk.close();
        disk = DiskCache.open(directory, disk.budgetBytes());
        disk.awaitStock();
    }

    private static FileVersion file(long number) {
        return file(number, 1);
    }

    private static FileVersion file(long number, long version) {
        return new FileVersion(new FileId(number << 56 | 5, number), new Version(1, version));
    }

    private MemorySegment data(FileVersion content, long offset, long length) {
        MemorySegment data = arena.allocate(Math.ceilDiv(length, 8) * 8, 8);
        for (long at = 0; at < length; at += 8) {
            data.set(ValueLayout.JAVA_LONG, at, (content.hashCode() + offset + at) * 0x9E3779B97F4A7C15L | 1);
        }
        return data.asSlice(0, length);
    }

    private void write(FileVersion content, long size, long firstBlock, int blocks) {
        long length = Math.min(size, (firstBlock + blocks) * BLOCK) - firstBlock * BLOCK;
        disk.write(content, size, firstBlock, data(content, firstBlock * BLOCK, length));
    }

    /** Reads, and checks that what is said to be right is. */
    private BitSet read(FileVersion content, long size, long firstBlock, int blocks) {
        long length = Math.min(size, (firstBlock + blocks) * BLOCK) - firstBlock * BLOCK;
        MemorySegment to = arena.allocate(length, 8);
        to.fill((byte) 0x55);
        BitSet good = disk.read(content, size, firstBlock, blocks, to);
        MemorySegment expected = data(content, firstBlock * BLOCK, length);
        good.stream().forEach(block -> {
            long from = (long) block * BLOCK;
            long end = Math.min(length, from + BLOCK);
            assertThat(MemorySegment.mismatch(to, from, end, expected, from, end))
                    .isEqualTo(-1);
        });
        return good;
    }

    private static BitSet all(int blocks) {
        BitSet all = new BitSet();
        all.set(0, blocks);
        return all;
    }

    private Path onlyFile() throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("blocks"))) {
            return files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
    }

    @Test
    void givesBackWhatWasWritten() {
        write(file(1), MIB, 3, 10);
        assertThat(read(file(1), MIB, 3, 10)).isEqualTo(all(10));
        BitSet some = read(file(1), MIB, 0, 256);
        assertThat(some.nextSetBit(0)).isEqualTo(3);
        assertThat(some.cardinality()).isEqualTo(10);
        assertThat(read(file(2), MIB, 3, 10).isEmpty()).isTrue();
        assertThat(read(file(1, 2), MIB, 3, 10).isEmpty()).isTrue();
        assertThat(disk.claimed(file(1), MIB, 0, 256)).isEqualTo(some);
    }

    @Test
    void theLastBlockMayBeShort() {
        write(file(1), 10_000, 0, 3);
        assertThat(read(file(1), 10_000, 0, 3)).isEqualTo(all(3));
        write(file(2), 1, 0, 1);
        assertThat(read(file(2), 1, 0, 1)).isEqualTo(all(1));
    }

    @Test
    void survivesARestart() throws Exception {
        write(file(1), MIB, 0, 256);
        write(file(2), 40 * MIB, 5000, 300);
        long used = disk.usedBytes();
        restart();
        assertThat(read(file(1), MIB, 0, 256)).isEqualTo(all(256));
        assertThat(read(file(2), 40 * MIB, 5000, 300)).isEqualTo(all(300));
        assertThat(disk.fileCount()).isEqualTo(2);
        assertThat(disk.usedBytes()).isBetween(used - 16 * BLOCK, used + 16 * BLOCK);
    }

    @Test
    void blocksOfZerosOccupyNothing() throws Exception {
        MemorySegment zeros = arena.allocate(MIB);
        long size = 100L << 30;
        disk.write(file(1), size, 1 << 20, zeros);
        assertThat(disk.claimed(file(1), size, 1 << 20, 256)).isEqualTo(all(256));
        MemorySegment to = arena.allocate(MIB);
        to.fill((byte) 1);
        assertThat(disk.read(file(1), size, 1 << 20, 256, to)).isEqualTo(all(256));
        assertThat(to.mismatch(zeros)).isEqualTo(-1);
        assertThat(disk.usedBytes()).isLessThanOrEqualTo(4 * BLOCK);
        restart();
        assertThat(disk.read(file(1), size, 1 << 20, 256, to)).isEqualTo(all(256));
        assertThat(disk.usedBytes()).isLessThanOrEqualTo(4 * BLOCK);
    }

    @Test
    void aFlippedBitIsNeverServedAndTheBlockCanBeWrittenAgain() throws Exception {
        write(file(1), MIB, 0, 256);
        Random random = new Random(SEED);
        int victim = random.nextInt(256);
        try (RandomAccessFile raw = new RandomAccessFile(onlyFile().toFile(), "rw")) {
            long at = (long) victim * BLOCK + random.nextInt(BLOCK);
            raw.seek(at);
            int before = raw.read();
            raw.seek(at);
            raw.write(before ^ 1 << random.nextInt(8));
        }
        BitSet good = read(file(1), MIB, 0, 256);
        assertThat(good.cardinality()).as("seed %d", SEED).isEqualTo(255);
        assertThat(good.get(victim)).isFalse();
        assertThat(disk.corruptBlocks()).isEqualTo(1);
        assertThat(disk.claimed(file(1), MIB, 0, 256).get(victim)).isFalse();
        write(file(1), MIB, victim, 1);
        assertThat(read(file(1), MIB, 0, 256)).isEqualTo(all(256));
        assertThat(disk.corruptBlocks()).isEqualTo(1);
    }

    @Test
    void aBlockOfZerosThatWasSpoiltCanBeWrittenAgain() throws Exception {
        MemorySegment zeros = arena.allocate(BLOCK);
        disk.write(file(1), MIB, 7, zeros);
        try (RandomAccessFile raw = new RandomAccessFile(onlyFile().toFile(), "rw")) {
            raw.seek(7 * BLOCK + 5);
            raw.write(1);
        }
        MemorySegment to = arena.allocate(BLOCK);
        assertThat(disk.read(file(1), MIB, 7, 1, to).isEmpty()).isTrue();
        disk.write(file(1), MIB, 7, zeros);
        assertThat(disk.read(file(1), MIB, 7, 1, to)).isEqualTo(all(1));
    }

    @Test
    void whateverIsDoneToTheFilesNothingWrongIsServed() throws Exception {
        Random random = new Random(SEED);
        for (int round = 0; round < 60; round++) {
            FileVersion content = file(1 + random.nextInt(3));
            long size = MIB + 77;
            write(content, size, random.nextInt(200), 1 + random.nextInt(50));
            disk.close();
            Path file = onlyFile();
            try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
                switch (random.nextInt(4)) {
                    case 0 -> raw.setLength(random.nextLong(raw.length() + 1));
                    case 1 -> raw.setLength(raw.length() + random.nextInt(10_000));
                    case 2 -> {
                        raw.seek(random.nextLong(raw.length() + 1));
                        byte[] noise = new byte[random.nextInt(20_000)];
                        random.nextBytes(noise);
                        raw.write(noise);
                    }
                    default -> Files.delete(file);
                }
            }
            disk = DiskCache.open(directory, 64 * MIB);
            if (random.nextBoolean()) {
                disk.awaitStock();
            }
            for (int i = 1; i <= 3; i++) {
                read(file(i), size, 0, 257); // checks what it gets
            }
        }
    }

    @Test
    void itsFilesMayVanishWhileItRuns() throws Exception {
        write(file(1), MIB, 0, 10);
        try (Stream<Path> files = Files.walk(directory.resolve("blocks"))) {
            for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
        read(file(1), MIB, 0, 10);
        write(file(2), MIB, 0, 10);
        assertThat(read(file(2), MIB, 0, 10).isEmpty())
                .as("no directory to write to")
                .isTrue();
    }

    @Test
    void staysWithinItsBudgetAndDropsWhatWasNotUsedForLongest() {
        for (int i = 1; i <= 100; i++) {
            write(file(i), MIB, 0, 256);
            read(file(1), MIB, 0, 1);
            assertThat(disk.usedBytes()).isLessThanOrEqualTo(64 * MIB);
        }
        assertThat(disk.evictions()).isGreaterThan(30);
        assertThat(read(file(1), MIB, 0, 256)).isEqualTo(all(256));
        assertThat(read(file(2), MIB, 0, 256).isEmpty()).isTrue();
        assertThat(read(file(100), MIB, 0, 256)).isEqualTo(all(256));
    }

    @Test
    void aFileLargerThanTheBudgetLosesItsOldestParts() throws Exception {
        long size = 1L << 30;
        for (int i = 0; i < 200; i++) {
            write(file(1), size, i * 256L, 256);
            assertThat(disk.usedBytes()).isLessThanOrEqualTo(64 * MIB);
        }
        assertThat(read(file(1), size, 199 * 256, 256)).isEqualTo(all(256));
        assertThat(read(file(1), size, 0, 256).isEmpty()).isTrue();
        long occupied = ((Number) Files.getAttribute(onlyFile(), "unix:size")).longValue();
        assertThat(occupied).isGreaterThan(size);
        assertThat(diskUsage()).isLessThan(70 * MIB);
        assertThat(disk.corruptBlocks()).isZero();
        restart();
        assertThat(disk.usedBytes()).isLessThanOrEqualTo(64 * MIB);
        assertThat(read(file(1), size, 199 * 256, 256)).isEqualTo(all(256));
    }

    private long diskUsage() throws Exception {
        Process du = new ProcessBuilder(
                        "du", "-s", "-B1", directory.resolve("blocks").toString())
                .start();
        String out = new String(du.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII);
        du.waitFor();
        return Long.parseLong(out.split("\\s")[0]);
    }

    @Test
    void theOrderOfUseSurvivesARestart() throws Exception {
        for (int i = 1; i <= 50; i++) {
            write(file(i), MIB, 0, 256);
        }
        List<Path> files = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(directory.resolve("blocks"))) {
            walk.filter(Files::isRegularFile).forEach(files::add);
        }
        disk.close();
        for (Path path : files) { // as if the first ones had been used last
            long number = Long.parseLong(path.getFileName().toString().substring(16, 32), 16);
            Files.setLastModifiedTime(
                    path,
                    java.nio.file.attribute.FileTime.from(
                            java.time.Instant.now().minus(Duration.ofHours(number))));
        }
        disk = DiskCache.open(directory, 20 * MIB);
        disk.awaitStock();
        assertThat(read(file(1), MIB, 0, 256)).isEqualTo(all(256));
        assertThat(read(file(50), MIB, 0, 256).isEmpty()).isTrue();
    }

    @Test
    void whatIsPinnedStaysAlsoAfterARestart() throws Exception {
        write(file(1), MIB, 0, 256);
        disk.pin(file(1).file(), true);
        restart();
        assertThat(disk.isPinned(file(1).file())).isTrue();
        for (int i = 2; i <= 100; i++) {
            write(file(i), MIB, 0, 256);
        }
        assertThat(read(file(1), MIB, 0, 256)).isEqualTo(all(256));
        assertThat(disk.evict(file(1).file())).isZero();
        disk.pin(file(1).file(), false);
        assertThat(disk.evict(file(1).file())).isGreaterThanOrEqualTo(MIB);
        assertThat(read(file(1), MIB, 0, 256).isEmpty()).isTrue();
    }

    @Test
    void whenAllIsPinnedNothingMoreIsWritten() throws Exception {
        for (int i = 1; i <= 62; i++) {
            disk.pin(file(i).file(), true);
            write(file(i), MIB, 0, 256);
        }
        write(file(70), 8 * MIB, 0, 256);
        write(file(70), 8 * MIB, 1024, 256);
        assertThat(disk.usedBytes()).isLessThanOrEqualTo(64 * MIB);
        assertThat(read(file(1), MIB, 0, 256)).isEqualTo(all(256));
    }

    @Test
    void otherVersionsOfAFileCanBeRemoved() throws Exception {
        write(file(1, 1), MIB, 0, 10);
        write(file(1, 2), MIB, 0, 10);
        disk.removeOthers(file(1, 2));
        assertThat(read(file(1, 1), MIB, 0, 10).isEmpty()).isTrue();
        assertThat(read(file(1, 2), MIB, 0, 10)).isEqualTo(all(10));
    }

    @Test
    void tellsWhichRangesItHas() throws Exception {
        long size = 20 * MIB + 10;
        assertThat(disk.ranges(file(1), size)).isEmpty();
        write(file(1), size, 1, 2);
        write(file(1), size, 1000, 100);
        write(file(1), size, 5120, 1);
        assertThat(disk.ranges(file(1), size))
                .containsExactly(
                        new ByteRange(BLOCK, 3 * BLOCK),
                        new ByteRange(1000 * BLOCK, 1100 * BLOCK),
                        new ByteRange(5120 * BLOCK, size));
    }

    @Test
    void aSecondMountOnTheSameDirectoryIsRefused() {
        assertThatThrownBy(() -> DiskCache.open(directory, MIB))
                .isInstanceOf(CacheDirectoryException.class)
                .hasMessageContaining(directory.toString())
                .hasMessageContaining("in use by another mount");
    }

    @Test
    void aDirectoryOfAnotherFormatIsRefused(@TempDir Path other) throws Exception {
        Files.writeString(other.resolve("format"), "spigot cache 99\n");
        assertThatThrownBy(() -> DiskCache.open(other, MIB))
                .isInstanceOf(CacheDirectoryException.class)
                .hasMessageContaining("another version");
    }

    @Test
    void aFileInItsPlaceIsRefused(@TempDir Path other) throws Exception {
        Path file = Files.createFile(other.resolve("file"));
        assertThatThrownBy(() -> DiskCache.open(file, MIB))
                .isInstanceOf(CacheDirectoryException.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void whatIsNoneOfItsFilesIsLeftAlone() throws Exception {
        Path stranger = Files.writeString(directory.resolve("blocks/00/README"), "hello");
        write(file(1), MIB, 0, 10);
        restart();
        assertThat(stranger).hasContent("hello");
        assertThat(disk.fileCount()).isEqualTo(1);
    }

    @Test
    void manyFilesAreTakenStockOfSoonAndLeanly() throws Exception {
        disk.close();
        for (int i = 0; i < MANY_FILES; i++) {
            FileVersion content = new FileVersion(new FileId((long) i << 48, i), new Version(1, 1));
            String name = DiskLayout.name(content, 8192);
            Files.createFile(directory
                    .resolve("blocks")
                    .resolve(DiskLayout.directory(content.file()))
                    .resolve(name));
        }
        System.gc();
        long before = usedHeap();
        long start = System.nanoTime();
        disk = DiskCache.open(directory, 10L << 30);
        long openMillis = (System.nanoTime() - start) / 1_000_000;
        disk.awaitStock();
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertThat(disk.fileCount()).isEqualTo(MANY_FILES);
        long bytes = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) { // the least, as what others use for a moment is none of it
            System.gc();
            bytes = Math.min(bytes, usedHeap() - before);
        }
        // 160 bytes each or so; what else the process does meanwhile may take its share.
        assertThat(bytes).isLessThan(250L * MANY_FILES + OTHER_HEAP_BYTES);
        System.out.println(MANY_FILES + " cached files: open after " + openMillis + " ms, accounted for after " + millis
                + " ms, " + (bytes >> 10) + " KiB of heap");
    }

    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
