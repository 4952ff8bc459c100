package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A name inside a request, any bytes but '/' and zero: a view that is valid as long as its request. {@link #bytes} makes a copy that stays; all others
 * make no object.
 */
public final class Name {
    private MemorySegment memory = MemorySegment.NULL;
    private long start;
    private int length;

    Name() {}

    void set(MemorySegment memory, long start, int length) {
        this.memory = memory;
        this.start = start;
        this.length = length;
    }

    public int length() {
        return length;
    }

    public byte byteAt(int index) {
        if (index < 0 || index >= length) {
            throw new IndexOutOfBoundsException(index);
        }
        return memory.get(JAVA_BYTE, start + index);
    }

    public byte[] bytes() {
        byte[] result = new byte[length];
        copyTo(result, 0);
        return result;
    }

    /** Copies all bytes of the name to the array. */
    public void copyTo(byte[] target, int offset) {
        MemorySegment.copy(memory, JAVA_BYTE, start, target, offset, length);
    }

    public boolean contentEquals(byte[] other) {
        if (other.length != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (memory.get(JAVA_BYTE, start + i) != other[i]) {
                return false;
            }
        }
        return true;
    }

    /** The same number as {@link java.util.Arrays#hashCode(byte[])} of the bytes. */
    public int contentHash() {
        int hash = 1;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + memory.get(JAVA_BYTE, start + i);
        }
        return hash;
    }

    /** For messages: bytes that are no UTF-8 are replaced. */
    @Override
    public String toString() {
        return new String(bytes(), StandardCharsets.UTF_8);
    }
}
