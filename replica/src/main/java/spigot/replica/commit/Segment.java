package spigot.replica.commit;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * One file of the log and its open descriptor, closed when the log has let it go and the last reader is done. Safe for any thread;
 * {@code end} and {@code lastIndex} belong to the log's lock.
 */
final class Segment {
    static final String PREFIX = "segment-";

    private final StoredFile file;
    private final RecordLayout.Head head;
    private final AtomicInteger users = new AtomicInteger(1);

    /** Where the next record begins. */
    long end;

    /** Of its last record; one less than that of its first one when there is none. */
    long lastIndex;

    Segment(StoredFile file, RecordLayout.Head head) {
        this.file = file;
        this.head = head;
        end = RecordLayout.HEAD_BYTES;
        lastIndex = head.firstIndex() - 1;
    }

    static String name(long number) {
        return String.format("%s%016d", PREFIX, number);
    }

    /** @return -1 for a file that is no segment */
    static long number(String name) {
        boolean is = name.startsWith(PREFIX) && name.substring(PREFIX.length()).matches("[0-9]{16}");
        return is ? Long.parseLong(name.substring(PREFIX.length())) : -1;
    }

    StoredFile file() {
        return file;
    }

    RecordLayout.Head head() {
        return head;
    }

    long number() {
        return head.number();
    }

    /** @return whether it may be read until {@link #release} */
    boolean retain() {
        int now = users.get();
        while (now > 0) {
            if (users.compareAndSet(now, now + 1)) {
                return true;
            }
            now = users.get();
        }
        return false;
    }

    void release() {
        if (users.decrementAndGet() == 0) {
            file.close();
        }
    }

    /** For a segment that is deleted whoever reads from it. */
    void closeNow() {
        file.close();
    }
}
