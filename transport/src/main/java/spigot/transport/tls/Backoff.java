package spigot.transport.tls;

import java.util.random.RandomGenerator;

/** How long to wait before the next attempt: twice as long after each failure, up to a bound, less a random part. Stateless. */
final class Backoff {
    static final long FIRST_NANOS = 100_000_000L;
    static final long LONGEST_NANOS = 5_000_000_000L;
    private static final int MAX_DOUBLINGS = 20;

    private Backoff() {}

    /**
     * @param failures in a row, 1 after the first
     * @return between half of the full pause and all of it, so that many clients of a server that returns do not come at once
     */
    static long pauseNanos(int failures, RandomGenerator random) {
        long full = Math.min(LONGEST_NANOS, FIRST_NANOS << Math.min(failures - 1, MAX_DOUBLINGS));
        return full / 2 + random.nextLong(full / 2 + 1);
    }
}
