package spigot.mount;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileRecord;

/**
 * The records that were looked up a moment ago. Between a program's LOOKUP and its OPEN another file may take the name; its
 * home still has the old one open, and what was found is what is opened, as on a local disk. Safe for any thread; bounded.
 */
final class RecentRecords {
    private static final int MOST = 512;
    private static final long GOOD_FOR_NANOS = Duration.ofSeconds(5).toNanos();

    private final ReentrantLock lock = new ReentrantLock();
    private final LinkedHashMap<FileId, Seen> seen = new LinkedHashMap<>();

    private record Seen(FileRecord record, long nanos) {}

    void lookedUp(FileRecord record) {
        if (!record.attributes().isRegular()) {
            return;
        }
        lock.lock();
        try {
            seen.remove(record.id());
            if (seen.size() >= MOST) {
                seen.pollFirstEntry();
            }
            seen.put(record.id(), new Seen(record, System.nanoTime()));
        } finally {
            lock.unlock();
        }
    }

    @Nullable
    FileRecord get(FileId file) {
        lock.lock();
        try {
            Seen found = seen.get(file);
            return found == null || System.nanoTime() - found.nanos > GOOD_FOR_NANOS ? null : found.record;
        } finally {
            lock.unlock();
        }
    }
}
