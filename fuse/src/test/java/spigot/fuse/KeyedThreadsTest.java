package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class KeyedThreadsTest {
    private final KeyedThreads threads = new KeyedThreads("keyed-test-", 100);

    @AfterEach
    void close() {
        threads.close();
    }

    @Test
    void tasks_of_one_key_run_in_order_and_never_together() throws Exception {
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger inside = new AtomicInteger();
        List<CompletableFuture<Boolean>> results = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            int number = i;
            results.add(threads.submit(7, () -> {
                boolean alone = inside.incrementAndGet() == 1;
                order.add(number);
                inside.decrementAndGet();
                return alone;
            }));
        }
        for (CompletableFuture<Boolean> result : results) {
            assertThat(result.get(10, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(order).isSorted().hasSize(500);
    }

    @Test
    void a_blocked_key_holds_up_no_other() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        List<CompletableFuture<Boolean>> blocked = new ArrayList<>();
        for (int key = 0; key < KeyedThreads.MAX_THREADS - 1; key++) {
            blocked.add(threads.submit(key, () -> {
                release.await();
                return true;
            }));
        }
        assertThat(threads.submit(99, () -> true).get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(blocked).noneMatch(CompletableFuture::isDone);
        release.countDown();
        for (CompletableFuture<Boolean> result : blocked) {
            assertThat(result.get(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void a_failure_is_the_result_of_its_task_only() throws Exception {
        CompletableFuture<Boolean> failed = threads.submit(1, () -> {
            throw new IllegalStateException("as the test wants");
        });
        assertThat(threads.submit(1, () -> false).get(10, TimeUnit.SECONDS)).isFalse();
        assertThat(failed).isCompletedExceptionally();
    }

    @Test
    void at_the_bound_the_caller_waits_for_room() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        for (int i = 0; i < 100; i++) {
            threads.submit(1, () -> {
                release.await();
                return true;
            });
        }
        Thread caller = Thread.ofPlatform().start(() -> threads.submit(2, () -> true));
        await().until(() -> caller.getState() == Thread.State.WAITING);
        assertThat(threads.size()).isEqualTo(100);
        release.countDown();
        assertThat(caller.join(java.time.Duration.ofSeconds(10))).isTrue();
        await().until(() -> threads.size() == 0);
    }

    @Test
    void after_the_end_what_waits_is_run_and_what_comes_is_refused() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<Boolean> running = threads.submit(1, () -> {
            release.await();
            return true;
        });
        CompletableFuture<Boolean> waiting = threads.submit(1, () -> true);
        threads.close();
        assertThat(threads.submit(2, () -> true)).isCompletedExceptionally();
        release.countDown();
        assertThat(running.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(waiting.get(10, TimeUnit.SECONDS)).isTrue();
    }
}
