package spigot.cache;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.cache.memory.TransferBuffer;

/**
 * A range of one {@link Content} on its way, from the disk or from a server; all who need its bytes wait for the same one and copy from
 * its buffer, which lives until the last has left. One thread brings it ({@link Loader}); the rest is for any thread. Where it is said, the caller holds the lock of the content.
 */
final class Load {
    private final Content content;
    private final ReentrantLock lock; // of the content
    private final boolean ahead;
    private final CountDownLatch done = new CountDownLatch(1);

    private final long start;

    // Guarded by the lock.
    private long end;

    /** Who uses the buffer: the thread that brings it, and each reader. */
    private int users = 1;

    /** Who waits without using the buffer. */
    private int watchers;

    private @Nullable TransferBuffer buffer;

    // Written before 'done', read after it.
    private long deliveredEnd;
    private @Nullable IOException failure;
    private boolean fromNetwork;

    /** @param ahead nobody waits for it so far */
    Load(Content content, long start, long end, boolean ahead, @Nullable TransferBuffer buffer) {
        this.content = content;
        this.lock = content.lock();
        this.start = start;
        this.end = end;
        this.ahead = ahead;
        this.buffer = buffer;
    }

    long start() {
        return start;
    }

    /** The caller holds the lock. */
    long end() {
        return end;
    }

    // ---- who waits

    /** One more user. The caller holds the lock. */
    void join() {
        users++;
    }

    /** One more who waits without using the buffer. The caller holds the lock. */
    void watch() {
        watchers++;
    }

    void unwatch() {
        lock.lock();
        try {
            watchers--;
        } finally {
            lock.unlock();
        }
    }

    void await() throws InterruptedException {
        done.await();
    }

    /** Whether it was over before anybody had to wait. */
    boolean isDone() {
        return done.getCount() == 0;
    }

    /** Why nothing came; null when bytes came, or when it is to be tried again. After {@link #await}. */
    @Nullable
    IOException failure() {
        return failure;
    }

    boolean fromNetwork() {
        return fromNetwork;
    }

    /** Copies what was delivered of the range from {@code offset}. After {@link #await}. @return how many bytes, maybe 0 */
    int copy(long offset, MemorySegment destination, long destinationOffset, int length) {
        TransferBuffer data;
        long from;
        lock.lock();
        try {
            data = buffer;
            from = offset - start;
        } finally {
            lock.unlock();
        }
        int there = (int) Math.min(length, deliveredEnd - offset);
        if (data == null || there <= 0) {
            return 0;
        }
        MemorySegment.copy(data.memory(), from, destination, destinationOffset, there);
        return there;
    }

    /** A user needs the buffer no longer. */
    void leave() {
        TransferBuffer last = null;
        lock.lock();
        try {
            if (--users == 0) {
                last = buffer;
                buffer = null;
            }
        } finally {
            lock.unlock();
        }
        if (last != null) {
            last.close();
        }
    }

    // ---- for the thread that brings it

    Content content() {
        return content;
    }

    boolean isAhead() {
        return ahead;
    }

    /** Whether anybody waits. */
    boolean isAwaited() {
        lock.lock();
        try {
            return users > 1 || watchers > 0;
        } finally {
            lock.unlock();
        }
    }

    /** From here on it brings only the bytes before {@code newEnd}; the caller, who holds the lock, brings the others. */
    void shrink(long newEnd) {
        end = newEnd;
    }

    @Nullable
    TransferBuffer takeBuffer() {
        lock.lock();
        try {
            TransferBuffer taken = buffer;
            buffer = null;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    void delivered(TransferBuffer data, long until, boolean network) {
        lock.lock();
        try {
            buffer = data;
        } finally {
            lock.unlock();
        }
        deliveredEnd = until;
        fromNetwork = network;
        done.countDown();
    }

    /** @param cause null: whoever waits is to try again */
    void failed(@Nullable IOException cause) {
        failure = cause;
        done.countDown();
    }
}
