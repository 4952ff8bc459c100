package spigot.replica;

import spigot.linux.FileStatus;
import spigot.model.Attributes;
import spigot.model.FileKind;
import spigot.model.XattrKinds;

/** What statx tells, as the grid's attributes. Pure. */
final class FileAttributes {
    private static final int PERMISSIONS = 07777;

    private FileAttributes() {}

    /** @throws IllegalArgumentException when the kernel reports a kind of file that is not known */
    static Attributes of(FileStatus status, XattrKinds xattrs) {
        return new Attributes(
                FileKind.ofMode(status.fullMode()),
                status.fullMode() & PERMISSIONS,
                status.uid(),
                status.gid(),
                status.size(),
                status.allocatedBytes(),
                status.links(),
                status.modifiedNanos(),
                status.changedNanos(),
                status.accessedNanos(),
                status.bornNanos(),
                (int) status.deviceNode(),
                xattrs);
    }

    /** Whether the catalog has to be told; that a file was read is nothing to tell. */
    static boolean differ(Attributes before, Attributes now) {
        return !before.equals(new Attributes(
                now.kind(),
                now.mode(),
                now.uid(),
                now.gid(),
                now.size(),
                now.allocatedBytes(),
                now.links(),
                now.modifiedNanos(),
                now.changedNanos(),
                before.accessedNanos(),
                now.bornNanos(),
                now.device(),
                now.xattrs()));
    }
}
