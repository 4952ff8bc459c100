package spigot.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What is open, by the number that the kernel has for it; numbers begin at 1. Safe for any thread. {@link #get} takes no
 * lock and allocates nothing.
 */
final class HandleTable<T> {
    private static final int CHUNK_BITS = 10;
    private static final int CHUNK = 1 << CHUNK_BITS;

    private final int limit;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile AtomicReferenceArray<@Nullable T>[] chunks = chunks(0);

    @GuardedBy("lock")
    private int[] free = new int[16];

    @GuardedBy("lock")
    private int freeCount;

    @GuardedBy("lock")
    private int fresh = 1;

    @GuardedBy("lock")
    private int open;

    /** @param limit most handles that are open at the same time */
    HandleTable(int limit) {
        this.limit = limit;
    }

    /** @return the new handle's number, or 0 when too many are open */
    long add(T value) {
        lock.lock();
        try {
            if (open == limit) {
                return 0;
            }
            int number = freeCount > 0 ? free[--freeCount] : fresh++;
            int chunk = number >>> CHUNK_BITS;
            if (chunk == chunks.length) {
                AtomicReferenceArray<@Nullable T>[] larger = Arrays.copyOf(chunks, chunk + 1);
                larger[chunk] = new AtomicReferenceArray<>(CHUNK);
                chunks = larger;
            }
            chunks[chunk].set(number & (CHUNK - 1), value);
            open++;
            return number;
        } finally {
            lock.unlock();
        }
    }

    /** What is open under the number, or null. */
    @Nullable
    T get(long number) {
        AtomicReferenceArray<@Nullable T>[] all = chunks;
        return number > 0 && number >>> CHUNK_BITS < all.length
                ? all[(int) (number >>> CHUNK_BITS)].get((int) number & (CHUNK - 1))
                : null;
    }

    /** What was open under the number, which is free again; null when nothing was. */
    @Nullable
    T remove(long number) {
        lock.lock();
        try {
            T value = get(number);
            if (value == null) {
                return null;
            }
            chunks[(int) (number >>> CHUNK_BITS)].set((int) number & (CHUNK - 1), null);
            if (freeCount == free.length) {
                free = Arrays.copyOf(free, freeCount * 2);
            }
            free[freeCount++] = (int) number;
            open--;
            return value;
        } finally {
            lock.unlock();
        }
    }

    /** How many are open. */
    int size() {
        lock.lock();
        try {
            return open;
        } finally {
            lock.unlock();
        }
    }

    /** All that are open, each free again: at the end of the mount. */
    List<T> removeAll() {
        lock.lock();
        try {
            List<T> values = new ArrayList<>(open);
            for (int number = 1; number < fresh; number++) {
                T value = remove(number);
                if (value != null) {
                    values.add(value);
                }
            }
            return values;
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("unchecked") // arrays of generic types can only be made so
    private static <T> AtomicReferenceArray<@Nullable T>[] chunks(int count) {
        return (AtomicReferenceArray<@Nullable T>[]) new AtomicReferenceArray<?>[count];
    }
}
