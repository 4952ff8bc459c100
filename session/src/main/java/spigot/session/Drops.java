package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.FileId;

/**
 * Has objects dropped, on at most {@value #WORKERS} virtual threads at a time. The queue is as long as the holder's bound of
 * drops lets it be. Safe for any thread.
 */
final class Drops {
    static final int WORKERS = 16;

    private static final Logger log = LoggerFactory.getLogger(Drops.class);

    private final String name;
    private final DropListener listener;
    private final Consumer<FileId> dropped;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final ArrayDeque<FileId> queue = new ArrayDeque<>();

    @GuardedBy("lock")
    private int workers;

    /** @param dropped told of each object when it is gone */
    Drops(String name, DropListener listener, Consumer<FileId> dropped) {
        this.name = name;
        this.listener = listener;
        this.dropped = dropped;
    }

    /** Never blocks. */
    void add(FileId object) {
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
        for (FileId object = next(); object != null; object = next()) {
            FileId current = object;
            try {
                listener.drop(current, () -> dropped.accept(current));
            } catch (RuntimeException e) {
                // It stays unacknowledged: the grantor lets the session end, and until then nothing changes.
                log.error("event=drop_failed grantor={} object={}", name, current, e);
            }
        }
    }

    private @Nullable FileId next() {
        lock.lock();
        try {
            FileId next = queue.poll();
            if (next == null) {
                workers--;
            }
            return next;
        } finally {
            lock.unlock();
        }
    }
}
