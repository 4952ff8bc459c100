package spigot.transport.tls;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many lines of one kind may be logged: strangers who knock at the port, a scanner or a load balancer's check, must not fill the log. In
 * each window the first few are logged, the others counted; the first line of a later window says how many were left out. Safe for any thread.
 */
final class LogBudget {
    private final int lines;
    private final long windowNanos;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private long windowStart;

    @GuardedBy("lock")
    private int used;

    @GuardedBy("lock")
    private long leftOut;

    /** @param lines at least one, in each window */
    LogBudget(int lines, Duration window) {
        this.lines = lines;
        this.windowNanos = window.toNanos();
    }

    /**
     * @param nowNanos of a clock like {@link System#nanoTime}
     * @return how many were left out before this one; empty: leave this one out, too
     */
    OptionalLong take(long nowNanos) {
        lock.lock();
        try {
            if (used > 0 && nowNanos - windowStart >= windowNanos) {
                used = 0;
            }
            if (used == 0) {
                windowStart = nowNanos;
            }
            if (used >= lines) {
                leftOut++;
                return OptionalLong.empty();
            }
            used++;
            long before = leftOut;
            leftOut = 0;
            return OptionalLong.of(before);
        } finally {
            lock.unlock();
        }
    }
}
