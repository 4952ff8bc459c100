package spigot.linux;

/**
 * What statx(2) tells of a file.
 *
 * @param fullMode type and permission bits, {@code st_mode}
 * @param allocatedBytes what it occupies
 * @param bornNanos 0 where the file system keeps no birth time
 * @param device of the file system, as {@code makedev} packs it
 * @param deviceNode of a device node, else 0, packed as {@code device}
 * @param mountId of the mount it was reached through; 0 before Linux 5.8
 */
public record FileStatus(
        int fullMode,
        int links,
        int uid,
        int gid,
        long inode,
        long size,
        long allocatedBytes,
        long accessedNanos,
        long modifiedNanos,
        long changedNanos,
        long bornNanos,
        long device,
        long deviceNode,
        long mountId) {
    private static final int FORMAT_MASK = 0170000;
    private static final int DIRECTORY = 0040000;
    private static final int REGULAR = 0100000;
    private static final int SYMLINK = 0120000;

    public boolean isDirectory() {
        return (fullMode & FORMAT_MASK) == DIRECTORY;
    }

    public boolean isRegular() {
        return (fullMode & FORMAT_MASK) == REGULAR;
    }

    public boolean isSymlink() {
        return (fullMode & FORMAT_MASK) == SYMLINK;
    }
}
