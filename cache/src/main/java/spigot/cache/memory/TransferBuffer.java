package spigot.cache.memory;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;

/** One buffer of {@link TransferBuffers}; whoever got it closes it, once nobody reads or writes it any more. */
public final class TransferBuffer implements AutoCloseable {
    private final TransferBuffers owner;
    private final int slab;
    private final int mask;
    private final MemorySegment memory;
    private final int bytes;
    private final AtomicBoolean given = new AtomicBoolean();

    TransferBuffer(TransferBuffers owner, int slab, int mask, MemorySegment slabMemory, long start, int bytes) {
        this.owner = owner;
        this.slab = slab;
        this.mask = mask;
        this.memory = slabMemory.asSlice(start, bytes);
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }

    public MemorySegment memory() {
        return memory;
    }

    /** A view of a part; position 0. */
    public ByteBuffer view(int offset, int length) {
        return memory.asSlice(offset, length).asByteBuffer();
    }

    /** Idempotent. */
    @Override
    public void close() {
        if (given.compareAndSet(false, true)) {
            owner.give(slab, mask);
        }
    }
}
