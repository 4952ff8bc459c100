package spigot.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import spigot.linux.Memory;

/**
 * Memory that requests are read into, placed so that the payload of a WRITE starts on a page. A worker has one; when a large request is detached its
 * memory goes with it, and the worker takes another. Keeps at most {@link #IDLE} idle ones. Any thread.
 */
final class RequestMemory {
    /** Where a frame starts: the payload of a WRITE comes after 80 bytes. */
    static final long START = Memory.PAGE_BYTES - Layout.IN_HEADER_BYTES - Layout.WRITE_IN_BYTES;

    private static final int IDLE = 8;

    private final int frameBytes;
    private final ArrayBlockingQueue<MemorySegment> idle = new ArrayBlockingQueue<>(IDLE);

    /** @param payloadBytes the largest payload of a WRITE */
    RequestMemory(int payloadBytes) {
        this.frameBytes = payloadBytes + Memory.PAGE_BYTES;
    }

    /** How long a frame may be at most: what to read. */
    int frameBytes() {
        return frameBytes;
    }

    MemorySegment take() {
        MemorySegment kept = idle.poll();
        return kept != null ? kept : Arena.ofAuto().allocate(START + frameBytes, Memory.PAGE_BYTES);
    }

    void giveBack(MemorySegment memory) {
        if (!idle.offer(memory)) {
            return; // enough are idle: the collector frees it
        }
    }
}
