package spigot.cache;

/** The bytes from {@code offset} (included) to {@code end} (excluded). */
public record ByteRange(long offset, long end) {
    public ByteRange {
        if (offset < 0 || end < offset) {
            throw new IllegalArgumentException("not a range of bytes: from " + offset + " to " + end);
        }
    }

    public long length() {
        return end - offset;
    }
}
