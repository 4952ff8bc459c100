package spigot.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import spigot.model.FileId;

/** Why the last operation on a file failed, for the {@value #MAX_FILES} files that failed last. Safe for any thread. */
final class RecentErrors {
    private static final int MAX_FILES = 1024;
    private static final int MAX_CHARACTERS = 1000;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<FileId, String> reasons = new LinkedHashMap<>();

    void add(FileId file, String reason) {
        String kept = reason.length() <= MAX_CHARACTERS ? reason : reason.substring(0, MAX_CHARACTERS);
        lock.lock();
        try {
            reasons.remove(file);
            reasons.put(file, kept);
            if (reasons.size() > MAX_FILES) {
                reasons.remove(reasons.keySet().iterator().next());
            }
        } finally {
            lock.unlock();
        }
    }

    Optional<String> of(FileId file) {
        lock.lock();
        try {
            return Optional.ofNullable(reasons.get(file));
        } finally {
            lock.unlock();
        }
    }
}
