package spigot.cache.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import spigot.model.FileId;
import spigot.model.FileVersion;
import spigot.model.Version;

class BlockMemoryTest {
    private static final long SEED = Long.getLong("spigot.test.seed", System.nanoTime());
    private static final int BLOCK = 4096;
    private static final int CHUNK = 32 << 10;

    private final Arena arena = Arena.ofShared();
    private final BlockMemory memory = new BlockMemory(1 << 20);

    @AfterEach
    void free() {
        memory.close();
        arena.close();
    }

    private static FileVersion file(long number) {
        return new FileVersion(new FileId(7, number), new Version(1, 1));
    }

    /** Each 8 bytes say which file they are of, and where. */
    private static void fill(MemorySegment segment, FileVersion content, long offset) {
        for (long at = 0; at < segment.byteSize(); at += 8) {
            segment.set(ValueLayout.JAVA_LONG, at, word(content, offset + at));
        }
    }

    private static long word(FileVersion content, long offset) {
        return (content.file().low() * 31 + content.version().index()) * 0x9E3779B97F4A7C15L + offset;
    }

    private static boolean isRight(MemorySegment segment, FileVersion content, long offset, long length) {
        for (long at = 0; at + 8 <= length; at += 8) {
            if (segment.get(ValueLayout.JAVA_LONG, at) != word(content, offset + at)) {
                return false;
            }
        }
        return true;
    }

    private void put(FileVersion content, long offset, int length, boolean ahead) {
        MemorySegment data = arena.allocate(length, 8);
        fill(data, content, offset);
        memory.put(content, offset, data, 0, length, ahead);
    }

    private int read(FileVersion content, long offset, int length) {
        MemorySegment to = arena.allocate(length, 8);
        int got = memory.read(content, offset, to, 0, length);
        assertThat(isRight(to, content, offset, got)).isTrue();
        return got;
    }

    @Test
    void givesBackWhatWasPutAndNothingElse() {
        put(file(1), 0, CHUNK, false);
        put(file(1), CHUNK + BLOCK, 2 * BLOCK, false);
        assertThat(read(file(1), 0, CHUNK)).isEqualTo(CHUNK);
        assertThat(read(file(1), 1000, 2000)).isEqualTo(2000);
        assertThat(read(file(1), 0, 2 * CHUNK)).as("up to the first gap").isEqualTo(CHUNK);
        assertThat(read(file(1), CHUNK + BLOCK, CHUNK)).isEqualTo(2 * BLOCK);
        assertThat(read(file(1), CHUNK, 10)).isZero();
        assertThat(read(file(2), 0, 10)).isZero();
        assertThat(read(new FileVersion(file(1).file(), new Version(1, 2)), 0, 10))
                .isZero();
    }

    @Test
    void blocksOfOneChunkMayComeOneByOne() {
        put(file(1), BLOCK, BLOCK, false);
        assertThat(memory.contains(file(1), 0, 2 * BLOCK)).isFalse();
        put(file(1), 0, BLOCK, false);
        assertThat(memory.contains(file(1), 0, 2 * BLOCK)).isTrue();
        assertThat(read(file(1), 0, CHUNK)).isEqualTo(2 * BLOCK);
        assertThat(memory.residentBytes()).isEqualTo(CHUNK);
    }

    @Test
    void theEndOfAFileNeedsNoWholeBlock() {
        put(file(1), CHUNK, 16, false);
        assertThat(memory.contains(file(1), CHUNK, 16)).isTrue();
        assertThat(read(file(1), CHUNK, 16)).isEqualTo(16);
    }

    @Test
    void staysWithinItsBudget() {
        for (int i = 0; i < 200; i++) {
            put(file(i), 0, CHUNK, false);
            assertThat(memory.residentBytes()).isLessThanOrEqualTo(memory.budgetBytes());
        }
        assertThat(memory.evictions()).isPositive();
        assertThat(read(file(199), 0, CHUNK)).isEqualTo(CHUNK);
    }

    @Test
    void aLongSequentialReadTakesNothingFromWhatIsUsedAgainAndAgain() {
        for (int i = 0; i < 16; i++) {
            put(file(i), 0, CHUNK, false);
            read(file(i), 0, CHUNK);
        }
        for (int i = 0; i < 1000; i++) {
            put(file(100), (long) i * CHUNK, CHUNK, true);
            read(file(100), (long) i * CHUNK, CHUNK);
        }
        int left = 0;
        for (int i = 0; i < 16; i++) {
            left += memory.contains(file(i), 0, CHUNK) ? 1 : 0;
        }
        assertThat(left).isEqualTo(16);
    }

    @Test
    void whatWasFetchedAheadInVainIsCounted() {
        for (int i = 0; i < 100; i++) {
            put(file(1), (long) i * CHUNK, CHUNK, true);
        }
        assertThat(memory.unreadAheadBytes()).isEqualTo((100 - 32) * (long) CHUNK);
    }

    @Test
    void aPinnedFrameIsNeverUsedForSomethingElse() {
        put(file(1), 0, CHUNK, false);
        int frame = memory.pinSlice(file(1), BLOCK, BLOCK);
        assertThat(frame).isNotNegative();
        for (int i = 2; i < 300; i++) {
            put(file(i), 0, CHUNK, false);
        }
        assertThat(memory.drop(file(1))).as("dropped while pinned").isZero();
        MemorySegment slice = memory.memory(frame).asSlice(memory.start(frame) + BLOCK, BLOCK);
        assertThat(isRight(slice, file(1), BLOCK, BLOCK)).isTrue();
        memory.unpin(frame);
        assertThat(memory.drop(file(1))).isEqualTo(CHUNK);
    }

    @Test
    void whenAllIsPinnedNothingMoreIsKept() {
        List<Integer> pins = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            put(file(i), 0, CHUNK, false);
            pins.add(memory.pinSlice(file(i), 0, 1));
        }
        put(file(99), 0, CHUNK, false);
        assertThat(read(file(99), 0, 10)).isZero();
        pins.forEach(memory::unpin);
        put(file(99), 0, CHUNK, false);
        assertThat(read(file(99), 0, 10)).isEqualTo(10);
    }

    @Test
    void aSliceDoesNotCrossChunks() {
        put(file(1), 0, 2 * CHUNK, false);
        assertThat(memory.pinSlice(file(1), CHUNK - 10, 20)).isNegative();
    }

    @Test
    void droppedFramesAreUsedAgain() {
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < 32; i++) {
                put(file(i), 0, CHUNK, false);
            }
            for (int i = 0; i < 32; i++) {
                memory.drop(file(i).file());
            }
            assertThat(memory.residentBytes()).isZero();
        }
        assertThat(memory.evictions()).isZero();
    }

    @Test
    void theHitPathAllocatesNothing() {
        put(file(1), 0, 16 * CHUNK, false);
        MemorySegment to = arena.allocate(128 << 10, 8);
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 20; round++) { // until it is compiled
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                memory.read(file1, (i & 3) * 4096L, to, 0, 128 << 10);
            }
            allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(allocated).isLessThan(10_000);
    }

    private final FileVersion file1 = file(1);

    @Test
    void readersNeverSeeAnotherFilesBytesWhileAllIsEvictedUnderThem() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        LongAdder hits = new LongAdder();
        try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
            List<Future<?>> running = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                Random random = new Random(SEED + thread);
                running.add(threads.submit((Callable<Void>) () -> {
                    try (Arena own = Arena.ofConfined()) {
                        MemorySegment to = own.allocate(2 * CHUNK, 8);
                        while (!stop.get()) {
                            FileVersion content = file(random.nextInt(60));
                            int got = memory.read(content, 0, to, 0, 2 * CHUNK);
                            assertThat(isRight(to, content, 0, got))
                                    .as("seed %d", SEED)
                                    .isTrue();
                            hits.add(got);
                        }
                    }
                    return null;
                }));
            }
            for (int thread = 0; thread < 2; thread++) {
                Random random = new Random(SEED + 100 + thread);
                running.add(threads.submit((Callable<Void>) () -> {
                    try (Arena own = Arena.ofConfined()) {
                        MemorySegment data = own.allocate(2 * CHUNK, 8);
                        while (!stop.get()) {
                            FileVersion content = file(random.nextInt(60));
                            int from = random.nextInt(16) * BLOCK;
                            fill(data.asSlice(0, 2 * CHUNK - from), content, from);
                            memory.put(content, from, data, 0, 2 * CHUNK - from, random.nextBoolean());
                            if (random.nextInt(20) == 0) {
                                memory.drop(file(random.nextInt(60)).file());
                            }
                        }
                    }
                    return null;
                }));
            }
            Thread.sleep(1_500); // how long it runs, nothing is waited for
            stop.set(true);
            for (Future<?> one : running) {
                one.get();
            }
        }
        assertThat(hits.sum()).isPositive();
        assertThat(memory.residentBytes()).isLessThanOrEqualTo(memory.budgetBytes());
    }
}
