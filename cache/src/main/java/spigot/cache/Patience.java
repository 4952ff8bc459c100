package spigot.cache;

import java.time.Duration;

/** How long one operation tries again when nobody answers, as the policy says. For one thread. */
final class Patience {
    private static final long FIRST_PAUSE_MILLIS = 50;
    private static final long LAST_PAUSE_MILLIS = 1_000;
    private static final long STALE_SILENCE_NANOS = 2_000_000_000L;
    private static final long SILENCE_NANOS = 30_000_000_000L;
    private static final long LONGEST_CALL_NANOS = 15_000_000_000L;
    private static final long NEVER_NANOS = Duration.ofDays(3650).toNanos();

    /** What is cached is served in the second round at the latest: in between, the catalog was asked for other servers. */
    private static final int STALE_ROUNDS = 2;

    private final OnUnreachable policy;
    private final long deadlineNanos;
    private int rounds;

    Patience(CacheConfig config) {
        this(config.onUnreachable(), config.timeout());
    }

    Patience(OnUnreachable policy, Duration timeout) {
        this.policy = policy;
        long now = System.nanoTime();
        deadlineNanos = switch (policy) {
            case WAIT -> now + NEVER_NANOS;
            case FAIL, STALE -> now + timeout.toNanos();
        };
    }

    /** Whether it has ended; to be asked after each round in vain. */
    boolean isOver() {
        rounds++;
        return switch (policy) {
            case WAIT -> false;
            case FAIL -> leftNanos() <= 0;
            case STALE -> rounds >= STALE_ROUNDS || leftNanos() <= 0;
        };
    }

    long deadlineNanos() {
        return deadlineNanos;
    }

    private long leftNanos() {
        return deadlineNanos - System.nanoTime();
    }

    /** How long the last source that is left may be silent. */
    long silenceNanos() {
        return switch (policy) {
            case WAIT, FAIL -> SILENCE_NANOS;
            case STALE -> STALE_SILENCE_NANOS;
        };
    }

    /** For one call to one server. */
    Duration callTimeout() {
        long longest = policy == OnUnreachable.STALE ? STALE_SILENCE_NANOS : LONGEST_CALL_NANOS;
        return Duration.ofNanos(Math.clamp(leftNanos(), 1_000_000, longest));
    }

    /** Before the next round. */
    void pause() throws InterruptedException {
        long millis = Math.min(LAST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(rounds, 6));
        Thread.sleep(Math.clamp(leftNanos() / 1_000_000, 1, millis));
    }
}
