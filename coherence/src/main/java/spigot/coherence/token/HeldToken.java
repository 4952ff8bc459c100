package spigot.coherence.token;

import org.jspecify.annotations.Nullable;

/** What one session has of one {@link Segment}, as the home knows it. */
final class HeldToken {
    final HomeSession session;
    final Segment segment;
    Mode mode;

    /** Of the grant with which this time of holding it in this mode began. */
    final long sinceSequence;

    /** Of the last grant. */
    long sequence;

    long sinceMillis;

    /** Present while a Revoke waits for its acknowledgement. */
    @Nullable
    Revocation revocation;

    HeldToken(HomeSession session, Segment segment, Mode mode, long sinceSequence, long sinceMillis) {
        this.session = session;
        this.segment = segment;
        this.mode = mode;
        this.sinceSequence = sinceSequence;
        this.sequence = sinceSequence;
        this.sinceMillis = sinceMillis;
    }
}
