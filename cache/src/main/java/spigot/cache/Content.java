package spigot.cache;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.model.FileRecord;
import spigot.model.FileVersion;

/** One version of a file, with what is being brought of it. No two loads of it overlap. Safe for any thread. */
final class Content {
    private final FileVersion version;
    private final long size;
    private final Places places;

    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock, as are the changing parts of the loads.
    private final List<Load> loads = new ArrayList<>();

    Content(FileRecord record, Places places) {
        this.version = new FileVersion(record.id(), record.version());
        this.size = record.attributes().size();
        this.places = places;
    }

    FileVersion version() {
        return version;
    }

    long size() {
        return size;
    }

    Places places() {
        return places;
    }

    ReentrantLock lock() {
        return lock;
    }

    /** The caller holds the lock. */
    void add(Load load) {
        loads.add(load);
    }

    void remove(Load load) {
        lock.lock();
        try {
            loads.remove(load);
        } finally {
            lock.unlock();
        }
    }

    /** The load that will bring this byte, or null. The caller holds the lock. */
    @Nullable
    Load loading(long offset) {
        for (Load load : loads) {
            if (load.start() <= offset && offset < load.end()) {
                return load;
            }
        }
        return null;
    }
}
