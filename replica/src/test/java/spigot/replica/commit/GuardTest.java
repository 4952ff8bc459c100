package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static spigot.replica.commit.CommitBench.FILE;
import static spigot.replica.commit.CommitBench.LIMITS;
import static spigot.replica.commit.CommitBench.all;
import static spigot.replica.commit.CommitBench.without;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.EnumSource;

/** The guards that need a certain moment, or damage, to matter: what each does, and that it is this guard that does it. */
@DisplayName("A guard of the commit path")
@Timeout(60)
class GuardTest {
    private static final Set<Guard> HERE = EnumSet.of(
            Guard.NO_SECOND_SYNC,
            Guard.HEADER_CHECKSUM,
            Guard.TORN_ONLY_AT_THE_END,
            Guard.NOT_TORN_WHAT_WAS_DURABLE,
            Guard.SYNC_AT_START,
            Guard.UNDO_FAILED_APPEND,
            Guard.NO_SEGMENT_MISSING,
            Guard.BOUNDED_WAITING,
            Guard.BOUNDED_RANGES,
            Guard.WAIT_FOR_READERS,
            Guard.READ_SEGMENTS_STAY_OPEN,
            Guard.LOOK_BEFORE_FOLDING);

    @Test
    void isTakenAwaySomewhere() throws Exception {
        EnumSet<Guard> tested = EnumSet.copyOf(HERE);
        EnumSource simulated = SimulationTest.class
                .getDeclaredMethod("areWrongWithoutAnyOfTheirGuards", Guard.class)
                .getAnnotation(EnumSource.class);
        Arrays.stream(simulated.names()).map(Guard::valueOf).forEach(tested::add);
        assertThat(tested).isEqualTo(all());
    }

    @Test
    void neverBelievesASyncAfterOneThatFailed() throws Exception {
        assertThat(survivesAFailedSync(all())).isTrue();
        assertThat(survivesAFailedSync(without(Guard.NO_SECOND_SYNC))).isFalse();
    }

    /** Whether what was acknowledged, if anything, is there after a crash. */
    private static boolean survivesAFailedSync(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "hello");
        bench.disk.failSyncs(1);
        var first = bench.commits.submit(CommitBench.write(0, "J"));
        boolean acknowledged;
        try {
            bench.commits.flush();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("EIO");
        }
        try {
            bench.commits.flush();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("read-only since it failed");
        }
        acknowledged = first.isDone() && !first.isCompletedExceptionally();
        bench.crash();
        return !acknowledged || bench.read().equals("Jello");
    }

    @Test
    void buildsOnNothingThatAFailedSyncHasLeftInThePageCache() throws Exception {
        assertThat(keepsWhatAStartHasShown(all())).isTrue();
        assertThat(keepsWhatAStartHasShown(without(Guard.SYNC_AT_START))).isFalse();
    }

    private static boolean keepsWhatAStartHasShown(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "hello");
        bench.disk.failSyncs(1);
        var _ = bench.commits.submit(CommitBench.write(0, "J"));
        try {
            bench.commits.flush();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("EIO");
        }
        bench.restart();
        String shown = bench.read();
        assertThat(shown).isEqualTo("Jello");
        bench.crash();
        return bench.read().equals(shown);
    }

    @Test
    void findsADamagedDescription() throws Exception {
        assertThat(showsADamagedOffset(all())).isFalse();
        assertThat(showsADamagedOffset(without(Guard.HEADER_CHECKSUM))).isTrue();
    }

    private static boolean showsADamagedOffset(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "hello world");
        bench.commit(0, "J");
        byte[] segment = bench.disk.bytes(bench.lastSegment());
        // The lowest byte of the change's offset: behind its length and kind, before the data.
        int data = lastIndexOf(segment, (byte) 'J');
        segment[data - 10] ^= 4;
        bench.restart();
        return bench.read().equals("hellJ world");
    }

    private static int lastIndexOf(byte[] bytes, byte wanted) {
        int at = bytes.length - 1;
        while (bytes[at] != wanted) {
            at--;
        }
        return at;
    }

    @Test
    void takesOnlyTheLastSegmentForTorn() throws Exception {
        assertThat(openWithDamage(all(), 3_000))
                .contains("segment-0000000000000001")
                .contains("at offset")
                .contains("others follow");
        // Then it is found only that the next segment does not go on there.
        assertThat(openWithDamage(without(Guard.TORN_ONLY_AT_THE_END), 3_000)).doesNotContain("others follow");
    }

    @Test
    void takesOnlyTheLastRecordForTorn() throws Exception {
        assertThat(openWithDamage(all(), 100)).contains("damaged at offset").contains("was durable once");
        assertThat(openWithDamage(without(Guard.NOT_TORN_WHAT_WAS_DURABLE), 100))
                .isEqualTo("opened");
    }

    private static String openWithDamage(Set<Guard> guards, int bytes) throws Exception {
        CommitBench bench = damaged(guards, bytes);
        try {
            bench.restart();
            return "opened";
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** The first of several records has a wrong byte. */
    private static CommitBench damaged(Set<Guard> guards, int bytes) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "hello");
        for (int i = 0; i < 3; i++) {
            bench.commit(0, "X".repeat(bytes));
        }
        byte[] segment = bench.disk.bytes(Segment.name(1));
        int at = 0;
        while (segment[at] != 'X') {
            at++;
        }
        segment[at] = 'Y';
        return bench;
    }

    @Test
    void leavesNothingOfAnAppendThatFailed() throws Exception {
        assertThat(opensAfterAFullDisk(all())).isTrue();
        assertThat(opensAfterAFullDisk(without(Guard.UNDO_FAILED_APPEND))).isFalse();
    }

    private static boolean opensAfterAFullDisk(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "hello");
        bench.commit(0, "X".repeat(500));
        bench.disk.capacity(2_000);
        try {
            bench.commit(0, "Y".repeat(2_500));
            throw new AssertionError("there was room");
        } catch (spigot.linux.SystemCallException e) {
            assertThat(e.errno()).isEqualTo(spigot.linux.Errno.ENOSPC);
        }
        assertThat(bench.read()).isEqualTo("X".repeat(500));
        bench.disk.capacity(Long.MAX_VALUE);
        // In the next segment.
        bench.commit(0, "Z".repeat(3_900));
        try {
            bench.restart();
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("damaged");
            return false;
        }
        return bench.read().equals("Z".repeat(3_900));
    }

    @Test
    void missesASegmentThatIsGone() throws Exception {
        assertThat(opensWithoutTheLastSegments(all())).isFalse();
        assertThat(opensWithoutTheLastSegments(without(Guard.NO_SEGMENT_MISSING)))
                .isTrue();
    }

    private static boolean opensWithoutTheLastSegments(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "hello");
        for (int i = 0; i < 3; i++) {
            bench.commit(0, "X".repeat(3_000));
        }
        bench.commits.foldAll();
        assertThat(bench.disk.list()).anyMatch(name -> name.startsWith("snapshot-"));
        bench.disk.delete(bench.lastSegment());
        try {
            bench.restart();
            return true;
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("has no segment-");
            return false;
        }
    }

    @Test
    void boundsWhatWaitsForTheDisk() throws Exception {
        CommitLimits limits = new CommitLimits(1 << 20, 4 << 20, 3_000, 1_000, 10_000, 10, 0, 0);
        assertThat(mostWaiting(all(), limits)).isLessThanOrEqualTo(3_000);
        assertThat(mostWaiting(without(Guard.BOUNDED_WAITING), limits)).isGreaterThan(3_000);
    }

    private static long mostWaiting(Set<Guard> guards, CommitLimits limits) throws Exception {
        CommitBench bench = new CommitBench(guards, limits, "hello");
        bench.commits.flush();
        Thread writer = Thread.ofPlatform().start(() -> {
            try {
                for (int i = 0; i < 5; i++) {
                    var _ = bench.commits.submit(CommitBench.write(0, "X".repeat(1_000)));
                }
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            } catch (InterruptedException e) {
                // What a writer that waits must do: end.
                return;
            }
        });
        await().until(() -> writer.getState() == Thread.State.WAITING || !writer.isAlive());
        long waiting = bench.commits.figures().waitingBytes();
        writer.interrupt();
        writer.join();
        return waiting;
    }

    @Test
    void boundsTheRangesThatAreNotFolded() throws Exception {
        CommitLimits limits = new CommitLimits(1 << 20, 4 << 20, 1 << 20, 8, 10_000, 10, 0, 0);
        assertThat(mostRanges(all(), limits)).isLessThanOrEqualTo(8);
        assertThat(mostRanges(without(Guard.BOUNDED_RANGES), limits)).isGreaterThan(8);
    }

    private static int mostRanges(Set<Guard> guards, CommitLimits limits) throws Exception {
        CommitBench bench = new CommitBench(guards, limits, "");
        Thread writer = Thread.ofPlatform().start(() -> {
            try {
                for (int i = 0; i < 20; i++) {
                    bench.commit(i * 10L, "X");
                }
            } catch (InterruptedException e) {
                // What a writer that waits must do: end.
                return;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        await().until(() -> writer.getState() == Thread.State.WAITING || !writer.isAlive());
        int ranges = bench.commits.figures().ranges();
        if (writer.isAlive()) {
            // Folding makes room.
            await().until(() -> {
                bench.commits.foldAll();
                return !writer.isAlive();
            });
        }
        writer.join();
        return ranges;
    }

    @Test
    void foldsNothingUnderAReaderWhoBeganBefore() throws Exception {
        assertThat(readWhileFolded(all())).isEqualTo("old old old");
        assertThat(readWhileFolded(without(Guard.WAIT_FOR_READERS))).isEqualTo("new new new");
    }

    /** What a reader gets who looked at the version before the commit and at the file after it. */
    private static String readWhileFolded(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "old old old");
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        bench.disk.hook((operation, file) -> {
            if (operation.equals("read") && Thread.currentThread().getName().equals("reader")) {
                reading.countDown();
                awaitLatch(goOn);
            }
        });
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(
                Thread.ofPlatform().name("reader").factory())) {
            Future<String> read = threads.submit(bench::read);
            reading.await();
            bench.commit(0, "new new new");
            Thread folder = Thread.ofPlatform().name("folder").start(() -> {
                try {
                    bench.commits.foldAll();
                } catch (IOException | InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            await().until(() -> folder.getState() == Thread.State.WAITING || !folder.isAlive());
            goOn.countDown();
            String seen = read.get();
            folder.join();
            assertThat(bench.published()).isEqualTo("new new new");
            return seen;
        }
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void keepsSegmentsThatAreReadFrom() throws Exception {
        assertThat(readWhileTrimmed(all())).startsWith("helloX");
        assertThat(readWhileTrimmed(without(Guard.READ_SEGMENTS_STAY_OPEN))).contains("is closed");
    }

    /** A reader who began after the folding pauses in the middle of a segment until that is deleted. */
    private static String readWhileTrimmed(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "HELLO");
        bench.commit(0, "hello");
        // Another segment, so that the first one is not the last.
        bench.commit(5, "X".repeat(3_900));
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        CountDownLatch begin = new CountDownLatch(1);
        bench.disk.hook((operation, file) -> {
            boolean reader = Thread.currentThread().getName().equals("reader");
            if (reader && operation.equals("read") && file.startsWith("segment")) {
                reading.countDown();
                awaitLatch(goOn);
            } else if (!reader && operation.equals("setModified")) {
                begin.countDown();
                awaitLatch(reading);
            }
        });
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(
                Thread.ofPlatform().name("reader").factory())) {
            Future<String> read = threads.submit(() -> {
                awaitLatch(begin);
                try {
                    return bench.read();
                } catch (IllegalStateException e) {
                    return String.valueOf(e.getMessage());
                }
            });
            bench.commits.foldAll();
            assertThat(bench.disk.list()).doesNotContain(Segment.name(1));
            goOn.countDown();
            return read.get();
        }
    }

    @Test
    void looksAtTheFileBeforeItFolds() throws Exception {
        assertThat(heardOfAChange(all())).isTrue();
        assertThat(heardOfAChange(without(Guard.LOOK_BEFORE_FOLDING))).isFalse();
    }

    private static boolean heardOfAChange(Set<Guard> guards) throws Exception {
        CommitBench bench = new CommitBench(guards, LIMITS, "hello world");
        bench.commit(0, "J");
        try (StoredFile file = bench.disk.open(CrashDisk.name(FILE))) {
            file.write(ByteBuffer.wrap(new byte[] {'Y', 'y'}), 0);
            file.write(ByteBuffer.wrap(new byte[] {'W'}), 6);
        }
        bench.commits.foldAll();
        assertThat(bench.published()).isEqualTo("Jyllo World");
        return bench.heard.contains("changed 1.2");
    }
}
