package spigot.cache.memory;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileVersion;

/**
 * Cached blocks of files, outside the heap, under a byte budget. Safe for any thread.
 *
 * <p>Frames of 32 KiB hold one chunk of one (file, version) each, or some 4 KiB blocks of it. They are found through hash chains. A reader
 * takes no lock: it walks the chain, pins the frame by a compare-and-set on its {@link FrameState}, and only then compares the key, because
 * a frame that is pinned and resident can't get another key. A chain that changes under a reader may hide a frame from it: then it misses,
 * and comes back through {@link #put} or {@link #blocksOf}, which take the lock. Writers hold the lock for the chains and queues,
 * never while they copy.
 *
 * <p>Eviction is S3-FIFO (Yang et al., SOSP 2023): new chunks pass through a small queue of a tenth of the frames, so that a long
 * sequential read takes nothing from what is used again and again; a chunk that comes back soon after its eviction goes to the main queue at once.
 */
public final class BlockMemory implements AutoCloseable {
    public static final int FRAME_BYTES = Chunks.BYTES;
    private static final int FRAMES_PER_SLAB = 128;
    private static final int MAX_CHAIN = 64;
    private static final int SMALL_QUEUE_DIVISOR = 10;
    private static final int NONE = -1;

    private static final VarHandle INTS = MethodHandles.arrayElementVarHandle(int[].class);

    private final int frameCount;
    private final Slabs slabs;

    // Of each frame. Keys are written while a frame is not resident, and read for certain only while it is pinned.
    private final int[] state;
    private final int[] next; // frame + 1 of the next one in the chain, 0: none
    private final long[] idHigh;
    private final long[] idLow;
    private final long[] epoch;
    private final long[] index;
    private final long[] chunk;
    private final boolean[] inMain;

    private final int[] bucket; // frame + 1 of the first one in the chain, 0: none
    private final long[] recentlyEvicted; // hash of the key, at a place that the hash gives
    private final FrameList small;
    private final FrameList main;
    private final FrameList free;

    private final ReentrantLock lock = new ReentrantLock();
    private int touchedFrames; // those from here on have never been used
    private int residentFrames;
    private volatile boolean closed;

    private final LongAdder evictions = new LongAdder();
    private final LongAdder unreadAheadBytes = new LongAdder();

    /** @param budgetBytes at least 1 MiB; rounded down to whole frames */
    public BlockMemory(long budgetBytes) {
        frameCount = Math.toIntExact(Math.min(budgetBytes / Chunks.BYTES, 1 << 26));
        if (frameCount < 32) {
            throw new IllegalArgumentException("block memory needs at least 1 MiB, not " + budgetBytes + " bytes");
        }
        slabs = new Slabs(Math.ceilDiv(frameCount, FRAMES_PER_SLAB), (long) FRAMES_PER_SLAB * Chunks.BYTES);
        state = new int[frameCount];
        next = new int[frameCount];
        idHigh = new long[frameCount];
        idLow = new long[frameCount];
        epoch = new long[frameCount];
        index = new long[frameCount];
        chunk = new long[frameCount];
        inMain = new boolean[frameCount];
        int buckets = Integer.highestOneBit(frameCount) * 2;
        bucket = new int[buckets];
        recentlyEvicted = new long[buckets];
        int[] before = new int[frameCount];
        int[] after = new int[frameCount];
        small = new FrameList(before, after);
        main = new FrameList(before, after);
        free = new FrameList(before, after);
    }

    // ---- reading: no lock, no allocation

    /**
     * Copies the longest run of cached bytes from {@code offset}.
     *
     * @return how many bytes, 0 to {@code length}
     */
    public int read(FileVersion content, long offset, MemorySegment destination, long destinationOffset, int length) {
        int done = 0;
        while (done < length) {
            long position = offset + done;
            int within = Chunks.within(position);
            int frame = pin(content, Chunks.chunk(position), within >>> Chunks.BLOCK_SHIFT);
            if (frame == NONE) {
                break;
            }
            int wanted = Math.min(length - done, Chunks.BYTES - within);
            int there = Math.min(wanted, runLength(frame, within));
            try {
                MemorySegment.copy(memory(frame), start(frame) + within, destination, destinationOffset + done, there);
            } finally {
                unpin(frame);
            }
            done += there;
            if (there < wanted) {
                break;
            }
        }
        return done;
    }

    /** Whether all of the bytes are here now. */
    public boolean contains(FileVersion content, long offset, long length) {
        long end = offset + length;
        for (long at = offset; at < end; ) {
            int within = Chunks.within(at);
            int wanted = (int) Math.min(end - at, Chunks.BYTES - within);
            int mask = Chunks.mask(within, wanted);
            if ((blocksOf(content, Chunks.chunk(at)) & mask) != mask) {
                return false;
            }
            at += wanted;
        }
        return true;
    }

    /**
     * Pins the frame that has the block of the bytes, so that nothing in it is overwritten; give it back by {@link #unpin}.
     *
     * @return a handle for {@link #memory} and {@link #start}, or -1 when not all of the bytes lie in one chunk that is here
     */
    public int pinSlice(FileVersion content, long offset, int length) {
        int within = Chunks.within(offset);
        if (within + length > Chunks.BYTES) {
            return NONE;
        }
        int frame = pin(content, Chunks.chunk(offset), within >>> Chunks.BLOCK_SHIFT);
        if (frame != NONE && runLength(frame, within) < length) {
            unpin(frame);
            return NONE;
        }
        return frame;
    }

    public void unpin(int frame) {
        INTS.getAndAdd(state, frame, -FrameState.PIN);
    }

    public MemorySegment memory(int frame) {
        return slabs.get(frame / FRAMES_PER_SLAB);
    }

    /** Where the chunk of a frame begins in its {@link #memory}. */
    public long start(int frame) {
        return (long) (frame % FRAMES_PER_SLAB) << Chunks.BYTES_SHIFT;
    }

    private int pin(FileVersion content, long wantedChunk, int block) {
        int at = firstOf(hash(content, wantedChunk));
        for (int steps = 0; at != 0 && steps < MAX_CHAIN; steps++) {
            int frame = at - 1;
            if (hasKey(frame, content, wantedChunk)) {
                return pinIfSame(frame, content, wantedChunk, block);
            }
            at = (int) INTS.getAcquire(next, frame);
        }
        return NONE;
    }

    private int pinIfSame(int frame, FileVersion content, long wantedChunk, int block) {
        while (true) {
            int before = (int) INTS.getAcquire(state, frame);
            if (!FrameState.isResident(before)
                    || (before >>> block & 1) == 0
                    || !FrameState.hasRoomForPin(before)
                    || closed) {
                return NONE;
            }
            if (INTS.compareAndSet(state, frame, before, FrameState.hit(before))) {
                if (hasKey(frame, content, wantedChunk)) {
                    return frame;
                }
                unpin(frame);
                return NONE;
            }
            Thread.onSpinWait();
        }
    }

    private int runLength(int frame, int within) {
        int blocks = FrameState.blocks((int) INTS.getAcquire(state, frame)) >>> (within >>> Chunks.BLOCK_SHIFT);
        int run = Integer.numberOfTrailingZeros(~blocks);
        return (run << Chunks.BLOCK_SHIFT) - (within & (1 << Chunks.BLOCK_SHIFT) - 1);
    }

    private int firstOf(long hash) {
        return (int) INTS.getAcquire(bucket, (int) hash & bucket.length - 1);
    }

    private boolean hasKey(int frame, FileVersion content, long wantedChunk) {
        return chunk[frame] == wantedChunk
                && idLow[frame] == content.file().low()
                && idHigh[frame] == content.file().high()
                && index[frame] == content.version().index()
                && epoch[frame] == content.version().epoch();
    }

    private static long hash(FileVersion content, long chunk) {
        return hash(
                content.file().high(),
                content.file().low(),
                content.version().epoch(),
                content.version().index(),
                chunk);
    }

    private static long hash(long idHigh, long idLow, long epoch, long index, long chunk) {
        long x = idLow ^ idHigh * 0x9E3779B97F4A7C15L;
        x = (x ^ index) * 0xBF58476D1CE4E5B9L + epoch;
        x = (x ^ x >>> 29 ^ chunk) * 0x94D049BB133111EBL;
        return x ^ x >>> 32;
    }

    // ---- writing

    /**
     * Keeps blocks. What is here already stays.
     *
     * @param offset of the first byte in the file, a multiple of 4096
     * @param length a multiple of 4096 unless the file ends there
     * @param ahead nobody has asked for them yet
     */
    public void put(
            FileVersion content, long offset, MemorySegment source, long sourceOffset, long length, boolean ahead) {
        long done = 0;
        while (done < length && !closed) {
            int within = Chunks.within(offset + done);
            int part = (int) Math.min(length - done, Chunks.BYTES - within);
            putChunk(content, Chunks.chunk(offset + done), within, source, sourceOffset + done, part, ahead);
            done += part;
        }
    }

    private void putChunk(
            FileVersion content,
            long wantedChunk,
            int within,
            MemorySegment source,
            long sourceOffset,
            int length,
            boolean ahead) {
        int mask = Chunks.mask(within, length);
        int frame;
        boolean extend;
        lock.lock();
        try {
            frame = find(content, wantedChunk);
            extend = frame != NONE;
            if (extend) {
                INTS.getAndAdd(state, frame, FrameState.PIN);
            } else {
                frame = claim();
                if (frame == NONE) {
                    return; // all are pinned: the data go to whoever waits for them, and are not kept
                }
            }
        } finally {
            lock.unlock();
        }
        if (extend) {
            try {
                // Blocks that are there may be copied by readers right now: their bytes are the same, but need not be
                // written.
                if ((FrameState.blocks((int) INTS.getAcquire(state, frame)) & mask) != mask) {
                    MemorySegment.copy(source, sourceOffset, memory(frame), start(frame) + within, length);
                    INTS.getAndBitwiseOrRelease(state, frame, mask);
                }
            } finally {
                unpin(frame);
            }
            return;
        }
        MemorySegment.copy(source, sourceOffset, memory(frame), start(frame) + within, length);
        lock.lock();
        try {
            if (find(content, wantedChunk) == NONE) {
                publish(frame, content, wantedChunk, mask, ahead);
            } else {
                free.add(frame); // somebody else brought the chunk meanwhile
            }
        } finally {
            lock.unlock();
        }
    }

    private void publish(int frame, FileVersion content, long wantedChunk, int mask, boolean ahead) {
        idHigh[frame] = content.file().high();
        idLow[frame] = content.file().low();
        epoch[frame] = content.version().epoch();
        index[frame] = content.version().index();
        chunk[frame] = wantedChunk;
        INTS.setRelease(state, frame, FrameState.RESIDENT | mask | (ahead ? FrameState.UNREAD_AHEAD : 0));
        long hash = hash(content, wantedChunk);
        int slot = (int) hash & bucket.length - 1;
        INTS.setRelease(next, frame, bucket[slot]);
        INTS.setRelease(bucket, slot, frame + 1);
        inMain[frame] = recentlyEvicted[slot] == hash;
        queueOf(frame).add(frame);
        residentFrames++;
    }

    private FrameList queueOf(int frame) {
        return inMain[frame] ? main : small;
    }

    /** Which blocks of a chunk are here, one bit each. */
    private int blocksOf(FileVersion content, long wantedChunk) {
        int at = firstOf(hash(content, wantedChunk));
        for (int steps = 0; at != 0 && steps < MAX_CHAIN; steps++) {
            int frame = at - 1;
            if (hasKey(frame, content, wantedChunk)) {
                int now = (int) INTS.getAcquire(state, frame);
                return FrameState.isResident(now) ? FrameState.blocks(now) : 0;
            }
            at = (int) INTS.getAcquire(next, frame);
        }
        return 0;
    }

    private int find(FileVersion content, long wantedChunk) {
        for (int at = firstOf(hash(content, wantedChunk)); at != 0; at = next[at - 1]) {
            if (hasKey(at - 1, content, wantedChunk)) {
                return at - 1;
            }
        }
        return NONE;
    }

    // ---- eviction, under the lock

    /** A frame that belongs to nobody, or -1 when all are pinned. */
    private int claim() {
        int frame = free.poll();
        if (frame != NONE) {
            return frame;
        }
        if (touchedFrames < frameCount) {
            slabs.allocated(touchedFrames / FRAMES_PER_SLAB);
            return touchedFrames++;
        }
        boolean smallFirst = small.size() >= Math.max(1, frameCount / SMALL_QUEUE_DIVISOR) || main.size() == 0;
        frame = smallFirst ? evictFromSmall() : evictFromMain();
        if (frame == NONE) {
            frame = smallFirst ? evictFromMain() : evictFromSmall();
        }
        return frame;
    }

    private int evictFromSmall() {
        for (int left = small.size(); left > 0; left--) {
            int frame = small.poll();
            int now = (int) INTS.getAcquire(state, frame);
            if (FrameState.frequency(now) > 0) {
                INTS.getAndBitwiseAnd(state, frame, ~FrameState.FREQUENCY_MASK);
                inMain[frame] = true;
                main.add(frame);
            } else if (evict(frame, now)) {
                long hash = hash(idHigh[frame], idLow[frame], epoch[frame], index[frame], chunk[frame]);
                recentlyEvicted[(int) hash & bucket.length - 1] = hash;
                return frame;
            } else {
                small.add(frame);
            }
        }
        return NONE;
    }

    private int evictFromMain() {
        for (int left = main.size() * 4; left > 0; left--) {
            int frame = main.poll();
            int now = (int) INTS.getAcquire(state, frame);
            if (FrameState.frequency(now) > 0) {
                INTS.compareAndSet(state, frame, now, now - FrameState.FREQUENCY_UNIT);
            } else if (evict(frame, now)) {
                return frame;
            }
            main.add(frame);
        }
        return NONE;
    }

    private boolean evict(int frame, int now) {
        if (FrameState.isPinned(now) || !INTS.compareAndSet(state, frame, now, FrameState.FREE)) {
            return false;
        }
        unlink(frame);
        evictions.add(Integer.bitCount(FrameState.blocks(now)));
        if (FrameState.isUnreadAhead(now)) {
            unreadAheadBytes.add((long) Integer.bitCount(FrameState.blocks(now)) << Chunks.BLOCK_SHIFT);
        }
        return true;
    }

    private void unlink(int frame) {
        int slot =
                (int) hash(idHigh[frame], idLow[frame], epoch[frame], index[frame], chunk[frame]) & bucket.length - 1;
        if (bucket[slot] == frame + 1) {
            INTS.setRelease(bucket, slot, next[frame]);
        } else {
            int at = bucket[slot] - 1;
            while (next[at] != frame + 1) {
                at = next[at] - 1;
            }
            INTS.setRelease(next, at, next[frame]);
        }
        residentFrames--;
    }

    /** Drops all that nobody is reading of any version of a file. @return the bytes dropped */
    public long drop(FileId file) {
        return drop(file.high(), file.low(), null);
    }

    /** Drops all that nobody is reading of one version of a file. @return the bytes dropped */
    public long drop(FileVersion content) {
        return drop(content.file().high(), content.file().low(), content);
    }

    private long drop(long high, long low, @Nullable FileVersion only) {
        long blocks = 0;
        lock.lock();
        try {
            for (int frame = 0; frame < touchedFrames; frame++) {
                int now = (int) INTS.getAcquire(state, frame);
                boolean meant = FrameState.isResident(now)
                        && idHigh[frame] == high
                        && idLow[frame] == low
                        && (only == null || hasKey(frame, only, chunk[frame]));
                if (meant && !FrameState.isPinned(now) && INTS.compareAndSet(state, frame, now, FrameState.FREE)) {
                    unlink(frame);
                    queueOf(frame).remove(frame);
                    free.add(frame);
                    blocks += Integer.bitCount(FrameState.blocks(now));
                }
            }
        } finally {
            lock.unlock();
        }
        return blocks << Chunks.BLOCK_SHIFT;
    }

    /** Calls back with the offset of each block of one version that is here, in no order. */
    public void forEachBlock(FileVersion content, LongConsumer offset) {
        lock.lock();
        try {
            for (int frame = 0; frame < touchedFrames; frame++) {
                int now = (int) INTS.getAcquire(state, frame);
                if (FrameState.isResident(now) && hasKey(frame, content, chunk[frame])) {
                    for (int blocks = FrameState.blocks(now); blocks != 0; blocks &= blocks - 1) {
                        offset.accept((chunk[frame] << Chunks.BYTES_SHIFT)
                                + ((long) Integer.numberOfTrailingZeros(blocks) << Chunks.BLOCK_SHIFT));
                    }
                }
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- figures

    public long residentBytes() {
        lock.lock();
        try {
            return (long) residentFrames << Chunks.BYTES_SHIFT;
        } finally {
            lock.unlock();
        }
    }

    public long budgetBytes() {
        return (long) frameCount << Chunks.BYTES_SHIFT;
    }

    /** Blocks that had to go for others. */
    public long evictions() {
        return evictions.sum();
    }

    /** Bytes that were fetched ahead and evicted before anybody asked. */
    public long unreadAheadBytes() {
        return unreadAheadBytes.sum();
    }

    /** Frees the memory. Reads in progress fail with IllegalStateException, later ones find nothing. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (!closed) {
                closed = true;
                slabs.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
