package spigot.model;

/** One component of a path: 1 to 255 raw bytes without '/' and NUL, and neither "." nor "..". */
public record FileName(RawBytes bytes) implements Comparable<FileName> {
    /** NAME_MAX of Linux ({@code <linux/limits.h>}). */
    public static final int MAX_BYTES = 255;

    /** @throws IllegalArgumentException when the bytes can't be a file name */
    public FileName {
        byte[] raw = bytes.toArray();
        if (raw.length == 0 || raw.length > MAX_BYTES) {
            throw new IllegalArgumentException("a file name has 1 to 255 bytes, not " + raw.length);
        }
        for (byte b : raw) {
            if (b == '/' || b == 0) {
                throw new IllegalArgumentException("a file name has no '/' and no NUL: '" + bytes + "'");
            }
        }
        if (raw[0] == '.' && (raw.length == 1 || (raw.length == 2 && raw[1] == '.'))) {
            throw new IllegalArgumentException("'" + bytes + "' is not the name of a file");
        }
    }

    public static FileName of(byte[] bytes) {
        return new FileName(RawBytes.copyOf(bytes));
    }

    public static FileName of(String text) {
        return new FileName(RawBytes.ofUtf8(text));
    }

    public byte[] toArray() {
        return bytes.toArray();
    }

    @Override
    public int compareTo(FileName other) {
        return bytes.compareTo(other.bytes);
    }

    @Override
    public String toString() {
        return bytes.toString();
    }
}
