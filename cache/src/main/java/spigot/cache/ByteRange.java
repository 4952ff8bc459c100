package spigot.cache;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** The bytes from {@code offset} (included) to {@code end} (excluded). */
public record ByteRange(long offset, long end) {
    public ByteRange {
        if (offset < 0 || end < offset) {
            throw new IllegalArgumentException("not a range of bytes: from " + offset + " to " + end);
        }
    }

    /** The same bytes in as few ranges as possible, in order. */
    public static List<ByteRange> merge(Collection<ByteRange> ranges) {
        List<ByteRange> merged = new ArrayList<>();
        for (ByteRange range : ranges.stream()
                .sorted(Comparator.comparingLong(ByteRange::offset))
                .toList()) {
            ByteRange last = merged.isEmpty() ? null : merged.getLast();
            if (last == null || range.offset() > last.end()) {
                merged.add(range);
            } else {
                merged.set(merged.size() - 1, new ByteRange(last.offset(), Math.max(last.end(), range.end())));
            }
        }
        return merged;
    }

    public long length() {
        return end - offset;
    }
}
