package spigot.cache.live;

import java.time.Duration;

/**
 * The bounds of {@link LiveFiles}.
 *
 * @param dirtyBlocks of 4 KiB, of all files together, that may wait to be committed; who would write more waits for that, then gets ENOSPC
 * @param cleanBlocks of one file that are kept
 * @param idleFiles that nobody has open, and whose tokens are kept
 * @param age after which what is dirty is committed
 */
public record LiveLimits(int dirtyBlocks, int cleanBlocks, int idleFiles, Duration age) {
    /** 1 GiB of dirty data, 256 MiB of clean ones a file. */
    public static final LiveLimits DEFAULT = new LiveLimits(256 << 10, 64 << 10, 256, Duration.ofSeconds(5));

    public LiveLimits {
        if (dirtyBlocks <= 0 || cleanBlocks <= 0 || idleFiles < 0 || !age.isPositive()) {
            throw new IllegalArgumentException("the bounds of files that are written are positive");
        }
    }
}
