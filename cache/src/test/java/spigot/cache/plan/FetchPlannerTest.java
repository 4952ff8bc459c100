package spigot.cache.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class FetchPlannerTest {
    private static final long SEED = Long.getLong("spigot.test.seed", System.nanoTime());
    private static final long KIB = 1024;
    private static final long MIB = KIB * KIB;
    private static final long GIB = MIB * KIB;

    private final FetchPlanner planner = new FetchPlanner(PlannerLimits.DEFAULT);

    /** What a cache that keeps all would have fetched, in blocks of 4 KiB. */
    private final TreeSet<Long> fetched = new TreeSet<>();

    private final List<FetchAhead> ahead = new ArrayList<>();
    private int demands;

    private void read(long offset, int length, long size) {
        FetchAhead plan = planner.onRead(offset, length, size) ? planner.ahead() : null;
        long missing = -1;
        for (long at = offset; at < Math.min(size, offset + length) && missing < 0; at += 4096 - at % 4096) {
            missing = fetched.contains(at / 4096) ? -1 : at;
        }
        if (missing >= 0) {
            demands++;
            planner.onMiss(missing);
            int left = (int) (offset + length - missing);
            fetch(planner.demandStart(missing, left), planner.demandEnd(missing, left, size));
        }
        if (plan != null) {
            ahead.add(plan);
            for (int piece = 0; piece < plan.count(); piece++) {
                assertThat(plan.start(piece)).isBetween(0L, size - 1);
                fetch(plan.start(piece), Math.min(size, plan.start(piece) + plan.length()));
            }
        }
    }

    private void fetch(long from, long to) {
        for (long block = from / 4096; block * 4096 < to; block++) {
            fetched.add(block);
        }
    }

    private long fetchedBytes() {
        return fetched.size() * 4096L;
    }

    @Test
    void aSingleSmallReadFetchesAtMost64KiB() {
        Random random = new Random(SEED);
        for (int i = 0; i < 1000; i++) {
            FetchPlanner fresh = new FetchPlanner(PlannerLimits.DEFAULT);
            long offset = random.nextLong(100 * GIB);
            int length = 1 + random.nextInt(4096);
            assertThat(fresh.onRead(offset, length, 100 * GIB))
                    .as("seed %d", SEED)
                    .isFalse();
            long start = fresh.demandStart(offset, length);
            long end = fresh.demandEnd(offset, length, 100 * GIB);
            assertThat(end - start).as("seed %d", SEED).isBetween((long) length, 64 * KIB);
            assertThat(start).isLessThanOrEqualTo(offset);
            assertThat(end).isGreaterThanOrEqualTo(Math.min(100 * GIB, offset + length));
        }
    }

    @Test
    void aThousandRandomReadsFetchAtMost16TimesWhatWasAsked() {
        Random random = new Random(SEED);
        for (int i = 0; i < 1000; i++) {
            read(random.nextLong(25 * MIB) * 4096, 4096, 100 * GIB);
        }
        assertThat(fetchedBytes()).as("seed %d", SEED).isLessThanOrEqualTo(16L * 1000 * 4096);
        assertThat(ahead).as("seed %d", SEED).isEmpty();
    }

    @Test
    void aSequentialReadOf256MiBFetchesAtMost2PercentMore() {
        for (int length : new int[] {4096, 16 << 10, 128 << 10, 1 << 20}) {
            FetchPlannerTest run = new FetchPlannerTest();
            for (long at = 0; at < 256 * MIB; at += length) {
                run.read(at, length, 100 * GIB);
            }
            assertThat(run.fetchedBytes()).isBetween(256 * MIB, 256 * MIB * 102 / 100);
        }
    }

    @Test
    void aSequentialReadSoonWaitsForNothing() {
        for (long at = 0; at < 64 * MIB; at += 128 << 10) {
            read(at, 128 << 10, GIB);
        }
        assertThat(demands).isLessThanOrEqualTo(2);
        assertThat(ahead.getLast().requestBytes()).isEqualTo(1 << 20);
        assertThat(ahead.getLast().length()).isGreaterThanOrEqualTo(1 << 20);
    }

    @Test
    void whatIsFetchedAheadIsAtMostTwiceWhatWasRead() {
        long length = 4096;
        for (long at = 0; at < 4 * MIB; at += length) {
            read(at, (int) length, GIB);
            long allowed = 3 * (at + length) + 128 * KIB;
            assertThat(fetchedBytes()).isLessThanOrEqualTo(allowed);
        }
    }

    @Test
    void nothingIsFetchedBehindTheEndOfTheFile() {
        long size = 3 * MIB + 123;
        for (long at = 0; at < size; at += 64 << 10) {
            read(at, 64 << 10, size);
        }
        assertThat(fetchedBytes()).isEqualTo((size + 4095) / 4096 * 4096);
    }

    @Test
    void readsThatTheKernelSwapsAreStillOneStream() {
        Random random = new Random(SEED);
        List<Long> offsets = new ArrayList<>();
        for (long at = 0; at < 32 * MIB; at += 128 << 10) {
            offsets.add(at);
        }
        for (int i = 4; i + 1 < offsets.size(); i += 2) {
            if (random.nextBoolean()) {
                offsets.add(i, offsets.remove(i + 1));
            }
        }
        offsets.forEach(at -> read(at, 128 << 10, GIB));
        assertThat(demands).as("seed %d", SEED).isLessThanOrEqualTo(3);
    }

    @Test
    void severalInterleavedStreamsAreFollowedEach() {
        long length = 64 << 10;
        for (long at = 0; at < 16 * MIB; at += length) {
            for (int stream = 0; stream < 4; stream++) {
                read(10L * stream * GIB + at, (int) length, 100 * GIB);
            }
        }
        assertThat(demands).isLessThanOrEqualTo(4 * 3);
    }

    @Test
    void aStridedReaderIsServedExactly() {
        long stride = 10 * MIB;
        int reads = 200;
        for (long i = 0; i < reads; i++) {
            read(i * stride, 8192, 100 * GIB);
        }
        assertThat(demands).isLessThanOrEqualTo(4);
        assertThat(fetchedBytes()).isLessThanOrEqualTo((reads + 16) * 8192L + 3 * 64 * KIB);
    }

    @Test
    void aReaderThatStridesBackwardsIsServedToo() {
        long stride = 10 * MIB;
        for (long i = 200; i >= 0; i--) {
            read(i * stride, 8192, 100 * GIB);
        }
        assertThat(demands).isLessThanOrEqualTo(4);
    }

    @Test
    void interleavedStridesAreTold() {
        for (long i = 0; i < 100; i++) {
            read(i * 3 * MIB, 4096, 100 * GIB);
            read(50 * GIB + i * 5 * MIB, 4096, 100 * GIB);
        }
        assertThat(demands).isLessThanOrEqualTo(12);
    }

    @Test
    void readsThatStayNearEachOtherAreGivenMore() {
        long[] places = {10, 300, 40, 220, 131, 70, 255, 180};
        for (long place : places) {
            assertThat(demands).isLessThan(places.length);
            read(GIB + place * 4096, 4096, 100 * GIB);
        }
        long start = planner.demandStart(GIB + MIB, 4096);
        assertThat(planner.demandEnd(GIB + MIB, 4096, 100 * GIB) - start).isEqualTo(64 * KIB);
    }

    @Test
    void noSequenceOfReadsMakesItAskForNonsense() {
        Random random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            FetchPlannerTest run = new FetchPlannerTest();
            long size = 1 + random.nextLong(1L << (10 + random.nextInt(30)));
            long at = random.nextLong(size);
            for (int i = 0; i < 100; i++) {
                int length = (int) Math.min(1 + random.nextInt(1 << 17), size - at);
                run.read(at, length, size);
                at = switch (random.nextInt(4)) {
                    case 0 -> random.nextLong(size);
                    case 1 -> Math.floorMod(at - random.nextLong(1 << 20), size);
                    default -> (at + length) % size;
                };
            }
            run.ahead.forEach(plan -> {
                assertThat(plan.count()).isPositive();
                assertThat(plan.length()).isPositive();
            });
        }
    }
}
