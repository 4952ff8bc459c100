package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.Version;

/** What must not be waited for in vain. */
@DisplayName("The threads of the commits")
@Timeout(60)
class CommitThreadsTest {
    private static final CommitLimits LIMITS = new CommitLimits(4_096, 1 << 20, 1 << 20, 1_000, 10_000, 10, 0, 200);

    @Test
    void tellEachThatWaitsWhenAnAppendBreaksTheLog() throws Exception {
        CommitBench bench = new CommitBench(CommitBench.all(), LIMITS, "hello");
        CountDownLatch syncing = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicBoolean failing = new AtomicBoolean();
        bench.disk.hook((operation, file) -> {
            if (operation.equals("sync") && Thread.currentThread().getName().equals("commit-sync")) {
                syncing.countDown();
                awaitLatch(goOn);
            } else if (operation.equals("write") && failing.get()) {
                throw new SystemCallException("write to", file, Errno.EIO);
            }
        });
        bench.commits.start();
        CompletableFuture<Committed> first = bench.commits.submit(CommitBench.write(0, "J"));
        syncing.await();
        CompletableFuture<Committed> second = bench.commits.submit(CommitBench.write(1, "E"));
        failing.set(true);
        assertThatExceptionOfType(SystemCallException.class)
                .isThrownBy(() -> bench.commits.submit(CommitBench.write(2, "L")));
        goOn.countDown();
        assertThat(first.get(30, TimeUnit.SECONDS).version()).isEqualTo(new Version(1, 1));
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> second.get(30, TimeUnit.SECONDS))
                .withMessageContaining("EIO");
        failing.set(false);
        bench.commits.close();
    }

    @Test
    void foldAtOnceWhatIsDue() throws Exception {
        CommitBench bench = new CommitBench(CommitBench.all(), LIMITS, "hello");
        bench.commits.start();
        // Each time the folding may just have begun to wait for a minute.
        for (int i = 0; i < 500; i++) {
            bench.commit(0, "J");
            while (bench.commits.view(CommitBench.FILE).isDirty()) {
                Thread.onSpinWait();
            }
        }
        bench.commits.close();
    }

    @Test
    void foldForWhoWaitsEvenWhenNothingElseIsUrgent() throws Exception {
        CommitLimits limits = new CommitLimits(1 << 20, 4 << 20, 1 << 20, 8, 10_000, 10, 600_000, 0);
        CommitBench bench = new CommitBench(CommitBench.all(), limits, "hello");
        bench.commits.start();
        for (int i = 0; i < 3; i++) {
            bench.commit(i * 10L, "X");
        }
        ByteBuffer one = ByteBuffer.wrap(new byte[] {'Y'});
        Mutation three = new Mutation.Write(java.util.List.of(
                new Mutation.Piece(100, one), new Mutation.Piece(110, one), new Mutation.Piece(120, one)));
        assertThat(bench.commits
                        .commit(CommitBench.request(three, null))
                        .version()
                        .index())
                .isEqualTo(4);
        bench.commits.close();
    }

    @Test
    void goOnAfterAFoldingThatBroke() throws Exception {
        CommitBench bench = new CommitBench(CommitBench.all(), LIMITS, "hello");
        AtomicBoolean broken = new AtomicBoolean(true);
        bench.disk.hook((operation, file) -> {
            if (operation.equals("setModified") && broken.get()) {
                throw new IllegalStateException("a fault");
            }
        });
        bench.commits.start();
        bench.commit(0, "J");
        await().until(() -> bench.heard.stream().anyMatch(heard -> heard.contains("a fault")));
        broken.set(false);
        await().until(() -> !bench.commits.view(CommitBench.FILE).isDirty());
        bench.commits.close();
        assertThat(bench.published()).isEqualTo("Jello");
    }

    @Test
    void takeNothingWhenTheyHaveEnded() throws Exception {
        CommitBench bench = new CommitBench(CommitBench.all(), LIMITS, "hello");
        bench.commits.start();
        bench.commits.close();
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> bench.commit(0, "J"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> bench.commits.install(new FileId(0, 2), 1, CommitBench.FIRST, bench.fingerprint()));
    }

    @Test
    void letAFileBeForgottenOnlyWhenNobodyReadsItAnyMore() throws Exception {
        CommitBench bench = new CommitBench(CommitBench.all(), LIMITS, "hello");
        bench.commit(0, "J");
        bench.commits.foldAll();
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        bench.disk.hook((operation, file) -> {
            if (operation.equals("read") && Thread.currentThread().getName().equals("reader")) {
                reading.countDown();
                awaitLatch(goOn);
            }
        });
        StringBuffer seen = new StringBuffer();
        Thread reader = Thread.ofPlatform().name("reader").start(() -> {
            try {
                seen.append(bench.read());
            } catch (IOException e) {
                seen.append(e);
            }
        });
        reading.await();
        Thread forgetting = Thread.ofPlatform().start(() -> {
            try {
                bench.commits.forget(CommitBench.FILE);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        await().until(() -> forgetting.getState() == Thread.State.WAITING || !forgetting.isAlive());
        assertThat(forgetting.isAlive()).isTrue();
        goOn.countDown();
        forgetting.join();
        reader.join();
        assertThat(seen).hasToString("Jello");
        assertThatExceptionOfType(CommitRefusedException.class).isThrownBy(() -> bench.commits.view(CommitBench.FILE));
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
