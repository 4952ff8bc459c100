package spigot.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import spigot.model.FileId;

/**
 * The look-ups that wait for the catalog, by directory: while one is unanswered the kernel holds a lock of its directory.
 * Safe for any thread; bounded by the requests that may be detached.
 */
final class PendingLookups {
    /** Waits for the catalog and answers. */
    @FunctionalInterface
    interface Body {
        void run() throws IOException, InterruptedException;
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();

    @GuardedBy("lock")
    private final Map<FileId, Integer> counts = new HashMap<>();

    void run(FileId directory, Body body) throws IOException, InterruptedException {
        add(directory, 1);
        try {
            body.run();
        } finally {
            add(directory, -1);
        }
    }

    private void add(FileId directory, int change) {
        lock.lock();
        try {
            counts.merge(directory, change, (known, more) -> known + more == 0 ? null : known + more);
            ended.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a moment in which no look-up in the directory is unanswered. */
    void awaitNone(FileId directory) throws InterruptedException {
        lock.lock();
        try {
            while (counts.containsKey(directory)) {
                ended.await();
            }
        } finally {
            lock.unlock();
        }
    }
}
