package spigot.cache.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Memory outside the heap in pieces of equal size, allocated when first needed. {@link #get} is for any thread, the rest under the owner's lock. */
final class Slabs {
    private final Arena arena = Arena.ofShared();
    private final @Nullable MemorySegment[] slabs;
    private final long slabBytes;

    Slabs(int count, long slabBytes) {
        this.slabs = new @Nullable MemorySegment[count];
        this.slabBytes = slabBytes;
    }

    /** A slab that was allocated before; the caller learnt of it through something that orders memory. */
    MemorySegment get(int slab) {
        MemorySegment segment = slabs[slab];
        if (segment == null) {
            throw new IllegalStateException("slab " + slab + " is not allocated");
        }
        return segment;
    }

    MemorySegment allocated(int slab) {
        MemorySegment segment = slabs[slab];
        if (segment == null) {
            segment = arena.allocate(slabBytes, 4096);
            slabs[slab] = segment;
        }
        return segment;
    }

    /** Whoever uses the memory after this gets an IllegalStateException. */
    void close() {
        arena.close();
    }
}
