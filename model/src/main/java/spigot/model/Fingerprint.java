package spigot.model;

/**
 * Tells whether a published file is still the one that was read: taken by statx(2) on the open descriptor before and after
 * each read. Since Linux 6.13 the change time is fine-grained once it has been asked for (multigrain timestamps,
 * Documentation/filesystems/multigrain-ts.rst), so that two changes between two looks can't share one.
 *
 * @param bornNanos tells two files with the same recycled inode number apart; 0 where the file system has none
 */
public record Fingerprint(long device, long inode, long size, long modifiedNanos, long changedNanos, long bornNanos) {

    /** Whether it is the same inode, whatever happened to its content. */
    public boolean sameFile(Fingerprint other) {
        return device == other.device && inode == other.inode && bornNanos == other.bornNanos;
    }

    /** Whether the content can have changed; a change of mode, owner or links alone moves only the change time. */
    public boolean sameContent(Fingerprint other) {
        return sameFile(other) && size == other.size && modifiedNanos == other.modifiedNanos;
    }
}
