package spigot.coherence.token;

/**
 * A range of a file in whole blocks, or the file's attributes, which are behind all data: so one table serves both.
 *
 * @param from in bytes, a multiple of {@link #BLOCK}
 * @param to exclusive, a multiple of {@link #BLOCK}
 */
public record Range(long from, long to) implements Comparable<Range> {
    /** The unit of tokens, in bytes: the page of the kernel's cache. */
    public static final int BLOCK = 4_096;

    /** No file is larger, in bytes. */
    public static final long LIMIT = 1L << 62;

    /** All data of a file, however large it is or will be. */
    public static final Range WHOLE = new Range(0, LIMIT);

    /** Size and times of a file. */
    public static final Range ATTRIBUTES = new Range(LIMIT, LIMIT + BLOCK);

    /** @throws IllegalArgumentException for what is no range: it may come from a peer */
    public Range {
        if (from < 0 || to <= from || to > LIMIT + BLOCK || from % BLOCK != 0 || to % BLOCK != 0) {
            throw new IllegalArgumentException("not a range of blocks: " + from + " to " + to);
        }
        if (from < LIMIT && to > LIMIT) {
            throw new IllegalArgumentException("data and attributes in one range: " + from + " to " + to);
        }
    }

    /** The block with this number. */
    public static Range block(long number) {
        return new Range(number * BLOCK, (number + 1) * BLOCK);
    }

    /** The blocks that have any of these bytes. */
    public static Range ofBytes(long offset, long length) {
        return new Range(offset / BLOCK * BLOCK, (offset + length + BLOCK - 1) / BLOCK * BLOCK);
    }

    public boolean attributes() {
        return from >= LIMIT;
    }

    public long length() {
        return to - from;
    }

    public boolean overlaps(Range other) {
        return from < other.to && other.from < to;
    }

    public boolean contains(Range other) {
        return from <= other.from && other.to <= to;
    }

    /** Of two that overlap. */
    public Range intersection(Range other) {
        return new Range(Math.max(from, other.from), Math.min(to, other.to));
    }

    /** From where the first begins to where the last ends; both are data, or both attributes. */
    public Range hull(Range other) {
        return new Range(Math.min(from, other.from), Math.max(to, other.to));
    }

    /** Made larger to whole units. @param unit in bytes, a power of two, at least a block */
    public Range roundedTo(long unit) {
        return attributes() ? this : new Range(from / unit * unit, Math.min(LIMIT, (to + unit - 1) / unit * unit));
    }

    @Override
    public int compareTo(Range other) {
        int c = Long.compare(from, other.from);
        return c != 0 ? c : Long.compare(to, other.to);
    }

    @Override
    public String toString() {
        return attributes() ? "attributes" : "[" + from + ", " + (to == LIMIT ? "end" : to) + ")";
    }
}
