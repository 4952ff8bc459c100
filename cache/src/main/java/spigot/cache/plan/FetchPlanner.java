package spigot.cache.plan;

import org.jspecify.annotations.Nullable;

/**
 * Recognizes how one open file is read and says what to fetch: little around a read that follows no pattern, more and more ahead of
 * sequential and strided ones. Several patterns may be interleaved. Pure: no clock, no I/O. For one thread at a time.
 *
 * <p>What is fetched ahead of a sequential stream is at most twice what the stream has read already, up to a limit: a wrong guess costs no
 * more than a constant factor, and a right one doubles the window with each window that is read.
 */
public final class FetchPlanner {
    private static final int STREAMS = 8;
    private static final int MAX_STRIDE_PIECES = 16;
    private static final int RECENT_MISSES = 8;
    private static final int MISSES_FOR_NEAR = 3;
    private static final long NEAR_BYTES = 256 << 10;
    private static final long MAX_GAP_BYTES = 256 << 10;
    private static final int CHUNK_BYTES = 32 << 10;
    private static final int BLOCK_BYTES = 4096;

    private final PlannerLimits limits;
    private final ReadStream[] streams = new ReadStream[STREAMS];
    private final long[] recentMisses = new long[RECENT_MISSES];
    private int misses;
    private long now;

    /** The stream of the last read. */
    private ReadStream current;

    // What to fetch ahead after the last read, if anything.
    private long aheadOffset;
    private long aheadLength;
    private long aheadStride;
    private int aheadCount;
    private int aheadRequestBytes;

    public FetchPlanner(PlannerLimits limits) {
        this.limits = limits;
        for (int i = 0; i < STREAMS; i++) {
            streams[i] = new ReadStream();
        }
        current = streams[0];
    }

    /**
     * Takes note of a read. Allocates nothing.
     *
     * @return whether something is to be fetched ahead now: {@link #ahead}
     */
    public boolean onRead(long offset, int length, long fileSize) {
        now++;
        ReadStream stream = findSequential(offset);
        if (stream != null) {
            current = stream;
            return goOn(stream, offset, length, fileSize);
        }
        stream = findStrided(offset);
        if (stream != null) {
            current = stream;
            return stride(stream, offset, length, fileSize);
        }
        current = begin(offset, length);
        return false;
    }

    /** What to fetch ahead, when {@link #onRead} has just said so. */
    public FetchAhead ahead() {
        return new FetchAhead(aheadOffset, aheadLength, aheadStride, aheadCount, aheadRequestBytes);
    }

    /** The number of pieces of {@link #ahead}. */
    public int aheadPieces() {
        return aheadCount;
    }

    /** Where a piece of {@link #ahead} starts. */
    public long aheadStart(int piece) {
        return aheadOffset + piece * aheadStride;
    }

    /** How long each piece of {@link #ahead} is. */
    public long aheadLength() {
        return aheadLength;
    }

    private boolean fetchAhead(long offset, long length, long stride, int count, int requestBytes) {
        aheadOffset = offset;
        aheadLength = length;
        aheadStride = stride;
        aheadCount = count;
        aheadRequestBytes = requestBytes;
        return true;
    }

    /**
     * What to fetch for the read that was noted last, when it can't be answered: its bytes and what belongs to them.
     *
     * @return the first byte; {@link #demandEnd} is the end
     */
    public long demandStart(long offset, int length) {
        return offset & -alignment(length);
    }

    /** The end of what to fetch for the read that was noted last, within the file. */
    public long demandEnd(long offset, int length, long fileSize) {
        long alignment = alignment(length);
        return Math.min(fileSize, offset + length + alignment - 1 & -alignment);
    }

    /** Takes note that a read could not be answered without fetching. Several readers of the same place tell nothing new. */
    public void onMiss(long offset) {
        long place = offset & -limits.randomBytes();
        for (int i = 0; i < Math.min(misses, RECENT_MISSES); i++) {
            if (recentMisses[i] == place) {
                return;
            }
        }
        recentMisses[misses % RECENT_MISSES] = place;
        misses = misses + 1 & Integer.MAX_VALUE;
    }

    private long alignment(int length) {
        if (current.isSequential() || current.isStrided() || length > limits.nearBytes()) {
            return BLOCK_BYTES;
        }
        return isNear() ? limits.nearBytes() : limits.randomBytes();
    }

    /** Whether the misses lie close together, though in no order. */
    private boolean isNear() {
        int known = Math.min(misses, RECENT_MISSES);
        int near = 0;
        for (int i = 1; i < known; i++) {
            boolean found = false;
            for (int j = 0; j < i && !found; j++) {
                found = Math.abs(recentMisses[i] - recentMisses[j]) < NEAR_BYTES;
            }
            near += found ? 1 : 0;
        }
        return near >= MISSES_FOR_NEAR;
    }

    // ---- sequential

    /** The stream that this read continues or repeats: the one whose end is nearest. */
    private @Nullable ReadStream findSequential(long offset) {
        ReadStream best = null;
        long bestDistance = Long.MAX_VALUE;
        for (ReadStream stream : streams) {
            long distance = Math.abs(offset - stream.end);
            if (stream.inUse && distance < bestDistance && continues(stream, offset)) {
                best = stream;
                bestDistance = distance;
            }
        }
        return best;
    }

    /** Several readers, and the kernel's read-ahead, may swap requests: a stream that goes on may skip as much as it has read. */
    private static boolean continues(ReadStream stream, long offset) {
        long gap = stream.isSequential() ? Math.min(MAX_GAP_BYTES, stream.runBytes) : 0;
        long back = Math.min(MAX_GAP_BYTES, stream.runBytes);
        return offset >= stream.end - back && offset <= stream.end + gap;
    }

    private boolean goOn(ReadStream stream, long offset, int length, long fileSize) {
        stream.lastUse = now;
        stream.start = offset;
        long end = offset + length;
        if (end <= stream.end) {
            return false; // read again
        }
        stream.follows++;
        stream.runBytes += end - stream.end;
        stream.end = end;
        stream.aheadEnd = Math.max(stream.aheadEnd, end);
        long window = window(stream);
        long to = Math.min(fileSize, end + window & -CHUNK_BYTES);
        int request = Math.clamp(Long.highestOneBit(window / 4), limits.minWindowBytes(), limits.maxRequestBytes());
        long due = to - stream.aheadEnd;
        if (due <= 0 || (due < request && to < fileSize)) {
            return false;
        }
        long from = stream.aheadEnd;
        stream.aheadEnd = to;
        return fetchAhead(from, due, 0, 1, request);
    }

    private long window(ReadStream stream) {
        int max = stream.runBytes < limits.longStreamBytes() ? limits.maxWindowBytes() : limits.maxLongWindowBytes();
        return Math.clamp(2 * stream.runBytes, limits.minWindowBytes(), max);
    }

    // ---- strided

    private @Nullable ReadStream findStrided(long offset) {
        for (ReadStream stream : streams) {
            if (stream.inUse && stream.stride != 0 && stream.start + stream.stride == offset) {
                return stream;
            }
        }
        return null;
    }

    private boolean stride(ReadStream stream, long offset, int length, long fileSize) {
        stream.lastUse = now;
        stream.start = offset;
        stream.end = offset + length;
        stream.runBytes = length;
        stream.aheadEnd = stream.end;
        stream.strideRepeats = Math.min(stream.strideRepeats + 1, 8);
        long stride = stream.stride;
        long ahead = (stream.strideAhead - offset) / stride; // pieces that were fetched and not read yet
        if (ahead < 0 || stream.strideRepeats == 1) {
            ahead = 0;
            stream.strideAhead = offset;
        }
        long wanted = Math.min(1L << stream.strideRepeats, MAX_STRIDE_PIECES);
        wanted = Math.clamp(limits.maxWindowBytes() / Math.max(1, length), 1, wanted);
        if (ahead > wanted / 2) {
            return false;
        }
        long first = stream.strideAhead + stride;
        long fit = stride > 0 ? Math.ceilDiv(fileSize - first, stride) : Math.floorDiv(first, -stride) + 1;
        long pieces = Math.min(wanted - ahead, fit);
        if (pieces <= 0) {
            return false;
        }
        stream.strideAhead += pieces * stride;
        return fetchAhead(first, length, stride, (int) pieces, limits.maxRequestBytes());
    }

    // ---- a new pattern

    /** Takes the place of the stream that was longest without a read. */
    private ReadStream begin(long offset, int length) {
        ReadStream nearest = null;
        ReadStream oldest = streams[0];
        for (ReadStream stream : streams) {
            if (stream.inUse
                    && !stream.isSequential()
                    && (nearest == null || Math.abs(offset - stream.start) < Math.abs(offset - nearest.start))) {
                nearest = stream;
            }
            if (oldest.inUse && (!stream.inUse || stream.lastUse < oldest.lastUse)) {
                oldest = stream;
            }
        }
        long stride = nearest == null ? 0 : offset - nearest.start;
        oldest.begin(offset, length, stride, now);
        return oldest;
    }
}
