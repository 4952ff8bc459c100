package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("Readers")
@Timeout(60)
class ReadersTest {
    private static final int GENERATIONS = 20_000;
    private static final int THREADS = 3;

    @Test
    void areWaitedForByWhoBeganLaterAndNobodyWaitsForEver() throws Exception {
        Readers readers = new Readers();
        // What a folding waits for, and then takes away.
        AtomicLong oldestAllowed = new AtomicLong();
        AtomicLong newest = new AtomicLong();
        AtomicBoolean done = new AtomicBoolean();
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<Future<Long>> all = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Callable<Long> reader = () -> {
                    long count = 0;
                    for (; !done.get(); count++) {
                        int entered = readers.enter();
                        long view = newest.get();
                        if (count % 64 == 0) {
                            Thread.yield();
                        }
                        assertThat(view).isGreaterThanOrEqualTo(oldestAllowed.get());
                        readers.leave(entered);
                    }
                    return count;
                };
                all.add(threads.submit(reader));
            }
            try {
                for (int i = 1; i <= GENERATIONS; i++) {
                    newest.set(i);
                    readers.begin();
                    readers.awaitOlder();
                    oldestAllowed.set(i);
                }
            } finally {
                done.set(true);
            }
            for (Future<Long> one : all) {
                assertThat(one.get()).isPositive();
            }
        }
    }
}
