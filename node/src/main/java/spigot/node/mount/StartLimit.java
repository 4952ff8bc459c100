package spigot.node.mount;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Bounds what one thread does between making and closing this: it is interrupted when the time is over, and when it does not end then, the last resort is taken. One
 * thread of its own; used by the thread that is bounded.
 */
final class StartLimit implements AutoCloseable {
    private final Thread bounded = Thread.currentThread();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile boolean passed;

    /**
     * @param limit until the interrupt
     * @param grace from then on until the last resort
     */
    StartLimit(Duration limit, Duration grace, Runnable lastResort) {
        Thread.ofPlatform().daemon().name("start-limit").start(() -> watch(limit, grace, lastResort));
    }

    private void watch(Duration limit, Duration grace, Runnable lastResort) {
        try {
            if (!over.await(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                passed = true;
                bounded.interrupt();
                if (!over.await(grace.toNanos(), TimeUnit.NANOSECONDS)) {
                    lastResort.run();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        }
    }

    /** Whether the time was over before this was closed. */
    boolean hasPassed() {
        return passed;
    }

    @Override
    public void close() {
        over.countDown();
    }
}
