package spigot.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import spigot.model.FileRecord;

/** A file at two or three servers, of which some break. */
class FailoverTest {
    private static final int MIB = 1 << 20;

    private final TestGrid grid = new TestGrid();
    private final TestServer home = grid.server();
    private final TestServer second = grid.server();
    private final TestContent content = TestContent.noise(24 * MIB, 3);
    private final FileRecord record = grid.file(content, home, second);

    @AfterEach
    void end() {
        grid.close();
    }

    private void readAll(OpenFile file, long from, long to) throws Exception {
        for (long at = from; at < to; at += 256 << 10) {
            assertThat(java.util.Arrays.equals(grid.read(file, at, 256 << 10), content.bytes(at, 256 << 10)))
                    .as("at %d", at)
                    .isTrue();
        }
    }

    @Test
    void allReplicasOfAFileAreUsed() throws Exception {
        home.delayMillis = 20;
        second.delayMillis = 20;
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, content.size());
        }
        assertThat(home.sentBytes.get()).isGreaterThan(MIB);
        assertThat(second.sentBytes.get()).isGreaterThan(MIB);
        // A source that seems silent, as on a machine that stands still for a moment, is asked for up to a MiB in vain.
        assertThat(home.sentBytes.get() + second.sentBytes.get())
                .isBetween(content.size(), content.size() + client.statistics().sourceSwitches() * MIB);
        assertThat(client.sources()).hasSize(2).allMatch(SourceStatus::available);
    }

    @Test
    void aSlowReplicaGetsLessToDo() throws Exception {
        home.delayMillis = 5;
        second.delayMillis = 200;
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, content.size());
        }
        assertThat(second.sentBytes.get()).isLessThan(home.sentBytes.get() / 2);
    }

    @Test
    void whenTheHomeDiesInTheMiddleOfAReadAnotherReplicaGoesOn() throws Exception {
        FileClient client = grid.client();
        try (OpenFile file = client.open(record);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            home.delayMillis = 30;
            second.delayMillis = 30;
            Future<?> reader = threads.submit(() -> {
                readAll(file, 0, content.size());
                return null;
            });
            await().until(() -> home.reads.get() > 3);
            home.kill();
            reader.get();
        }
        assertThat(second.sentBytes.get()).isGreaterThan(MIB);
    }

    @Test
    void aHomeThatIsKilledBeforeAnyOtherReplicaIsKnownIsRoutedAroundToo() throws Exception {
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            home.kill();
            readAll(file, 0, MIB);
        }
        assertThat(client.statistics().openRequests()).isLessThanOrEqualTo(3);
    }

    @Test
    void aHomeThatFallsSilentIsLeftWithinTheSameRead() throws Exception {
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            second.delayMillis = 400; // so that the home is preferred
            readAll(file, 0, 4 * MIB);
            await().until(() -> client.sources().size() == 2);
            home.answerReads = 0;
            long start = System.nanoTime();
            readAll(file, 12 * MIB, 13 * MIB);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
            assertThat(client.statistics().sourceSwitches()).isPositive();
        }
    }

    @Test
    void aCorruptBlockIsFetchedFromAnotherSource() throws Exception {
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, MIB);
            await().until(() -> client.sources().size() == 2);
            home.corrupt.set(1000);
            second.corrupt.set(1);
            readAll(file, MIB, 4 * MIB);
        }
        assertThat(client.statistics().corruptBlocksReceived()).isPositive();
    }

    @Test
    void openHandlesGoOnReadingTheirVersionWhileTheHomeIsGone() throws Exception {
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, MIB);
            home.kill();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> client.statistics().leasedFiles() == 0);
            long start = System.nanoTime();
            readAll(file, 0, 8 * MIB);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
            assertThat(file.record()).isEqualTo(record);
        }
    }

    @Test
    void afterAFailoverTheFileIsOpenedAtItsNewHome() throws Exception {
        FileClient client = grid.client();
        client.open(record).close();
        home.kill();
        grid.nominee = second;
        await().atMost(Duration.ofSeconds(20)).until(() -> client.tryOpen(record) == null);
        try (OpenFile file = client.open(record)) {
            assertThat(file.record().home()).isEqualTo(second.id);
            readAll(file, 0, MIB);
        }
        assertThat(second.opens).hasValueGreaterThanOrEqualTo(1);
    }

    @Test
    void aServerThatComesBackIsUsedAgain() throws Exception {
        FileClient client = grid.client();
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, 2 * MIB);
            home.kill();
            readAll(file, 2 * MIB, 8 * MIB);
            long before = home.sentBytes.get();
            home.revive();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> client.sources().stream().allMatch(SourceStatus::available));
            second.kill();
            readAll(file, 8 * MIB, content.size()); // more than was read ahead before
            assertThat(home.sentBytes.get()).isGreaterThan(before);
        }
    }

    // ---- none is left

    private FileClient client(OnUnreachable policy, Duration timeout) throws Exception {
        return grid.client(CacheConfig.inMemory().withMemoryBytes(64 << 20).withOnUnreachable(policy, timeout));
    }

    @Test
    void failMeansAnErrorWithinTheTimeout() throws Exception {
        FileClient client = client(OnUnreachable.FAIL, Duration.ofSeconds(2));
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, MIB);
            home.kill();
            second.kill();
            long start = System.nanoTime();
            assertThatThrownBy(() -> grid.read(file, 20 * MIB, 4096))
                    .isInstanceOf(UnreachableException.class)
                    .hasMessageContaining(record.id().toString());
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isBetween(Duration.ofMillis(1_900), Duration.ofSeconds(20));
            readAll(file, 0, MIB);
        }
        assertThatThrownBy(() -> client.open(grid.file(content, home))).isInstanceOf(UnreachableException.class);
    }

    @Test
    void failAlsoEndsReadsFromServersThatAreSilent() throws Exception {
        FileClient client = client(OnUnreachable.FAIL, Duration.ofSeconds(2));
        try (OpenFile file = client.open(record)) {
            home.freeze();
            second.freeze();
            long start = System.nanoTime();
            assertThatThrownBy(() -> grid.read(file, 20 * MIB, 4096)).isInstanceOf(UnreachableException.class);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
        }
    }

    @Test
    void waitMeansUntilAServerIsBackAndCanBeInterrupted() throws Exception {
        FileClient client = client(OnUnreachable.WAIT, Duration.ofMillis(100));
        try (OpenFile file = client.open(record);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            home.kill();
            second.kill();
            Future<byte[]> killed = threads.submit(() -> grid.read(file, 20 * MIB, 4096));
            Future<byte[]> waiting = threads.submit(() -> grid.read(file, 20 * MIB, 4096));
            int locates = grid.locates.get();
            await().atMost(Duration.ofSeconds(20)).until(() -> grid.locates.get() > locates + 2);
            assertThat(waiting.isDone()).isFalse();
            killed.cancel(true);
            second.revive();
            assertThat(waiting.get()).isEqualTo(content.bytes(20 * MIB, 4096));
        }
    }

    @Test
    void staleMeansWhatIsCachedIsOpenedAndReadAndTheRestFailsSoon() throws Exception {
        FileClient client = client(OnUnreachable.STALE, Duration.ofSeconds(30));
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, MIB);
        }
        home.kill();
        second.kill();
        await().atMost(Duration.ofSeconds(20)).until(() -> client.statistics().leasedFiles() == 0);
        long start = System.nanoTime();
        try (OpenFile file = client.open(record)) {
            assertThat(file.record()).isEqualTo(record);
            readAll(file, 0, MIB);
            assertThatThrownBy(() -> grid.read(file, 20 * MIB, 4096)).isInstanceOf(UnreachableException.class);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    }

    @Test
    void staleDoesNotWaitForSilentServersForLong() throws Exception {
        FileClient client = client(OnUnreachable.STALE, Duration.ofSeconds(30));
        try (OpenFile file = client.open(record)) {
            home.freeze();
            second.freeze();
            long start = System.nanoTime();
            assertThatThrownBy(() -> grid.read(file, 20 * MIB, 4096)).isInstanceOf(UnreachableException.class);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
        }
    }

    @Test
    void staleAnswersAtOnceWhenItsServersAreKnownToBeSilentAndIsFreshSoonWhenTheyAreNot() throws Exception {
        FileClient client = client(OnUnreachable.STALE, Duration.ofSeconds(60));
        FileRecord other = grid.file(TestContent.noise(MIB, 7), home, second);
        client.open(other).close();
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, MIB);
        }
        home.freeze();
        second.freeze();
        grid.catalogIsSilent = true;
        await().atMost(Duration.ofSeconds(20)).until(() -> client.statistics().leasedFiles() == 0);
        client.open(record).close(); // finds out
        long start = System.nanoTime();
        try (OpenFile kept = client.open(record)) {
            AtomicInteger rounds = new AtomicInteger();
            // Longer than what an open handle was told counts as fresh.
            await().pollInterval(Duration.ofMillis(100))
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> {
                        try (OpenFile file = client.open(record)) {
                            assertThat(file.record()).isEqualTo(record);
                            readAll(file, 0, MIB);
                        }
                        client.open(other).close();
                        readAll(kept, 0, MIB);
                        return rounds.incrementAndGet() >= 20;
                    });
        }
        // Each open took some 6 s, and each read of an open file 2 s, once in a second.
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));

        grid.catalogIsSilent = false;
        home.thaw();
        second.thaw();
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            client.open(record).close();
            assertThat(client.statistics().leasedFiles()).isPositive();
        });
    }

    @Test
    void staleDoesNotWaitForASilentCatalogForLong() throws Exception {
        FileClient client = client(OnUnreachable.STALE, Duration.ofSeconds(50));
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, MIB);
        }
        grid.catalogIsSilent = true;
        home.kill();
        second.kill();
        await().atMost(Duration.ofSeconds(20)).until(() -> client.statistics().leasedFiles() == 0);
        long start = System.nanoTime();
        try (OpenFile file = client.open(record)) {
            readAll(file, 0, MIB);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    }

    @Test
    void failGivesUpInTimeAlsoWhenTheCatalogIsSilent() throws Exception {
        FileClient client = client(OnUnreachable.FAIL, Duration.ofSeconds(2));
        grid.catalogIsSilent = true;
        home.kill();
        second.kill();
        long start = System.nanoTime();
        assertThatThrownBy(() -> client.open(record)).isInstanceOf(IOException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    }
}
