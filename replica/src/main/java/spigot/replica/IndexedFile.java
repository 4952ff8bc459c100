package spigot.replica;

import spigot.linux.FileStatus;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.Fingerprint;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.ReplicaState;
import spigot.model.Version;

/**
 * What this server has told the catalog of one of its files or directories, and what the catalog said.
 *
 * @param device and {@code inode}: of the local file with these attributes
 * @param version the file's version whose content the local file has; for a further copy the one it was compared with
 * @param homeEpoch 0 where this server is not the home
 * @param state HOME for directories too
 */
record IndexedFile(
        FileId id,
        int publication,
        long device,
        long inode,
        Attributes attributes,
        Version version,
        long homeEpoch,
        int fragmentBytes,
        ReplicaState state) {

    /** Inode of a directory that is registered, and whose entries have not been looked at yet. */
    static final long NOT_LOOKED_INTO = 0;

    Fingerprint fingerprint() {
        return new Fingerprint(
                device,
                inode,
                attributes.size(),
                attributes.modifiedNanos(),
                attributes.changedNanos(),
                attributes.bornNanos());
    }

    boolean isHome() {
        return state == ReplicaState.HOME;
    }

    /** The same file, looked at again. */
    IndexedFile seen(FileStatus status, Attributes newAttributes) {
        return new IndexedFile(
                id,
                publication,
                status.device(),
                status.inode(),
                newAttributes,
                version,
                homeEpoch,
                fragmentBytes,
                state);
    }

    IndexedFile known(Version newVersion, long newHomeEpoch, int newFragmentBytes, ReplicaState newState) {
        return new IndexedFile(
                id, publication, device, inode, attributes, newVersion, newHomeEpoch, newFragmentBytes, newState);
    }

    IndexedFile compared(Version with, ReplicaState newState) {
        return known(with, homeEpoch, fragmentBytes, newState);
    }

    /** As the home tells it to whoever opens it. */
    FileRecord record(NodeId home, boolean readOnly) {
        return new FileRecord(id, attributes, version, fragmentBytes, home, homeEpoch, RawBytes.EMPTY, readOnly);
    }
}
