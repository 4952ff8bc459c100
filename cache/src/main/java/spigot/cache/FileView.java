package spigot.cache;

import org.jspecify.annotations.Nullable;
import spigot.coherence.Lease;
import spigot.model.FileRecord;
import spigot.session.LeaseHolder;

/**
 * What a node holds to be true of an open file.
 *
 * @param lease under which the home said so; null when it gave none, or could not be asked
 * @param checkedNanos when it was asked, by System.nanoTime
 */
record FileView(
        FileRecord record,
        Content content,
        @Nullable Lease lease,
        @Nullable LeaseHolder holder,
        long checkedNanos) {
    /** How long an answer without a lease is taken to be good. */
    private static final long UNLEASED_NANOS = 1_000_000_000L;

    /** Whether the home has promised to tell of changes. Allocates nothing. */
    boolean isLeased() {
        return lease != null && holder != null && holder.valid(lease);
    }

    /** Whether it may be read without asking the home. Allocates nothing. */
    boolean isFresh() {
        return lease != null ? isLeased() : System.nanoTime() - checkedNanos < UNLEASED_NANOS;
    }

    /** The same without a lease, asked now. */
    FileView unleased() {
        return new FileView(record, content, null, null, System.nanoTime());
    }

    /** The same, to be asked before it is used again. */
    FileView suspect() {
        return new FileView(record, content, null, null, System.nanoTime() - UNLEASED_NANOS);
    }
}
