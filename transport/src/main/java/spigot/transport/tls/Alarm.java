package spigot.transport.tls;

import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The one clock thread of the transports of a process: for deadlines and keepalive. What it runs must not block. */
final class Alarm {
    private static final ScheduledThreadPoolExecutor CLOCK = clock();

    private Alarm() {}

    private static ScheduledThreadPoolExecutor clock() {
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().name("spigot-transport-clock").daemon().factory());
        executor.setRemoveOnCancelPolicy(true);
        return executor;
    }

    static ScheduledFuture<?> after(Duration delay, Runnable action) {
        return CLOCK.schedule(action, delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    static ScheduledFuture<?> every(Duration period, Runnable action) {
        return CLOCK.scheduleAtFixedRate(action, period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
    }
}
