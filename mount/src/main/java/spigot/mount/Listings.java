package spigot.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.HashMap;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.catalog.client.DirectoryListing;

/**
 * The listings that open directory handles hold, each with a serial number, which is part of the offsets that programs see:
 * an offset never leads into another listing by accident. A listing keeps its serial for as long as it lives, as the kernel
 * may keep a copy that is known by it. Also keeps the memory of the listings that handles hold within a budget. Safe for any
 * thread.
 */
final class Listings {
    static final int MAX_SERIAL = (1 << 30) - 1;

    private final long budgetBytes;
    private final ReentrantLock lock = new ReentrantLock();

    /** A listing equals only itself. */
    @GuardedBy("lock")
    private final Map<DirectoryListing, Integer> serials = new WeakHashMap<>();

    @GuardedBy("lock")
    private final Map<Integer, Held> held = new HashMap<>();

    @GuardedBy("lock")
    private long heldBytes;

    @GuardedBy("lock")
    private int lastSerial;

    private static final class Held {
        final DirectoryListing listing;
        int handles;

        Held(DirectoryListing listing) {
            this.listing = listing;
        }
    }

    Listings(long budgetBytes) {
        this.budgetBytes = budgetBytes;
    }

    /**
     * One more handle holds the listing.
     *
     * @return its serial, from 1 to {@link #MAX_SERIAL}; or 0 when the listings that are held would take more than the budget
     */
    int hold(DirectoryListing listing) {
        lock.lock();
        try {
            int serial = serials.computeIfAbsent(listing, _ -> nextSerial());
            Held known = held.get(serial);
            if (known == null) {
                long bytes = listing.memoryBytes();
                if (heldBytes + bytes > budgetBytes && !held.isEmpty()) {
                    return 0;
                }
                heldBytes += bytes;
                known = new Held(listing);
                held.put(serial, known);
            }
            known.handles++;
            return serial;
        } finally {
            lock.unlock();
        }
    }

    /** A handle that got the serial from {@link #hold} is done with it. */
    void release(int serial) {
        lock.lock();
        try {
            Held known = held.get(serial);
            if (known != null && --known.handles == 0) {
                held.remove(serial);
                heldBytes -= known.listing.memoryBytes();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The listing that some handle holds under the serial, or null. */
    @Nullable
    DirectoryListing bySerial(int serial) {
        lock.lock();
        try {
            Held known = held.get(serial);
            return known == null ? null : known.listing;
        } finally {
            lock.unlock();
        }
    }

    long heldBytes() {
        lock.lock();
        try {
            return heldBytes;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private int nextSerial() {
        do {
            lastSerial = lastSerial == MAX_SERIAL ? 1 : lastSerial + 1;
        } while (held.containsKey(lastSerial));
        return lastSerial;
    }
}
