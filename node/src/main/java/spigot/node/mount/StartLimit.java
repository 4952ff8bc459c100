package spigot.node.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bounds what one thread does between making and closing this: it is interrupted when the time is over, and when it does not end then,
 * the last resort is taken. After closing it is not interrupted, nor left so. One thread of its own; used by the thread that is bounded.
 */
final class StartLimit implements AutoCloseable {
    private final Thread bounded = Thread.currentThread();
    private final CountDownLatch over = new CountDownLatch(1);
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private boolean passed;

    @GuardedBy("lock")
    private boolean closed;

    /**
     * @param limit until the interrupt
     * @param grace from then on until the last resort
     */
    StartLimit(Duration limit, Duration grace, Runnable lastResort) {
        Thread.ofPlatform().daemon().name("start-limit").start(() -> watch(limit, grace, lastResort));
    }

    private void watch(Duration limit, Duration grace, Runnable lastResort) {
        try {
            if (!over.await(limit.toNanos(), TimeUnit.NANOSECONDS)
                    && interrupt()
                    && !over.await(grace.toNanos(), TimeUnit.NANOSECONDS)) {
                lastResort.run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        }
    }

    /** @return false when it is closed */
    private boolean interrupt() {
        lock.lock();
        try {
            if (!closed) {
                passed = true;
                bounded.interrupt();
            }
            return passed;
        } finally {
            lock.unlock();
        }
    }

    /** Whether the time was over before this was closed. */
    boolean hasPassed() {
        lock.lock();
        try {
            return passed;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (passed) {
                boolean _ = Thread.interrupted(); // it was done all the same
            }
        } finally {
            lock.unlock();
        }
        over.countDown();
    }
}
