package spigot.coherence.token;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** A range of a file with who holds it: one session exclusively, or any number shared. */
final class Segment {
    final HomeFile file;
    final long from;
    long to;

    /** By number of the session; never empty. */
    final SequencedMap<Long, HeldToken> holders = new LinkedHashMap<>();

    Segment(HomeFile file, long from, long to) {
        this.file = file;
        this.from = from;
        this.to = to;
    }

    Range range() {
        return new Range(from, to);
    }

    boolean onlyOf(HomeSession session) {
        return holders.size() == 1 && holders.containsKey(session.number);
    }
}
