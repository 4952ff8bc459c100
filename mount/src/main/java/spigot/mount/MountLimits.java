package spigot.mount;

/**
 * The bounds of one mount.
 *
 * @param openFiles most files open at the same time; beyond it open says ENFILE
 * @param openDirectories most directories open at the same time; beyond it opendir says ENFILE
 * @param listingBytes memory of the listings that open directories hold, beside those in the catalog client's cache
 * @param xattrBytes memory for the extended attributes of files
 */
public record MountLimits(int openFiles, int openDirectories, long listingBytes, long xattrBytes) {
    public static final MountLimits DEFAULT = new MountLimits(1 << 20, 1 << 16, 256L << 20, 4L << 20);

    public MountLimits {
        if (openFiles < 1 || openDirectories < 1 || listingBytes < 0 || xattrBytes < 0) {
            throw new IllegalArgumentException(
                    "a mount needs at least one open file and one open directory, and no negative"
                            + " amount of memory");
        }
    }
}
