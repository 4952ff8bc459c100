package spigot.model;

/**
 * What {@code stat} tells of a file.
 *
 * @param mode the permission bits, 07777
 * @param size in bytes
 * @param allocatedBytes what it occupies, so that sparse files show as such
 * @param device the device number of a device node, else 0
 * @param xattrs of which kinds its extended attributes are
 */
public record Attributes(
        FileKind kind,
        int mode,
        int uid,
        int gid,
        long size,
        long allocatedBytes,
        int links,
        long modifiedNanos,
        long changedNanos,
        long accessedNanos,
        long bornNanos,
        int device,
        XattrKinds xattrs) {

    /** Permission bits and S_IFMT bits together, as {@code st_mode}. */
    public int fullMode() {
        return kind.typeBits() | mode;
    }

    public boolean isDirectory() {
        return kind == FileKind.DIRECTORY;
    }

    public boolean isRegular() {
        return kind == FileKind.REGULAR;
    }
}
