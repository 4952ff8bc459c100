package spigot.session;

import java.util.concurrent.atomic.AtomicBoolean;

/** Runs once, however often it is closed. */
final class OpenRecall implements Recall {
    private final AtomicBoolean open = new AtomicBoolean(true);
    private final Runnable finish;

    OpenRecall(Runnable finish) {
        this.finish = finish;
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            finish.run();
        }
    }
}
