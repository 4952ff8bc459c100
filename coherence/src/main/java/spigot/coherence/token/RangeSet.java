package spigot.coherence.token;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A set of bytes as disjoint ranges that do not touch. Not thread-safe. Work grows with the logarithm, and with what is overlapped. */
final class RangeSet {
    private final TreeMap<Long, Long> ranges = new TreeMap<>();

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    int size() {
        return ranges.size();
    }

    void add(Range added) {
        long from = added.from();
        long to = added.to();
        for (Map.Entry<Long, Long> last = ranges.floorEntry(to);
                last != null && last.getValue() >= from && sameKind(last.getKey(), added);
                last = ranges.floorEntry(to)) {
            from = Math.min(from, last.getKey());
            to = Math.max(to, last.getValue());
            ranges.remove(last.getKey());
        }
        ranges.put(from, to);
    }

    private static boolean sameKind(long from, Range other) {
        return (from >= Range.LIMIT) == other.attributes();
    }

    void remove(Range removed) {
        for (Range part : overlapping(removed)) {
            ranges.remove(part.from());
            if (part.from() < removed.from()) {
                ranges.put(part.from(), removed.from());
            }
            if (part.to() > removed.to()) {
                ranges.put(removed.to(), part.to());
            }
        }
    }

    boolean overlaps(Range range) {
        return first(range) != null;
    }

    /** The first range that overlaps, whole. */
    @Nullable
    Range first(Range range) {
        Map.Entry<Long, Long> last = ranges.floorEntry(range.from());
        if (last == null || last.getValue() <= range.from()) {
            last = ranges.ceilingEntry(range.from());
        }
        return last == null || last.getKey() >= range.to() ? null : new Range(last.getKey(), last.getValue());
    }

    /** Those that overlap, whole, in order. */
    List<Range> overlapping(Range range) {
        List<Range> found = new ArrayList<>();
        for (Range next = first(range);
                next != null;
                next = next.to() < range.to() ? first(new Range(next.to(), range.to())) : null) {
            found.add(next);
        }
        return found;
    }

    List<Range> all() {
        return ranges.entrySet().stream()
                .map(entry -> new Range(entry.getKey(), entry.getValue()))
                .toList();
    }

    void clear() {
        ranges.clear();
    }
}
