package spigot.coherence;

import spigot.model.FileId;
import spigot.model.Version;

/**
 * The lease on one object for one unbroken time of holding it. What was received with a grant is kept together with its
 * Lease, and is right while that is valid. A lease that has ended never becomes valid again: after the next grant of the
 * object there is another Lease, so that what was stored too late under the old one is not taken for fresh.
 *
 * <p>Changed only by its {@link Holder}; {@link #valid} may be called by any thread, and costs two volatile reads.
 */
public final class Lease {
    private final FileId object;
    private final Term term;
    private final Version version;
    private volatile boolean ended;

    /** Read and cleared when the oldest lease has to go; races only make the choice less exact. */
    boolean used;

    long grantSequence;

    Lease(FileId object, Term term, long grantSequence, Version version) {
        this.object = object;
        this.term = term;
        this.grantSequence = grantSequence;
        this.version = version;
    }

    public FileId object() {
        return object;
    }

    /** The version of the object, the same for as long as the lease is valid. */
    public Version version() {
        return version;
    }

    /** @param nowMillis the holder's clock, read after what is to be used was looked up */
    public boolean valid(long nowMillis) {
        if (ended || nowMillis >= term.endMillis) {
            return false;
        }
        if (!used) {
            used = true;
        }
        return true;
    }

    void end() {
        ended = true;
    }

    /** Until when the leases of one session are valid, by the holder's clock. */
    static final class Term {
        volatile long endMillis;

        Term(long endMillis) {
            this.endMillis = endMillis;
        }
    }
}
