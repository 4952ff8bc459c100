package spigot.transport.tls;

import java.time.Duration;

/** Durations as nanoseconds that can be added to {@link System#nanoTime}, however long they are meant to be. */
final class Patience {
    private static final long FOREVER_NANOS = Long.MAX_VALUE / 4;
    private static final Duration FOREVER = Duration.ofNanos(FOREVER_NANOS);

    private Patience() {}

    static long nanos(Duration duration) {
        return duration.compareTo(FOREVER) >= 0 ? FOREVER_NANOS : duration.toNanos();
    }
}
