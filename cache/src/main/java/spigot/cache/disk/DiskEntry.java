package spigot.cache.disk;

import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileVersion;
import spigot.model.Version;

/**
 * One version of a file on disk, as the index knows it. Its own key, to be lean: there may be a million. Equality is by (file, version)
 * and size; the rest is guarded by the lock of {@link DiskIndex}.
 */
final class DiskEntry {
    final long high;
    final long low;
    final long epoch;
    final long index;
    final long size;

    /** The whole of a small file. */
    final DiskExtent first;

    /** Those of a file with more than one, as far as they hold anything. */
    @Nullable
    DiskExtent @Nullable [] more;

    /** How many extents hold something. */
    int extents;

    /** The whole file is being removed: nothing may be written. */
    boolean leaving;

    DiskEntry(FileVersion content, long size) {
        high = content.file().high();
        low = content.file().low();
        epoch = content.version().epoch();
        index = content.version().index();
        this.size = size;
        first = new DiskExtent(this, 0);
    }

    FileId file() {
        return new FileId(high, low);
    }

    FileVersion content() {
        return new FileVersion(file(), new Version(epoch, index));
    }

    boolean isSmall() {
        return DiskLayout.extents(size) == 1;
    }

    /** The extent, or null when nothing was ever written to it. */
    @Nullable
    DiskExtent known(int number) {
        if (number == 0) {
            return first;
        }
        return more == null ? null : more[number];
    }

    /** The extent, made when it is not there yet. */
    DiskExtent extent(int number) {
        if (number == 0) {
            return first;
        }
        if (more == null) {
            more = new DiskExtent[DiskLayout.extents(size)];
        }
        DiskExtent extent = more[number];
        if (extent == null) {
            extent = new DiskExtent(this, number);
            more[number] = extent;
        }
        return extent;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DiskEntry that
                && high == that.high
                && low == that.low
                && epoch == that.epoch
                && index == that.index
                && size == that.size;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(low * 31 + high + index * 0x9E3779B97F4A7C15L + epoch);
    }
}
