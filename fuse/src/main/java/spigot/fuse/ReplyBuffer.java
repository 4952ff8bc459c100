package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import spigot.linux.Memory;

/**
 * Memory for one answer: vectors for writev, then the 16 bytes of the header directly before a page-aligned payload, so that an answer in the buffer goes
 * out by a single write. Used by one thread at a time.
 */
final class ReplyBuffer {
    /** Offset of the payload in {@link #memory}. */
    static final long PAYLOAD = 3 * 4096;
    /** How many segments an answer may be put together from. */
    static final int MAX_VECTORS = 511;

    private static final long HEADER = PAYLOAD - Layout.OUT_HEADER_BYTES;
    private static final int VECTOR_BYTES = 16;

    private final MemorySegment memory;
    private final int capacity;
    private final long address;

    ReplyBuffer(int capacity) {
        this.capacity = capacity;
        this.memory = Arena.ofAuto().allocate(PAYLOAD + capacity, Memory.PAGE_BYTES);
        this.address = memory.address();
        vector(0, address + HEADER, Layout.OUT_HEADER_BYTES);
    }

    MemorySegment memory() {
        return memory;
    }

    /** Bytes that a payload may have. */
    int capacity() {
        return capacity;
    }

    MemorySegment payload(int bytes) {
        return memory.asSlice(PAYLOAD, bytes);
    }

    /** Writes the header, and returns its address. */
    long header(long unique, int error, int payloadBytes) {
        memory.set(JAVA_INT_UNALIGNED, HEADER + Layout.OUT_LENGTH, Layout.OUT_HEADER_BYTES + payloadBytes);
        memory.set(JAVA_INT_UNALIGNED, HEADER + Layout.OUT_ERROR, error);
        memory.set(JAVA_LONG_UNALIGNED, HEADER + Layout.OUT_UNIQUE, unique);
        return address + HEADER;
    }

    /** Sets a part of the payload; 0 is the header. */
    void vector(int index, long from, long bytes) {
        memory.set(JAVA_LONG_UNALIGNED, (long) index * VECTOR_BYTES, from);
        memory.set(JAVA_LONG_UNALIGNED, (long) index * VECTOR_BYTES + 8, bytes);
    }

    /** The address of the vectors. */
    long vectors() {
        return address;
    }
}
