package spigot.replica;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import spigot.session.BootClock;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * Whether the catalog still takes this server for alive. While it may not, it may have given this server's files another home:
 * nothing is opened here, and what was known of the files is confirmed again afterwards. Reads of a version go on. Safe for any
 * thread.
 */
final class CatalogLease {
    private static final long NEVER = Long.MIN_VALUE;

    private final BootClock clock;
    private final long silenceMillis;
    private final AtomicLong heardAt = new AtomicLong(NEVER);
    private final AtomicLong confirmation = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition heard = lock.newCondition();

    /** @param silenceMillis after which the catalog may give up this server, counted from when a heartbeat was sent */
    CatalogLease(BootClock clock, long silenceMillis) {
        this.clock = clock;
        this.silenceMillis = silenceMillis;
    }

    long now() {
        return clock.millis();
    }

    /** A heartbeat that was sent at this time has been answered. */
    void heard(long sentMillis) {
        lock.lock();
        try {
            long before = heardAt.get();
            if (before != NEVER && sentMillis - before >= silenceMillis) {
                confirmation.incrementAndGet();
            }
            heardAt.accumulateAndGet(sentMillis, Math::max);
            heard.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until it is held.
     *
     * @throws FailureException NOT_READY when that takes too long
     */
    void await(Duration patience) throws FailureException, InterruptedException {
        lock.lock();
        try {
            long left = patience.toNanos();
            while (!isHeld() && left > 0) {
                left = heard.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
        require();
    }

    /** Changes whenever the catalog may have decided without this server. */
    long confirmation() {
        return confirmation.get();
    }

    boolean isHeld() {
        long at = heardAt.get();
        return at != NEVER && clock.millis() - at < silenceMillis;
    }

    /** -1 before the first time. */
    long millisSinceHeard() {
        long at = heardAt.get();
        return at == NEVER ? -1 : clock.millis() - at;
    }

    /** @throws FailureException NOT_READY while it is not held */
    void require() throws FailureException {
        if (!isHeld()) {
            throw new FailureException(Failure.newBuilder()
                    .setCode(Failure.Code.NOT_READY)
                    .setMessage("this server has not reached the catalog for " + Math.max(0, millisSinceHeard())
                            + " ms: its files can't be opened until it does")
                    .setRetryAfterMillis(500)
                    .build());
        }
    }
}
