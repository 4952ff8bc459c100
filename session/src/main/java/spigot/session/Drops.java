package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has something dropped, on at most {@value #WORKERS} virtual threads at a time. The queue is as long as the holder's bound of
 * drops lets it be. Safe for any thread.
 */
final class Drops<T> {
    static final int WORKERS = 16;

    private static final Logger log = LoggerFactory.getLogger(Drops.class);

    private final String name;
    private final BiConsumer<T, Runnable> listener;
    private final Consumer<T> dropped;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final ArrayDeque<T> queue = new ArrayDeque<>();

    @GuardedBy("lock")
    private int workers;

    /**
     * @param listener drops it, and runs what it gets then
     * @param dropped told of each when it is gone
     */
    Drops(String name, BiConsumer<T, Runnable> listener, Consumer<T> dropped) {
        this.name = name;
        this.listener = listener;
        this.dropped = dropped;
    }

    /** Never blocks. */
    void add(T object) {
        lock.lock();
        try {
            queue.add(object);
            if (workers < WORKERS) {
                workers++;
                Thread.ofVirtual().name("drops-of-" + name).start(this::work);
            }
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        for (T object = next(); object != null; object = next()) {
            T current = object;
            try {
                listener.accept(current, () -> dropped.accept(current));
            } catch (RuntimeException e) {
                // It stays unacknowledged: the grantor lets the session end, and until then nothing changes.
                log.error("event=drop_failed grantor={} object={}", name, current, e);
            }
        }
    }

    private @Nullable T next() {
        lock.lock();
        try {
            T next = queue.poll();
            if (next == null) {
                workers--;
            }
            return next;
        } finally {
            lock.unlock();
        }
    }
}
