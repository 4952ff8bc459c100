package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Loads and stores at raw addresses of this process, native byte order, any alignment. Nothing checks an address: a wrong one ends the process, so
 * callers stay within memory that they allocated. Safe from any thread; ordering between threads is the caller's.
 */
public final class Memory {
    /** The size of a page where the kernel's page size is the usual one; alignment of I/O buffers. */
    public static final int PAGE_BYTES = 4096;

    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Memory() {}

    public static byte getByte(long address) {
        return ALL.get(JAVA_BYTE, address);
    }

    /** @return the unsigned 16-bit value */
    public static int getShort(long address) {
        return ALL.get(JAVA_SHORT_UNALIGNED, address) & 0xffff;
    }

    public static int getInt(long address) {
        return ALL.get(JAVA_INT_UNALIGNED, address);
    }

    /** @return the 32-bit value as an unsigned number */
    public static long getUnsignedInt(long address) {
        return ALL.get(JAVA_INT_UNALIGNED, address) & 0xffff_ffffL;
    }

    public static long getLong(long address) {
        return ALL.get(JAVA_LONG_UNALIGNED, address);
    }

    public static void putByte(long address, int value) {
        ALL.set(JAVA_BYTE, address, (byte) value);
    }

    public static void putShort(long address, int value) {
        ALL.set(JAVA_SHORT_UNALIGNED, address, (short) value);
    }

    public static void putInt(long address, int value) {
        ALL.set(JAVA_INT_UNALIGNED, address, value);
    }

    public static void putLong(long address, long value) {
        ALL.set(JAVA_LONG_UNALIGNED, address, value);
    }

    public static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    public static void copy(byte[] from, int offset, long to, int bytes) {
        MemorySegment.copy(from, offset, ALL, JAVA_BYTE, to, bytes);
    }

    public static void copy(MemorySegment from, long offset, long to, long bytes) {
        MemorySegment.copy(from, offset, ALL, to, bytes);
    }

    public static void copy(long from, byte[] to, int offset, int bytes) {
        MemorySegment.copy(ALL, JAVA_BYTE, from, to, offset, bytes);
    }

    /** A new array with the bytes at the address. */
    public static byte[] bytes(long address, int count) {
        byte[] result = new byte[count];
        copy(address, result, 0, count);
        return result;
    }

    public static void clear(long address, long bytes) {
        ALL.asSlice(address, bytes).fill((byte) 0);
    }

    /** The number of bytes before the first zero byte at or after the address, at most {@code limit}. */
    public static int stringLength(long address, int limit) {
        int length = 0;
        while (length < limit && getByte(address + length) != 0) {
            length++;
        }
        return length;
    }

    /** The memory at the address as a segment; it lives as long as its owner lets it. */
    public static MemorySegment segment(long address, long bytes) {
        return ALL.asSlice(address, bytes);
    }

    /** Zeroed memory that lives as long as the arena. */
    public static long allocate(Arena arena, long bytes, long alignment) {
        return arena.allocate(bytes, alignment).address();
    }

    /**
     * A C string.
     *
     * @throws IllegalArgumentException when there is a zero byte inside: the kernel would see a shorter name
     */
    public static long cString(Arena arena, byte[] text) {
        for (byte b : text) {
            if (b == 0) {
                throw new IllegalArgumentException("a zero byte inside a name");
            }
        }
        long address = arena.allocate(text.length + 1L).address();
        copy(text, 0, address, text.length);
        return address;
    }

    /** A C string in UTF-8. */
    public static long cString(Arena arena, String text) {
        return cString(arena, text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
}
