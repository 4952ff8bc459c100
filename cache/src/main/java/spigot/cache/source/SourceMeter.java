package spigot.cache.source;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.locks.ReentrantLock;

/** How well one source serves, as moving averages. Safe for any thread; times come from the caller. */
final class SourceMeter {
    private static final double WEIGHT = 0.25;
    private static final long MIN_BYTES_FOR_RATE = 64 << 10;
    private static final long MIN_SILENCE_NANOS = 500_000_000L;
    private static final int SILENCE_FACTOR = 4;
    private static final long FIRST_PAUSE_NANOS = 1_000_000_000L;
    private static final int MAX_PAUSE_DOUBLINGS = 5;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private double firstByteNanos;

    @GuardedBy("lock")
    private double bytesPerNano;

    @GuardedBy("lock")
    private long outstandingBytes;

    @GuardedBy("lock")
    private long receivedBytes;

    @GuardedBy("lock")
    private long failures;

    @GuardedBy("lock")
    private int failuresInSequence;

    @GuardedBy("lock")
    private long pausedUntilNanos;

    void asked(long bytes) {
        lock.lock();
        try {
            outstandingBytes += bytes;
        } finally {
            lock.unlock();
        }
    }

    /** Answered, refused or given up: nothing is owed any more. */
    void settled(long bytes) {
        lock.lock();
        try {
            outstandingBytes -= bytes;
        } finally {
            lock.unlock();
        }
    }

    /**
     * It answered.
     *
     * @param travelledBytes of the payload
     */
    void answered(long firstByte, long travelledBytes, long transferNanos) {
        lock.lock();
        try {
            failuresInSequence = 0;
            receivedBytes += travelledBytes;
            firstByteNanos = average(firstByteNanos, (double) Math.max(1, firstByte));
            if (travelledBytes >= MIN_BYTES_FOR_RATE) {
                bytesPerNano = average(bytesPerNano, (double) travelledBytes / Math.max(1, transferNanos));
            }
        } finally {
            lock.unlock();
        }
    }

    private static double average(double before, double sample) {
        return before == 0 ? sample : before + WEIGHT * (sample - before);
    }

    /** It answered nothing for so long, while another one was there to ask: it is slower than was thought. */
    void silent(long waitedNanos, long now) {
        lock.lock();
        try {
            firstByteNanos = Math.max(firstByteNanos, average(firstByteNanos, (double) waitedNanos));
            failedLocked(now);
        } finally {
            lock.unlock();
        }
    }

    void failed(long now) {
        lock.lock();
        try {
            failedLocked(now);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void failedLocked(long now) {
        failures++;
        pausedUntilNanos = now + (FIRST_PAUSE_NANOS << Math.min(failuresInSequence, MAX_PAUSE_DOUBLINGS));
        failuresInSequence++;
    }

    /** It lives: a new link was made. */
    void reached() {
        lock.lock();
        try {
            failuresInSequence = 0;
        } finally {
            lock.unlock();
        }
    }

    boolean isAvailable(long now) {
        lock.lock();
        try {
            return isAvailableLocked(now);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private boolean isAvailableLocked(long now) {
        return failuresInSequence == 0 || now - pausedUntilNanos >= 0;
    }

    /** After how long without a byte it is taken to be silent. */
    long silenceNanos() {
        lock.lock();
        try {
            return Math.max(MIN_SILENCE_NANOS, (long) (SILENCE_FACTOR * firstByteNanos));
        } finally {
            lock.unlock();
        }
    }

    SourceEstimate estimate(long now) {
        lock.lock();
        try {
            return new SourceEstimate(isAvailableLocked(now), (long) firstByteNanos, bytesPerNano, outstandingBytes);
        } finally {
            lock.unlock();
        }
    }

    long receivedBytes() {
        lock.lock();
        try {
            return receivedBytes;
        } finally {
            lock.unlock();
        }
    }

    long failures() {
        lock.lock();
        try {
            return failures;
        } finally {
            lock.unlock();
        }
    }
}
