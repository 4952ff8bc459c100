package spigot.cache.disk;

import org.jspecify.annotations.Nullable;

/** The unit of eviction: 4 MiB of a file, or all of a smaller one. A link of the list of {@link DiskIndex}, guarded by its lock. */
final class DiskExtent {
    final DiskEntry entry;
    final int number;

    /** Data blocks that it occupies. */
    int blocks;

    /** Threads that write to it now: not to be evicted. */
    int writers;

    /** Being removed: nothing may be written, and what is read proves nothing. */
    boolean leaving;

    boolean listed;

    @Nullable
    DiskExtent older;

    @Nullable
    DiskExtent newer;

    DiskExtent(DiskEntry entry, int number) {
        this.entry = entry;
        this.number = number;
    }

    /** With its page of the map. */
    int occupiedBlocks() {
        return blocks + 1;
    }
}
