package spigot.coherence;

import org.jspecify.annotations.Nullable;

/** A lease as the grantor knows it; a link in the list of the object's holders. */
final class GrantedLease {
    final LeaseSession session;
    final LeasedObject object;
    long grantSequence;

    /** The sequence before a change of its own session took effect, which the holder may not know of yet; 0 after a grant. */
    long sequenceBeforeOwnChange;

    /** Present while a Revoke waits for its acknowledgement. */
    @Nullable
    Revocation revocation;

    @Nullable
    GrantedLease previousHolder;

    @Nullable
    GrantedLease nextHolder;

    GrantedLease(LeaseSession session, LeasedObject object) {
        this.session = session;
        this.object = object;
    }

    static final class Revocation {
        final long sequence;
        final long sinceMillis;
        long sentMillis;

        Revocation(long sequence, long nowMillis) {
            this.sequence = sequence;
            this.sinceMillis = nowMillis;
            this.sentMillis = nowMillis;
        }
    }
}
