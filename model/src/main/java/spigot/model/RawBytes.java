package spigot.model;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** An immutable run of bytes that is compared by its content. */
public final class RawBytes implements Comparable<RawBytes> {
    public static final RawBytes EMPTY = new RawBytes(new byte[0]);

    private final byte[] bytes;

    private RawBytes(byte[] bytes) {
        this.bytes = bytes;
    }

    public static RawBytes copyOf(byte[] bytes) {
        return bytes.length == 0 ? EMPTY : new RawBytes(bytes.clone());
    }

    public static RawBytes ofUtf8(String text) {
        return new RawBytes(text.getBytes(StandardCharsets.UTF_8));
    }

    public byte[] toArray() {
        return bytes.clone();
    }

    public int length() {
        return bytes.length;
    }

    public boolean isEmpty() {
        return bytes.length == 0;
    }

    public boolean startsWith(RawBytes prefix) {
        int length = prefix.bytes.length;
        return bytes.length >= length && Arrays.equals(bytes, 0, length, prefix.bytes, 0, length);
    }

    @Override
    public int compareTo(RawBytes other) {
        return Arrays.compareUnsigned(bytes, other.bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RawBytes that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** For people: bytes that are not printable ASCII or valid UTF-8 show as {@code \xNN}. */
    @Override
    public String toString() {
        return PrintableBytes.of(bytes);
    }
}
