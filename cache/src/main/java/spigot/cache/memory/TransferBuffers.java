package spigot.cache.memory;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Buffers for what is on its way, outside the heap and under a byte budget. Who needs data now waits for a buffer; who fetches ahead gets
 * none while little is left. Safe for any thread.
 */
public final class TransferBuffers implements AutoCloseable {
    public static final int MAX_BYTES = 1 << 20;
    static final int UNIT_BYTES = 64 << 10;
    private static final int UNITS_PER_SLAB = MAX_BYTES / UNIT_BYTES;

    /** One part in so many is kept for who needs data now. */
    private static final int RESERVED_DIVISOR = 4;

    private final int units;
    private final Slabs slabs;
    private final int[] used; // of each slab, one bit a unit
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition given = lock.newCondition();
    private int freeUnits;
    private boolean closed;

    /** @param budgetBytes at least 1 MiB; rounded down to whole MiB */
    public TransferBuffers(long budgetBytes) {
        int count = Math.toIntExact(budgetBytes / MAX_BYTES);
        if (count < 1) {
            throw new IllegalArgumentException("transfer buffers need at least 1 MiB, not " + budgetBytes + " bytes");
        }
        slabs = new Slabs(count, MAX_BYTES);
        used = new int[count];
        units = count * UNITS_PER_SLAB;
        freeUnits = units;
    }

    /**
     * Waits for a buffer.
     *
     * @param bytes at most {@link #MAX_BYTES}
     */
    public TransferBuffer acquire(int bytes) throws InterruptedException {
        int wanted = unitsFor(bytes);
        lock.lockInterruptibly();
        try {
            while (true) {
                TransferBuffer buffer = take(wanted, bytes);
                if (buffer != null) {
                    return buffer;
                }
                given.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * A buffer if there is one to spare, else null.
     *
     * @param bytes at most {@link #MAX_BYTES}
     */
    public @Nullable TransferBuffer tryAcquire(int bytes) {
        int wanted = unitsFor(bytes);
        lock.lock();
        try {
            return freeUnits - wanted < units / RESERVED_DIVISOR ? null : take(wanted, bytes);
        } finally {
            lock.unlock();
        }
    }

    private static int unitsFor(int bytes) {
        if (bytes < 1 || bytes > MAX_BYTES) {
            throw new IllegalArgumentException("a transfer has 1 byte to 1 MiB, not " + bytes + " bytes");
        }
        return Math.ceilDiv(bytes, UNIT_BYTES);
    }

    private @Nullable TransferBuffer take(int wanted, int bytes) {
        if (closed) {
            throw new IllegalStateException("the cache is closed");
        }
        int mask = (1 << wanted) - 1;
        for (int slab = 0; freeUnits >= wanted && slab < used.length; slab++) {
            for (int first = 0; first + wanted <= UNITS_PER_SLAB; first++) {
                if ((used[slab] & mask << first) == 0) {
                    used[slab] |= mask << first;
                    freeUnits -= wanted;
                    return new TransferBuffer(
                            this, slab, mask << first, slabs.allocated(slab), (long) first * UNIT_BYTES, bytes);
                }
            }
        }
        return null;
    }

    void give(int slab, int mask) {
        lock.lock();
        try {
            used[slab] &= ~mask;
            freeUnits += Integer.bitCount(mask);
            given.signalAll();
        } finally {
            lock.unlock();
        }
    }

    public long budgetBytes() {
        return (long) units * UNIT_BYTES;
    }

    /** In use now. */
    public long usedBytes() {
        lock.lock();
        try {
            return (long) (units - freeUnits) * UNIT_BYTES;
        } finally {
            lock.unlock();
        }
    }

    /** To be called when nobody uses a buffer any more; waiting callers are told on. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                given.signalAll();
                slabs.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
