package spigot.replica;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.FileId;

/**
 * Has written files looked at when they are due, one after the other, on a platform thread of its own. Safe for any thread; {@code
 * lock} guards when each is due, and is not held while one is looked at. Bounded by the files that have commits.
 */
final class WrittenTeller implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WrittenTeller.class);
    private static final long RETRY_MILLIS = 1_000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** What is done about one file. */
    interface Work {
        /** @return after how many milliseconds it is to be looked at again; 0 when it need not be */
        long look(FileId file) throws IOException, InterruptedException;
    }

    private record Due(long nanos, FileId file) {}

    private final Work work;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final long origin = System.nanoTime();
    private final Map<FileId, Due> byFile = new HashMap<>();
    private final TreeSet<Due> byTime =
            new TreeSet<>(Comparator.comparingLong(Due::nanos).thenComparing(Due::file));
    private final Thread thread =
            Thread.ofPlatform().name("written-files").daemon().unstarted(this::run);

    WrittenTeller(Work work) {
        this.work = work;
    }

    void start() {
        thread.start();
    }

    void soon(FileId file) {
        put(file, 0, true);
    }

    /** @param sooner else only when nobody else wants it */
    private void put(FileId file, long millis, boolean sooner) {
        lock.lock();
        try {
            Due due = new Due(System.nanoTime() - origin + millis * NANOS_PER_MILLI, file);
            Due before = byFile.get(file);
            if (before != null && !sooner) {
                return;
            }
            if (before != null) {
                byTime.remove(before);
            }
            byFile.put(file, due);
            byTime.add(due);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private FileId next() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                if (byTime.isEmpty()) {
                    changed.await();
                    continue;
                }
                Due first = byTime.first();
                long left = first.nanos() - (System.nanoTime() - origin);
                if (left <= 0) {
                    byTime.remove(first);
                    byFile.remove(first.file());
                    return first.file();
                }
                long rest = changed.awaitNanos(left);
                LOG.trace("event=written_files_woken left_nanos={}", rest);
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (true) {
                look(next());
            }
        } catch (InterruptedException e) {
            LOG.debug("event=written_files_end");
        }
    }

    private void look(FileId file) throws InterruptedException {
        long again;
        try {
            again = work.look(file);
        } catch (IOException | RuntimeException e) {
            LOG.debug(
                    "event=commits_not_told file={} retry_millis={} reason=\"{}\"", file, RETRY_MILLIS, e.getMessage());
            again = RETRY_MILLIS;
        }
        if (again > 0) {
            put(file, again, false);
        }
    }

    @Override
    public void close() {
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
