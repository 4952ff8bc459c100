package spigot.coherence.token;

import java.util.LinkedHashSet;
import java.util.SequencedSet;

/** A Revoke that is not acknowledged. */
final class Revocation {
    final HomeSession session;
    final HomeFile file;
    final Range range;
    final Mode downTo;
    final long sequence;
    final long sinceMillis;
    long sentMillis;

    /** Never empty while it is owed. */
    final SequencedSet<HeldToken> tokens = new LinkedHashSet<>();

    Revocation(HomeSession session, HomeFile file, Range range, Mode downTo, long sequence, long nowMillis) {
        this.session = session;
        this.file = file;
        this.range = range;
        this.downTo = downTo;
        this.sequence = sequence;
        this.sinceMillis = nowMillis;
        this.sentMillis = nowMillis;
    }
}
