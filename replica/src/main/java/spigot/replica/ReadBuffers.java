package spigot.replica;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Off-heap memory for data on their way from files to readers. Safe for any thread; {@link #take} waits while the bound is used up,
 * so that slow readers hold back others instead of filling the memory. Buffers are kept for reuse.
 */
final class ReadBuffers {
    /** Largest buffer, and largest reply. */
    static final int MAX_BYTES = 4 << 20;

    private static final int UNIT_BYTES = 64 << 10;
    private static final int CLASSES = 7;

    private final Semaphore units;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Deque<ByteBuffer>> free = new ArrayList<>();
    private final int totalUnits;
    private int allocatedUnits;

    ReadBuffers(int totalBytes) {
        totalUnits = totalBytes / UNIT_BYTES;
        units = new Semaphore(totalUnits);
        for (int i = 0; i < CLASSES; i++) {
            free.add(new ArrayDeque<>());
        }
    }

    /** @param bytes at most {@link #MAX_BYTES}; the buffer has at least so much room, and its limit there */
    ByteBuffer take(int bytes) throws InterruptedException {
        int sizeClass = sizeClass(bytes);
        units.acquire(1 << sizeClass);
        ByteBuffer buffer = reuse(sizeClass);
        return (buffer == null ? ByteBuffer.allocateDirect(UNIT_BYTES << sizeClass) : buffer)
                .clear()
                .limit(bytes);
    }

    void give(ByteBuffer buffer) {
        int sizeClass = sizeClass(buffer.capacity());
        lock.lock();
        try {
            free.get(sizeClass).push(buffer);
        } finally {
            lock.unlock();
        }
        units.release(1 << sizeClass);
    }

    private @org.jspecify.annotations.Nullable ByteBuffer reuse(int sizeClass) {
        lock.lock();
        try {
            ByteBuffer buffer = free.get(sizeClass).poll();
            if (buffer == null) {
                allocatedUnits += 1 << sizeClass;
                // The memory bound holds for free buffers too: those of other sizes make room. Direct memory is freed
                // by the
                // collector once nobody has the buffer.
                for (int other = CLASSES - 1; other >= 0 && allocatedUnits > totalUnits; other--) {
                    while (allocatedUnits > totalUnits && free.get(other).poll() != null) {
                        allocatedUnits -= 1 << other;
                    }
                }
            }
            return buffer;
        } finally {
            lock.unlock();
        }
    }

    private static int sizeClass(int bytes) {
        if (bytes > MAX_BYTES) {
            throw new IllegalArgumentException("a buffer of " + bytes + " bytes is larger than " + MAX_BYTES);
        }
        int units = Math.max(1, Math.ceilDiv(bytes, UNIT_BYTES));
        return 32 - Integer.numberOfLeadingZeros(units - 1);
    }
}
