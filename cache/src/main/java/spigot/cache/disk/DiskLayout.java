package spigot.cache.disk;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileVersion;
import spigot.model.Fragments;
import spigot.model.Version;

/**
 * How one version of a file lies on disk (docs/decisions has the reasons): one sparse file {@code blocks/XX/ID-EPOCH.INDEX-SIZE}, where XX are the
 * first two digits of the id. First come the data, each byte at its own offset, then from the next multiple of 4096 the block map: 4 bytes
 * a block, big-endian, the CRC-32C of the block or 0 where there is none. Nothing else is believed.
 */
final class DiskLayout {
    static final int BLOCK_BYTES = Fragments.BLOCK_BYTES;
    static final int ENTRY_BYTES = 4;

    /** The unit of eviction in large files: what one 4 KiB page of the map describes. */
    static final int EXTENT_BLOCKS = BLOCK_BYTES / ENTRY_BYTES;

    static final long EXTENT_BYTES = (long) EXTENT_BLOCKS * BLOCK_BYTES;

    private static final int ABSENT = 0;
    private static final int INSTEAD_OF_ABSENT = 1;

    private static final Pattern NAME = Pattern.compile("([0-9a-f]{32})-([0-9]{1,20})\\.([0-9]{1,20})-([0-9]{1,19})");

    private DiskLayout() {}

    static String directory(FileId file) {
        return file.toString().substring(0, 2);
    }

    static String name(FileVersion content, long size) {
        return content.file() + "-" + Long.toUnsignedString(content.version().epoch()) + "."
                + Long.toUnsignedString(content.version().index()) + "-" + size;
    }

    /** The entry that a file name stands for, or null when it is none of ours. */
    static @Nullable DiskEntry parse(String name) {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            return null;
        }
        try {
            Version version =
                    new Version(Long.parseUnsignedLong(matcher.group(2)), Long.parseUnsignedLong(matcher.group(3)));
            return new DiskEntry(
                    new FileVersion(FileId.parse(matcher.group(1)), version), Long.parseLong(matcher.group(4)));
        } catch (NumberFormatException e) {
            return null; // more than 64 bits
        }
    }

    static long blocks(long size) {
        return Math.ceilDiv(size, BLOCK_BYTES);
    }

    static int extents(long size) {
        return Math.toIntExact(Math.max(1, Math.ceilDiv(size, EXTENT_BYTES)));
    }

    static int extent(long block) {
        return (int) (block / EXTENT_BLOCKS);
    }

    static long entryOffset(long size, long block) {
        return blocks(size) * BLOCK_BYTES + block * ENTRY_BYTES;
    }

    /** How many bytes a block has: the last one may be short. */
    static int blockLength(long size, long block) {
        return (int) Math.min(BLOCK_BYTES, size - block * BLOCK_BYTES);
    }

    static boolean isPresent(int entry) {
        return entry != ABSENT;
    }

    static int entry(int checksum) {
        return checksum == ABSENT ? INSTEAD_OF_ABSENT : checksum;
    }
}
