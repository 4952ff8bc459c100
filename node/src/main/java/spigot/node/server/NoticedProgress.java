package spigot.node.server;

import java.util.Locale;
import java.util.function.Consumer;
import spigot.model.LogicalPath;
import spigot.replica.ProgressListener;

/** Tells of a long registration every few seconds. Called by one thread. */
final class NoticedProgress implements ProgressListener {
    private static final long INTERVAL_NANOS = 5_000_000_000L;

    private final LogicalPath path;
    private final Consumer<String> notice;
    private long last = System.nanoTime();

    NoticedProgress(LogicalPath path, Consumer<String> notice) {
        this.path = path;
        this.notice = notice;
    }

    @Override
    public void progress(long seen, long registered, long skipped) {
        long now = System.nanoTime();
        if (now - last >= INTERVAL_NANOS) {
            last = now;
            notice.accept(String.format(
                    Locale.ROOT,
                    "%s: %,d entries looked at, %,d registered, %,d skipped",
                    path,
                    seen,
                    registered,
                    skipped));
        }
    }
}
