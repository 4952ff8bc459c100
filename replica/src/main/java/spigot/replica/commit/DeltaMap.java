package spigot.replica.commit;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The ranges of one file whose newest committed bytes are not in the published file: where in the log they are, or that they are
 * zeros. Immutable and sorted, so that readers need no lock; a change copies it, which its bound keeps cheap.
 */
final class DeltaMap {
    static final DeltaMap EMPTY =
            new DeltaMap(new long[0], new long[0], new long[0], new long[0], new @Nullable Segment[0]);

    private final long[] starts;
    private final long[] ends;
    private final long[] positions;
    private final long[] indexes;

    /** Null: zeros. */
    private final @Nullable Segment[] segments;

    private DeltaMap(long[] starts, long[] ends, long[] positions, long[] indexes, @Nullable Segment[] segments) {
        this.starts = starts;
        this.ends = ends;
        this.positions = positions;
        this.indexes = indexes;
        this.segments = segments;
    }

    int size() {
        return starts.length;
    }

    boolean isEmpty() {
        return starts.length == 0;
    }

    /** The first range that ends behind the offset; {@link #size} when there is none. */
    int firstBehind(long offset) {
        int found = Arrays.binarySearch(ends, offset);
        // Ends are distinct: one at the offset itself is no longer behind it.
        return found >= 0 ? found + 1 : -found - 1;
    }

    long start(int range) {
        return starts[range];
    }

    long end(int range) {
        return ends[range];
    }

    /** Where the log has the byte at the start of the range. */
    long position(int range) {
        return positions[range];
    }

    /** Null when the range is zeros. */
    @Nullable
    Segment segment(int range) {
        return segments[range];
    }

    /** Of the oldest record that has a byte in it; {@link Long#MAX_VALUE} when there is none. */
    long oldestIndex() {
        long oldest = Long.MAX_VALUE;
        for (long index : indexes) {
            oldest = Math.min(oldest, index);
        }
        return oldest;
    }

    /** The end of the last range with data; 0 when there is none. */
    long dataEnd() {
        for (int range = size() - 1; range >= 0; range--) {
            if (segments[range] != null) {
                return ends[range];
            }
        }
        return 0;
    }

    /** With a range over whatever was there. */
    DeltaMap with(long start, long end, long index, @Nullable Segment segment, long position) {
        if (start >= end) {
            return this;
        }
        Builder to = new Builder(size() + 2);
        int range = 0;
        for (; range < size() && starts[range] < start; range++) {
            to.add(this, range, starts[range], Math.min(ends[range], start));
        }
        // The range that was split may go on behind the new one.
        int first = range > 0 && ends[range - 1] > end ? range - 1 : range;
        to.add(start, end, position, index, segment);
        for (range = first; range < size(); range++) {
            if (ends[range] > end) {
                to.add(this, range, Math.max(starts[range], end), ends[range]);
            }
        }
        return to.build();
    }

    /** Without what records up to this one have put there. */
    DeltaMap withoutThrough(long index) {
        Builder to = new Builder(size());
        for (int range = 0; range < size(); range++) {
            if (indexes[range] > index) {
                to.add(this, range, starts[range], ends[range]);
            }
        }
        return to.count == 0 ? EMPTY : to.build();
    }

    private static final class Builder {
        private final long[] starts;
        private final long[] ends;
        private final long[] positions;
        private final long[] indexes;
        private final @Nullable Segment[] segments;
        private int count;

        Builder(int most) {
            starts = new long[most];
            ends = new long[most];
            positions = new long[most];
            indexes = new long[most];
            segments = new @Nullable Segment[most];
        }

        /** The part of a range that lies from start to end. */
        void add(DeltaMap from, int range, long start, long end) {
            long skipped = start - from.starts[range];
            add(start, end, from.positions[range] + skipped, from.indexes[range], from.segments[range]);
        }

        void add(long start, long end, long position, long index, @Nullable Segment segment) {
            starts[count] = start;
            ends[count] = end;
            positions[count] = position;
            indexes[count] = index;
            segments[count] = segment;
            count++;
        }

        DeltaMap build() {
            return new DeltaMap(
                    Arrays.copyOf(starts, count),
                    Arrays.copyOf(ends, count),
                    Arrays.copyOf(positions, count),
                    Arrays.copyOf(indexes, count),
                    Arrays.copyOf(segments, count));
        }
    }
}
