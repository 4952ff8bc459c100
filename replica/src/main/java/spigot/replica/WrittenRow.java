package spigot.replica;

import spigot.linux.FileStatus;
import spigot.model.Attributes;
import spigot.model.Fingerprint;
import spigot.replica.commit.FileView;

/** What is known of a file that is written through the grid: of the published file, and of what its readers see. Pure. */
final class WrittenRow {
    private WrittenRow() {}

    /** Without the device, whose number may be another one after each boot: the inode with its birth time tells the file. */
    static Fingerprint fingerprint(FileStatus status) {
        return new Fingerprint(
                0, status.inode(), status.size(), status.modifiedNanos(), status.changedNanos(), status.bornNanos());
    }

    /**
     * What the published file should be like: as the last folding has left it, or an operation on its name or attributes since. Of the
     * two the one with the later change time is right; if clocks make that the wrong one, it is taken for a change by others, which
     * costs a version.
     */
    static IndexedFile published(IndexedFile row, FileView view) {
        Fingerprint folded = view.fingerprint();
        Attributes known = row.attributes();
        if (row.inode() != folded.inode() || known.changedNanos() >= folded.changedNanos()) {
            return row;
        }
        return with(row, folded.size(), folded.modifiedNanos(), folded.changedNanos());
    }

    /** What readers see: the newest version that is committed. */
    static IndexedFile live(IndexedFile row, FileView view) {
        return live(row, row.attributes(), view)
                .known(view.version(), row.homeEpoch(), row.fragmentBytes(), row.state());
    }

    private static IndexedFile live(IndexedFile row, Attributes published, FileView view) {
        Attributes live = live(published, view);
        return with(row, live.size(), live.modifiedNanos(), live.changedNanos());
    }

    /** @param published of the published file */
    static Attributes live(Attributes published, FileView view) {
        long changed =
                view.isDirty() ? Math.max(published.changedNanos(), view.modifiedNanos()) : published.changedNanos();
        return with(published, view.size(), view.modifiedNanos(), changed);
    }

    private static IndexedFile with(IndexedFile row, long size, long modifiedNanos, long changedNanos) {
        return new IndexedFile(
                row.id(),
                row.publication(),
                row.device(),
                row.inode(),
                with(row.attributes(), size, modifiedNanos, changedNanos),
                row.version(),
                row.homeEpoch(),
                row.fragmentBytes(),
                row.state());
    }

    private static Attributes with(Attributes attributes, long size, long modifiedNanos, long changedNanos) {
        return new Attributes(
                attributes.kind(),
                attributes.mode(),
                attributes.uid(),
                attributes.gid(),
                size,
                attributes.allocatedBytes(),
                attributes.links(),
                modifiedNanos,
                changedNanos,
                attributes.accessedNanos(),
                attributes.bornNanos(),
                attributes.device(),
                attributes.xattrs());
    }
}
