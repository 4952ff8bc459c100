package spigot.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileRecord;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

class ReadTest {
    private static final long SEED = TestContent.anySeed();
    private static final int MIB = 1 << 20;

    @TempDir
    private Path directory;

    private final TestGrid grid = new TestGrid();
    private final TestServer home = grid.server();

    @AfterEach
    void end() {
        grid.close();
    }

    private CacheConfig onDisk() {
        return CacheConfig.inMemory()
                .withMemoryBytes(16 << 20)
                .withDirectory(directory, 256L << 20)
                .withOnUnreachable(OnUnreachable.FAIL, Duration.ofSeconds(20));
    }

    @Test
    void readsAreWhatTheServerHas() throws Exception {
        TestContent content = TestContent.noise(3 * MIB + 1234, SEED);
        FileRecord record = grid.file(content, home);
        FileClient client = grid.client();
        Random random = new Random(SEED);
        try (OpenFile file = client.open(record)) {
            for (int i = 0; i < 300; i++) {
                long offset = random.nextLong(content.size() + 1000);
                int length = 1 + random.nextInt(200_000);
                assertThat(grid.read(file, offset, length))
                        .as("seed %d: %d bytes at %d", SEED, length, offset)
                        .isEqualTo(content.bytes(offset, length));
            }
        }
    }

    @Test
    void aSmallReadMovesAtMost64KiB() throws Exception {
        FileRecord record = grid.file(TestContent.noise(100 * MIB, 1), home);
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            grid.read(file, 50 * MIB + 17, 4096);
        }
        assertThat(client.statistics().dataBytesReceived()).isBetween(4096L, 64L << 10);
        assertThat(home.sentBytes.get()).isEqualTo(client.statistics().dataBytesReceived());
    }

    @Test
    void aThousandRandomReadsMoveAtMost16TimesWhatWasAsked() throws Exception {
        FileRecord record = grid.file(TestContent.noise(100L << 30, 1), home);
        FileClient client = grid.client();
        Random random = new Random(SEED);
        try (OpenFile file = client.open(record)) {
            for (int i = 0; i < 1000; i++) {
                grid.read(file, random.nextLong(25L << 20) * 4096, 4096);
            }
        }
        assertThat(client.statistics().dataBytesReceived()).as("seed %d", SEED).isLessThanOrEqualTo(16L * 1000 * 4096);
    }

    @Test
    void aSequentialReadMovesAtMost2PercentMore() throws Exception {
        FileRecord record = grid.file(TestContent.noise(1L << 30, 1), home);
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            MemorySegment to = grid.memory(128 << 10);
            for (long at = 0; at < 256L * MIB; at += 128 << 10) {
                assertThat(file.read(at, to)).isEqualTo(128 << 10);
            }
        }
        await().until(() -> grid.isQuiet(home));
        assertThat(home.sentBytes.get()).isBetween(256L * MIB, 256L * MIB * 102 / 100);
        assertThat(client.statistics().prefetchUnusedBytes()).isLessThanOrEqualTo(4L * MIB);
    }

    @Test
    void zerosDoNotTravel() throws Exception {
        FileRecord record = grid.file(TestContent.zeros(100L << 30), home);
        FileClient client = grid.client(onDisk());
        try (OpenFile file = client.open(record)) {
            assertThat(grid.read(file, 99L << 30, MIB)).containsOnly((byte) 0).hasSize(MIB);
        }
        assertThat(client.statistics().dataBytesReceived()).isZero();
        assertThat(client.statistics().diskBytes()).isLessThan(64 << 10);
    }

    @Test
    void sixtyFourReadersOfOneBlockCauseOneFetch() throws Exception {
        TestContent content = TestContent.noise(10 * MIB, 1);
        FileRecord record = grid.file(content, home);
        FileClient client = grid.client();
        home.delayMillis = 100;
        byte[] expected = content.bytes(5 * MIB, 4096);
        try (OpenFile file = client.open(record);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<byte[]>> reads = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                reads.add(threads.submit(() -> grid.read(file, 5 * MIB, 4096)));
            }
            for (Future<byte[]> read : reads) {
                assertThat(read.get()).isEqualTo(expected);
            }
        }
        assertThat(home.reads).hasValue(1);
    }

    @Test
    void anInterruptedReaderDisturbsNobodyElse() throws Exception {
        TestContent content = TestContent.noise(10 * MIB, 1);
        FileClient client = grid.client(onDisk());
        try (OpenFile file = client.open(grid.file(content, home));
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            home.delayMillis = 300;
            Future<byte[]> first = threads.submit(() -> grid.read(file, 0, 4096));
            await().until(() -> home.reads.get() + home.pending() > 0);
            Future<byte[]> second = threads.submit(() -> grid.read(file, 0, 4096));
            first.cancel(true);
            assertThat(second.get()).isEqualTo(content.bytes(0, 4096));
        }
        assertThat(home.reads).hasValue(1);
    }

    @Test
    void manyReadersWithLittleMemoryAllGetTheirBytes() throws Exception {
        TestContent content = TestContent.noise(40 * MIB, SEED);
        FileRecord record = grid.file(content, home);
        FileClient client = grid.client(CacheConfig.inMemory()
                .withMemoryBytes(CacheConfig.MIN_MEMORY_BYTES)
                .withOnUnreachable(OnUnreachable.FAIL, Duration.ofSeconds(30)));
        try (OpenFile file = client.open(record);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> readers = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                Random random = new Random(SEED + i);
                readers.add(threads.submit((Callable<Void>) () -> {
                    for (int n = 0; n < 10; n++) {
                        long offset = random.nextLong(content.size());
                        int length = 1 + random.nextInt(300_000);
                        assertThat(Arrays.equals(grid.read(file, offset, length), content.bytes(offset, length)))
                                .as("seed %d", SEED)
                                .isTrue();
                    }
                    return null;
                }));
            }
            for (Future<Void> reader : readers) {
                reader.get();
            }
        }
        CacheStatistics statistics = client.statistics();
        assertThat(statistics.memoryBudgetBytes()).isLessThanOrEqualTo(CacheConfig.MIN_MEMORY_BYTES);
        assertThat(statistics.memoryBytes()).isLessThanOrEqualTo(CacheConfig.MIN_MEMORY_BYTES);
    }

    @Test
    void whatIsInMemoryIsReadWithoutBlockingAndWithoutAllocation() throws Exception {
        TestContent content = TestContent.noise(MIB, 1);
        FileClient client = grid.client();
        try (OpenFile file = client.open(grid.file(content, home))) {
            MemorySegment to = grid.memory(MIB);
            assertThat(file.tryRead(0, to)).isEqualTo(-1);
            file.read(0, to);
            MemorySegment small = grid.memory(64 << 10);
            var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 20; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 5_000; i++) {
                    if (file.tryRead((i & 15) << 16, small) != 64 << 10) {
                        throw new AssertionError("not in memory");
                    }
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            assertThat(least).as("bytes for 5,000 reads").isLessThan(5_000);
            assertThat(file.tryRead(MIB, small)).isZero();
            assertThat(file.tryRead(MIB - 10, small)).isEqualTo(10);
            assertThat(file.trySlice(
                            4096,
                            4096,
                            (memory, offset, length) -> assertThat(memory.asSlice(offset, length)
                                            .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                                    .isEqualTo(content.bytes(4096, 4096))))
                    .isEqualTo(4096);
        }
    }

    @Test
    void aRestartReadsAgainWithoutADataByteFromTheNetwork() throws Exception {
        TestContent content = TestContent.noise(5 * MIB + 99, 1);
        FileRecord record = grid.file(content, home);
        try (FileClient first = grid.client(onDisk());
                OpenFile file = first.open(record)) {
            grid.read(file, 0, 6 * MIB);
        }
        try (FileClient second = grid.client(onDisk());
                OpenFile file = second.open(record)) {
            assertThat(grid.read(file, 0, 6 * MIB)).isEqualTo(content.bytes(0, 6 * MIB));
            assertThat(second.statistics().dataBytesReceived()).isZero();
            assertThat(second.statistics().cacheMisses()).isZero();
            assertThat(second.statistics().diskHits()).isEqualTo(1);
        }
    }

    @Test
    void afterARestartANewVersionIsNotMixedWithOldBlocks() throws Exception {
        FileRecord record = grid.file(TestContent.noise(2 * MIB, 1), home);
        try (FileClient first = grid.client(onDisk());
                OpenFile file = first.open(record)) {
            grid.read(file, 0, 2 * MIB);
        }
        TestContent after = TestContent.noise(2 * MIB, 2);
        home.serve(grid.changed(record, after), after);
        try (FileClient second = grid.client(onDisk());
                OpenFile file = second.open(record)) {
            assertThat(grid.read(file, 0, 2 * MIB)).isEqualTo(after.bytes(0, 2 * MIB));
        }
    }

    @Test
    void spoiltBlocksOfTheDiskAreFetchedAgainAndNeverServed() throws Exception {
        TestContent content = TestContent.noise(4 * MIB, 1);
        FileRecord record = grid.file(content, home);
        try (FileClient first = grid.client(onDisk());
                OpenFile file = first.open(record)) {
            grid.read(file, 0, 4 * MIB);
        }
        Path cached;
        try (Stream<Path> files = Files.walk(directory.resolve("blocks"))) {
            cached = files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
        Random random = new Random(SEED);
        try (RandomAccessFile raw = new RandomAccessFile(cached.toFile(), "rw")) {
            for (int i = 0; i < 20; i++) {
                raw.seek(random.nextInt(4 * MIB));
                raw.write(random.nextInt(256));
            }
        }
        try (FileClient second = grid.client(onDisk());
                OpenFile file = second.open(record)) {
            assertThat(grid.read(file, 0, 4 * MIB)).as("seed %d", SEED).isEqualTo(content.bytes(0, 4 * MIB));
            assertThat(second.statistics().corruptBlocksOnDisk()).isBetween(1L, 20L);
            assertThat(second.statistics().dataBytesReceived()).isLessThanOrEqualTo(20 * (32L << 10));
        }
    }

    @Test
    void aSpoiltBlockAtTheHeadOfWhatIsReadCostsNoMoreThanItself() throws Exception {
        TestContent content = TestContent.noise(4 * MIB, 1);
        FileRecord record = grid.file(content, home);
        try (FileClient first = grid.client(onDisk());
                OpenFile file = first.open(record)) {
            grid.read(file, 0, 4 * MIB);
        }
        try (Stream<Path> files = Files.walk(directory.resolve("blocks"));
                RandomAccessFile raw = new RandomAccessFile(
                        files.filter(Files::isRegularFile)
                                .findFirst()
                                .orElseThrow()
                                .toFile(),
                        "rw")) {
            raw.write(content.bytes(0, 1)[0] ^ 1);
        }
        try (FileClient second = grid.client(onDisk());
                OpenFile file = second.open(record)) {
            assertThat(grid.read(file, 0, 4 * MIB)).isEqualTo(content.bytes(0, 4 * MIB));
            assertThat(second.statistics().corruptBlocksOnDisk()).isEqualTo(1);
            assertThat(second.statistics().dataBytesReceived()).isLessThanOrEqualTo(64 << 10);
        }
    }

    @Test
    void partsOfAFileOnDiskAreCompletedFromTheNetwork() throws Exception {
        TestContent content = TestContent.noise(4 * MIB, 1);
        FileRecord record = grid.file(content, home);
        try (FileClient first = grid.client(onDisk());
                OpenFile file = first.open(record)) {
            for (int i = 0; i < 8; i++) {
                grid.read(file, i * (512L << 10), 100_000);
            }
        }
        long before = home.sentBytes.get();
        try (FileClient second = grid.client(onDisk());
                OpenFile file = second.open(record)) {
            assertThat(grid.read(file, 0, 4 * MIB)).isEqualTo(content.bytes(0, 4 * MIB));
        }
        assertThat(home.sentBytes.get()).isEqualTo(4L * MIB);
        assertThat(before).isPositive();
    }

    @Test
    void warmupBringsARangeAndEvictionDropsIt() throws Exception {
        TestContent content = TestContent.noise(8 * MIB, 1);
        FileRecord record = grid.file(content, home);
        FileClient client = grid.client(onDisk());
        List<Long> progress = new ArrayList<>();
        client.warmup(record, new ByteRange(MIB, 5L * MIB), progress::add);
        assertThat(progress).isSorted().last().isEqualTo(4L * MIB);
        await().until(() -> client.cachedRanges(record).equals(List.of(new ByteRange(MIB, 5L * MIB))));
        assertThat(home.sentBytes.get()).isEqualTo(4L * MIB);
        client.warmup(record, new ByteRange(0, 8L * MIB), _ -> {});
        assertThat(home.sentBytes.get()).isEqualTo(8L * MIB);
        // What is on its way to the disk yet would come back after the eviction.
        await().until(() -> client.statistics().diskBytes() >= 8L * MIB);
        await().until(() -> client.evict(record.id()) == 0);
        assertThat(client.cachedRanges(record)).isEmpty();
        try (OpenFile file = client.open(record)) {
            assertThat(grid.read(file, 0, MIB)).isEqualTo(content.bytes(0, MIB));
        }
    }

    @Test
    void aPinnedFileStays() throws Exception {
        FileRecord record = grid.file(TestContent.noise(2 * MIB, 1), home);
        FileClient client = grid.client(onDisk());
        client.pin(record.id(), true);
        client.warmup(record, new ByteRange(0, 2L * MIB), _ -> {});
        assertThat(client.evict(record.id())).isZero();
        assertThat(client.isPinned(record.id())).isTrue();
        FileClient inMemory = grid.client();
        assertThatThrownBy(() -> inMemory.pin(record.id(), true)).hasMessageContaining("cache directory");
    }

    @Test
    void anErrorOfTheServersDiskIsToldAtOnce() throws Exception {
        FileRecord record = grid.file(TestContent.noise(MIB, 1), home);
        FileClient client = grid.client(CacheConfig.inMemory()); // would wait for ever if it could not be reached
        try (OpenFile file = client.open(record)) {
            home.readFailure = Failure.Code.IO_ERROR;
            assertThatThrownBy(() -> grid.read(file, 0, 100)).isInstanceOf(FailureException.class);
            home.readFailure = Failure.Code.UNKNOWN;
            assertThat(grid.read(file, 0, 100)).hasSize(100);
        }
    }

    @Test
    void afterCloseNothingIsRead() throws Exception {
        FileRecord record = grid.file(TestContent.noise(MIB, 1), home);
        FileClient client = grid.client();
        OpenFile file = client.open(record);
        grid.read(file, 0, 100);
        client.close();
        assertThat(file.tryRead(0, grid.memory(10))).isEqualTo(-1);
        assertThatThrownBy(() -> grid.read(file, 0, 10)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> client.open(record)).isInstanceOf(IOException.class);
        file.close();
        file.close();
    }

    @Test
    void closingEndsReadsThatWait() throws Exception {
        FileRecord record = grid.file(TestContent.noise(MIB, 1), home);
        FileClient client = grid.client(CacheConfig.inMemory());
        OpenFile file = client.open(record);
        home.freeze();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<byte[]> read = threads.submit(() -> grid.read(file, 0, 100));
            await().until(() -> home.pending() > 0);
            client.close();
            assertThatThrownBy(read::get).hasRootCauseInstanceOf(IOException.class);
        }
    }
}
