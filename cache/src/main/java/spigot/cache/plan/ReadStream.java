package spigot.cache.plan;

/** One of the patterns that the reads of an open file seem to follow. Belongs to a {@link FetchPlanner}. */
final class ReadStream {
    boolean inUse;

    /** Start of its last read, and the end of the furthest one. */
    long start;

    long end;

    /** Bytes that followed each other. */
    long runBytes;

    /** How often a read went on where the one before had ended. */
    int follows;

    /** Up to where has been fetched ahead. */
    long aheadEnd;

    /** Distance of its last read from the one before; 0: not known. */
    long stride;

    /** How often the stride was seen again. */
    int strideRepeats;

    /** Start of the last piece that was fetched ahead, when it strides. */
    long strideAhead;

    long lastUse;

    void begin(long offset, int length, long strideToHere, long now) {
        inUse = true;
        start = offset;
        end = offset + length;
        runBytes = length;
        follows = 0;
        aheadEnd = end;
        stride = strideToHere;
        strideRepeats = 0;
        strideAhead = offset;
        lastUse = now;
    }

    boolean isSequential() {
        return follows > 0;
    }

    boolean isStrided() {
        return strideRepeats > 0;
    }
}
