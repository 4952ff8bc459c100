package spigot.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.catalog.client.DirectoryListing;
import spigot.model.FileId;

/**
 * An open directory: one immutable listing, whatever happens to the directory meanwhile. Its names are "." and "..", then
 * those of the listing; an offset is the listing's serial in the upper and the number of names before it in the lower half,
 * or 0 for the beginning. Going back to the beginning may take a newer listing, as rewinddir(3) says. Safe for any thread.
 */
final class DirectoryHandle {
    static final int DOT = 0;
    static final int DOT_DOT = 1;
    static final int FIRST_ENTRY = 2;

    private final long node;
    private final FileId directory;
    private final Listings listings;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private Cursor current;

    @GuardedBy("lock")
    private boolean read;

    /** A listing, and the position in it of a read that begins. */
    record Cursor(DirectoryListing listing, int serial, int position) {
        /** How many names the directory has, with "." and "..". */
        int size() {
            return listing.size() + FIRST_ENTRY;
        }

        /** The offset of what comes after the name at that position. */
        long offsetAfter(int positionOfName) {
            return (long) serial << 32 | (positionOfName + 1);
        }
    }

    /** @param serial from {@link Listings#hold}, which this handle releases in {@link #close} */
    DirectoryHandle(long node, FileId directory, Listings listings, DirectoryListing listing, int serial) {
        this.node = node;
        this.directory = directory;
        this.listings = listings;
        this.current = new Cursor(listing, serial, 0);
    }

    long node() {
        return node;
    }

    FileId directory() {
        return directory;
    }

    /** Whether a read at that offset begins anew after others, so that it should show what the directory holds now. */
    boolean isRewound(long offset) {
        lock.lock();
        try {
            return offset == 0 && read;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Where a read at that offset goes on.
     *
     * @param newest what the directory holds now, taken at offset 0 only; null when that is not known
     */
    Cursor seek(long offset, @Nullable DirectoryListing newest) {
        lock.lock();
        try {
            read = true;
            if (offset == 0) {
                if (newest != null && newest != current.listing()) {
                    take(newest);
                }
                return at(0);
            }
            int serial = (int) (offset >>> 32);
            if (serial != current.serial()) {
                // An offset from before a rewind, or from the kernel's copy of another handle's listing: goes on in
                // that one.
                DirectoryListing other = listings.bySerial(serial);
                if (other != null) {
                    take(other);
                }
            }
            return at((int) offset);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private Cursor at(int position) {
        return new Cursor(current.listing(), current.serial(), Math.clamp(position, 0, current.size()));
    }

    /** Stays with the listing that it has when there is no memory for another. */
    @GuardedBy("lock")
    private void take(DirectoryListing listing) {
        int serial = listings.hold(listing);
        if (serial != 0) {
            listings.release(current.serial());
            current = new Cursor(listing, serial, 0);
        }
    }

    void close() {
        lock.lock();
        try {
            listings.release(current.serial());
        } finally {
            lock.unlock();
        }
    }
}
