package spigot.cache.disk;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;

/**
 * What occupies how much of the cache directory, in the order of its last use. Only for accounts and eviction: whether a block is there is
 * decided by the disk. Safe for any thread; no I/O here.
 */
final class DiskIndex {
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<DiskEntry, DiskEntry> entries = new HashMap<>();
    private final Set<FileId> pinned = new HashSet<>();
    private @Nullable DiskExtent oldest;
    private @Nullable DiskExtent newest;
    private long usedBlocks;

    /** Whether anything of it may be on disk. */
    boolean contains(DiskEntry key) {
        lock.lock();
        try {
            return entries.containsKey(key);
        } finally {
            lock.unlock();
        }
    }

    /** Something was read: it is young again. */
    void touch(DiskEntry key, long firstBlock, long endBlock) {
        lock.lock();
        try {
            DiskEntry entry = entries.get(key);
            if (entry == null) {
                return;
            }
            for (int e = DiskLayout.extent(firstBlock); e <= DiskLayout.extent(endBlock - 1); e++) {
                DiskExtent extent = entry.known(e);
                if (extent != null && extent.listed) {
                    unlist(extent);
                    list(extent);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Announces that blocks of one extent will be written.
     *
     * @return null when it is being removed right now: do not write
     */
    @Nullable
    DiskExtent beginWrite(DiskEntry key, int number) {
        lock.lock();
        try {
            DiskEntry entry = entries.computeIfAbsent(key, k -> k);
            DiskExtent extent = entry.extent(number);
            if (entry.leaving || extent.leaving) {
                return null;
            }
            extent.writers++;
            if (extent.listed) {
                unlist(extent);
            } else {
                count(extent);
            }
            list(extent);
            return extent;
        } finally {
            lock.unlock();
        }
    }

    /** @param blocks data blocks more than before */
    void endWrite(DiskExtent extent, int blocks) {
        lock.lock();
        try {
            extent.writers--;
            extent.blocks += blocks;
            usedBlocks += blocks;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Found on disk at start; older than all that is listed now. What was written meanwhile is counted already, and counts as found only where
     * it was not.
     */
    void found(DiskEntry found, int[] blocksOfExtents) {
        lock.lock();
        try {
            DiskEntry entry = entries.computeIfAbsent(found, k -> k);
            for (int e = 0; e < blocksOfExtents.length; e++) {
                DiskExtent known = entry.known(e);
                boolean onlyOne = e == blocksOfExtents.length - 1 && entry.extents == 0;
                if ((known == null || !known.listed) && (blocksOfExtents[e] > 0 || onlyOne)) {
                    // An empty map counts too, so that it is evicted some day.
                    DiskExtent extent = entry.extent(e);
                    extent.blocks = blocksOfExtents[e];
                    count(extent);
                    listOldest(extent);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void count(DiskExtent extent) {
        if (extent.entry.extents++ == 0) {
            usedBlocks++; // the inode
        }
        usedBlocks += extent.occupiedBlocks();
    }

    /**
     * Chooses the least recently used extent that is neither pinned nor written, and marks it as leaving; the whole entry, when it has
     * no other.
     *
     * @return null when there is none
     */
    @Nullable
    DiskExtent chooseVictim() {
        lock.lock();
        try {
            for (DiskExtent extent = oldest; extent != null; extent = extent.newer) {
                if (extent.writers == 0 && !extent.leaving && !extent.entry.leaving && !isPinnedLocked(extent.entry)) {
                    extent.leaving = true;
                    extent.entry.leaving = extent.entry.extents == 1;
                    return extent;
                }
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** Marks an entry as leaving; false, and nothing is marked, when it is not there, written or leaving already. */
    boolean beginRemoval(DiskEntry key) {
        lock.lock();
        try {
            DiskEntry entry = entries.get(key);
            if (entry == null || entry.leaving || isPinnedLocked(entry)) {
                return false;
            }
            for (int e = 0; e < DiskLayout.extents(entry.size); e++) {
                DiskExtent extent = entry.known(e);
                if (extent != null && (extent.writers > 0 || extent.leaving)) {
                    return false;
                }
            }
            entry.leaving = true;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** The extent's blocks are gone from the disk; so is the file, when it was its last one. */
    void removed(DiskExtent extent) {
        lock.lock();
        try {
            extent.leaving = false;
            forget(extent);
            if (extent.entry.leaving) {
                entries.remove(extent.entry);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The extent could not be removed: it counts as it did, and as used just now, so that another one is tried next. */
    void notRemoved(DiskExtent extent) {
        lock.lock();
        try {
            extent.leaving = false;
            extent.entry.leaving = false;
            if (extent.listed) {
                unlist(extent);
                list(extent);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The whole file is gone. @return the bytes that it occupied */
    long removed(DiskEntry key) {
        lock.lock();
        try {
            DiskEntry entry = entries.remove(key);
            if (entry == null) {
                return 0;
            }
            long before = usedBlocks;
            for (int e = 0; e < DiskLayout.extents(entry.size); e++) {
                DiskExtent extent = entry.known(e);
                if (extent != null) {
                    forget(extent);
                }
            }
            return (before - usedBlocks) * DiskLayout.BLOCK_BYTES;
        } finally {
            lock.unlock();
        }
    }

    /** The file could not be removed. */
    void notRemoved(DiskEntry key) {
        lock.lock();
        try {
            DiskEntry entry = entries.get(key);
            if (entry != null) {
                entry.leaving = false;
            }
        } finally {
            lock.unlock();
        }
    }

    private void forget(DiskExtent extent) {
        if (extent.listed) {
            unlist(extent);
            usedBlocks -= extent.occupiedBlocks();
            extent.blocks = 0;
            if (--extent.entry.extents == 0) {
                usedBlocks--;
            }
        }
    }

    /**
     * A block turned out to be wrong. What is not known yet, as at start, is not being removed either.
     *
     * @return whether that matters: nobody is removing it right now
     */
    boolean lost(DiskEntry key, long block) {
        lock.lock();
        try {
            DiskEntry entry = entries.get(key);
            DiskExtent extent = entry == null ? null : entry.known(DiskLayout.extent(block));
            if ((entry != null && entry.leaving) || (extent != null && extent.leaving)) {
                return false;
            }
            if (extent != null && extent.blocks > 0) {
                extent.blocks--;
                usedBlocks--;
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    void pin(FileId file, boolean pin) {
        lock.lock();
        try {
            if (pin) {
                pinned.add(file);
            } else {
                pinned.remove(file);
            }
        } finally {
            lock.unlock();
        }
    }

    boolean isPinned(FileId file) {
        lock.lock();
        try {
            return pinned.contains(file);
        } finally {
            lock.unlock();
        }
    }

    Set<FileId> pins() {
        lock.lock();
        try {
            return Set.copyOf(pinned);
        } finally {
            lock.unlock();
        }
    }

    private boolean isPinnedLocked(DiskEntry entry) {
        return !pinned.isEmpty() && pinned.contains(entry.file());
    }

    long usedBytes() {
        lock.lock();
        try {
            return usedBlocks * DiskLayout.BLOCK_BYTES;
        } finally {
            lock.unlock();
        }
    }

    int files() {
        lock.lock();
        try {
            return entries.size();
        } finally {
            lock.unlock();
        }
    }

    private void list(DiskExtent extent) {
        extent.listed = true;
        extent.older = newest;
        extent.newer = null;
        if (newest == null) {
            oldest = extent;
        } else {
            newest.newer = extent;
        }
        newest = extent;
    }

    private void listOldest(DiskExtent extent) {
        extent.listed = true;
        extent.newer = oldest;
        extent.older = null;
        if (oldest == null) {
            newest = extent;
        } else {
            oldest.older = extent;
        }
        oldest = extent;
    }

    private void unlist(DiskExtent extent) {
        if (extent.older == null) {
            oldest = extent.newer;
        } else {
            extent.older.newer = extent.newer;
        }
        if (extent.newer == null) {
            newest = extent.older;
        } else {
            extent.newer.older = extent.older;
        }
        extent.older = null;
        extent.newer = null;
        extent.listed = false;
    }
}
