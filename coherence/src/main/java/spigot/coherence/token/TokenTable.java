package spigot.coherence.token;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import spigot.coherence.InvariantException;

/**
 * Who holds what of one file: disjoint segments in order. Not thread-safe. Finding takes the logarithm of the number of segments;
 * there are no more than {@code bound}, but for what one request cuts.
 */
final class TokenTable {
    /** A grant grows over no more segments than this on each side. */
    private static final int MAX_STEPS = 64;

    private final HomeFile file;
    private final int bound;
    private final TreeMap<Long, Segment> segments = new TreeMap<>();

    TokenTable(HomeFile file, int bound) {
        this.file = file;
        this.bound = bound;
    }

    boolean isEmpty() {
        return segments.isEmpty();
    }

    int size() {
        return segments.size();
    }

    List<Segment> overlapping(Range range) {
        Map.Entry<Long, Segment> before = segments.floorEntry(range.from());
        long from = before != null && before.getValue().to > range.from() ? before.getKey() : range.from();
        return new ArrayList<>(segments.subMap(from, range.to()).values());
    }

    /** The range itself, or, when there are too many segments to cut any more, it and the rest of those where it begins and ends. */
    Range cuttable(Range range) {
        if (segments.size() + 2 <= bound) {
            return range;
        }
        Segment first = around(range.from());
        Segment last = around(range.to());
        return new Range(first == null ? range.from() : first.from, last == null ? range.to() : last.to);
    }

    /** The segment that has bytes on both sides of this one. */
    private @Nullable Segment around(long at) {
        Map.Entry<Long, Segment> before = segments.lowerEntry(at);
        return before != null && before.getValue().to > at ? before.getValue() : null;
    }

    void cut(Range range) {
        cut(range.from());
        cut(range.to());
    }

    private void cut(long at) {
        Segment left = around(at);
        if (left == null) {
            return;
        }
        Segment right = new Segment(file, at, left.to);
        left.to = at;
        segments.put(at, right);
        for (HeldToken held : left.holders.values()) {
            HeldToken half = add(right, held.session, held.mode, held.sinceSequence, held.sinceMillis);
            half.sequence = held.sequence;
            if (held.revocation != null) {
                half.revocation = held.revocation;
                held.revocation.tokens.add(half);
            }
        }
    }

    private static HeldToken add(Segment segment, HomeSession session, Mode mode, long sequence, long sinceMillis) {
        HeldToken held = new HeldToken(session, segment, mode, sequence, sinceMillis);
        segment.holders.put(session.number, held);
        session.tokens.add(held);
        return held;
    }

    void remove(HeldToken held) {
        held.session.tokens.remove(held);
        held.segment.holders.remove(held.session.number, held);
        if (held.revocation != null) {
            held.revocation.tokens.remove(held);
        }
        if (held.segment.holders.isEmpty()) {
            segments.remove(held.segment.from, held.segment);
        }
    }

    /**
     * How far a token may reach: from what is required towards what is desired, as long as nobody objects.
     *
     * @param objects whether somebody objects to a segment
     */
    Range reach(Range required, Range desired, Predicate<Segment> objects) {
        long from = desired.from();
        int steps = 0;
        for (Segment segment :
                segments.headMap(required.from(), false).descendingMap().values()) {
            if (segment.to <= from) {
                break;
            }
            if (++steps > MAX_STEPS || objects.test(segment)) {
                from = segment.to;
                break;
            }
        }
        long to = desired.to();
        steps = 0;
        for (Segment segment : segments.tailMap(required.to(), true).values()) {
            if (segment.from >= to) {
                break;
            }
            if (++steps > MAX_STEPS || objects.test(segment)) {
                to = segment.from;
                break;
            }
        }
        // A segment that begins before what is required and is objected to does not overlap it.
        Range reach = new Range(Math.min(from, required.from()), Math.max(to, required.to()));
        if (segments.size() + 2 > bound) {
            Segment first = around(reach.from());
            Segment last = around(reach.to());
            reach = new Range(
                    first == null ? reach.from() : Math.min(first.to, required.from()),
                    last == null ? reach.to() : Math.max(last.from, required.to()));
        }
        return reach;
    }

    /** The session holds the range from now on; nobody objects. Where it has more already, it keeps that. */
    void grant(Range range, HomeSession session, Mode mode, long sequence, long nowMillis, boolean checked) {
        cut(range);
        long from = range.from();
        for (Segment segment : overlapping(range)) {
            HeldToken own = segment.holders.get(session.number);
            for (HeldToken held : List.copyOf(segment.holders.values())) {
                InvariantException.check(
                        !checked || (held == own ? held.revocation == null : !held.mode.conflictsWith(mode)),
                        "one writes or many read");
                if (mode == Mode.EXCLUSIVE && held != own) {
                    // Only where a test has taken a guard out.
                    remove(held);
                }
            }
            if (own != null && own.mode == Mode.EXCLUSIVE) {
                own.sequence = sequence;
                own.sinceMillis = nowMillis;
                fill(from, segment.from, session, mode, sequence, nowMillis);
                from = segment.to;
            } else if (own != null && segment.onlyOf(session)) {
                remove(own);
            } else if (!segment.holders.isEmpty()) {
                fill(from, segment.from, session, mode, sequence, nowMillis);
                if (own != null) {
                    session.tokens.remove(own);
                }
                add(segment, session, mode, sequence, nowMillis);
                from = segment.to;
            }
        }
        fill(from, range.to(), session, mode, sequence, nowMillis);
    }

    private void fill(long from, long to, HomeSession session, Mode mode, long sequence, long nowMillis) {
        if (from < to) {
            Segment segment = new Segment(file, from, to);
            segments.put(from, segment);
            add(segment, session, mode, sequence, nowMillis);
        }
    }

    /** Whether the session has all of the range exclusively, by grants up to this one. */
    boolean exclusive(Range range, HomeSession session, long upToSequence) {
        long from = range.from();
        for (Segment segment : overlapping(range)) {
            HeldToken own = segment.holders.get(session.number);
            if (segment.from > from || own == null || own.mode != Mode.EXCLUSIVE || own.sinceSequence > upToSequence) {
                return false;
            }
            from = segment.to;
        }
        return from >= range.to();
    }
}
