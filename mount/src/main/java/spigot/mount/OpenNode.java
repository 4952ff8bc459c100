package spigot.mount;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import spigot.cache.OpenFile;
import spigot.model.FileId;
import spigot.model.FileRecord;

/**
 * A file that is open at least once: what its handles share. Safe for any thread.
 *
 * <p>Its change count says which answers may still be sent: bytes that were read before a change was told must not reach the
 * kernel after the change was acknowledged. See {@link KernelCaches#changed}.
 */
final class OpenNode {
    private final FileId file;
    private final Set<OpenFile> handles = ConcurrentHashMap.newKeySet();
    private final Set<PendingRead> pendingReads = ConcurrentHashMap.newKeySet();
    private final AtomicInteger changes = new AtomicInteger();
    private final AtomicLong answeredReads = new AtomicLong();
    private volatile @Nullable OpenFile view;
    private volatile @Nullable Runnable onPendingRead;

    /** A READ into the kernel's page cache that waits for its bytes: the kernel keeps its pages locked until it is answered. */
    static final class PendingRead {
        private final long offset;
        private final long length;

        PendingRead(long offset, long length) {
            this.offset = offset;
            this.length = length;
        }

        long offset() {
            return offset;
        }

        long end() {
            return offset + length;
        }
    }

    OpenNode(FileId file) {
        this.file = file;
    }

    FileId file() {
        return file;
    }

    void add(OpenFile handle) {
        handles.add(handle);
        view = handle;
    }

    /** @return whether it was the last one */
    boolean remove(OpenFile handle) {
        handles.remove(handle);
        if (handle.equals(view)) {
            for (OpenFile other : handles) {
                view = other;
                break;
            }
        }
        return handles.isEmpty();
    }

    /** The file as its home saw it last. */
    @Nullable
    FileRecord seenByHome() {
        OpenFile current = view;
        return current == null ? null : current.record();
    }

    int changes() {
        return changes.get();
    }

    /** From now on what was read before is not sent any more. */
    void change() {
        changes.incrementAndGet();
    }

    /**
     * A READ is being answered with bytes that the kernel keeps; called inside of the gate, before the answer is written: who
     * drops pages must not go around those of a read that has got its answer.
     *
     * @param read what waited for its bytes; null when nothing did
     */
    void answering(@Nullable PendingRead read) {
        if (read != null) {
            end(read);
        }
        answeredReads.incrementAndGet();
    }

    long answeredReads() {
        return answeredReads.get();
    }

    PendingRead begin(long offset, long length) {
        PendingRead read = new PendingRead(offset, length);
        pendingReads.add(read);
        Runnable listener = onPendingRead;
        if (listener != null) {
            listener.run();
        }
        return read;
    }

    void end(PendingRead read) {
        pendingReads.remove(read);
    }

    Set<PendingRead> pendingReads() {
        return pendingReads;
    }

    /** @param listener told of each new pending read, on its thread; null: nobody */
    void onPendingRead(@Nullable Runnable listener) {
        onPendingRead = listener;
    }
}
