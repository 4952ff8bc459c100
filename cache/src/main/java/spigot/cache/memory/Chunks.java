package spigot.cache.memory;

import spigot.model.Fragments;

/** How a file is divided in memory: chunks of 32 KiB, of which each 4 KiB block may be there or not. */
public final class Chunks {
    public static final int BYTES_SHIFT = 15;
    public static final int BYTES = 1 << BYTES_SHIFT;
    public static final int BLOCK_SHIFT = 12;
    public static final int BLOCKS = BYTES / Fragments.BLOCK_BYTES;

    /** All blocks of a chunk. */
    static final int FULL = (1 << BLOCKS) - 1;

    private Chunks() {}

    static long chunk(long offset) {
        return offset >>> BYTES_SHIFT;
    }

    static int within(long offset) {
        return (int) offset & (BYTES - 1);
    }

    /** One bit for each block that the bytes touch. */
    static int mask(int offsetInChunk, int length) {
        int first = offsetInChunk >>> BLOCK_SHIFT;
        int last = (offsetInChunk + length - 1) >>> BLOCK_SHIFT;
        return (FULL >>> (BLOCKS - 1 - last)) & (FULL << first) & FULL;
    }

    public static long blockStart(long offset) {
        return offset & -Fragments.BLOCK_BYTES;
    }

    public static long blockEnd(long offset) {
        return offset + Fragments.BLOCK_BYTES - 1 & -Fragments.BLOCK_BYTES;
    }
}
