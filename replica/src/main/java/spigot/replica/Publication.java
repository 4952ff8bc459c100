package spigot.replica;

import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.LogicalPath;
import spigot.model.RawBytes;

/**
 * What this server was asked to publish, as it is remembered.
 *
 * @param number names it within this server's index
 * @param source the local path, absolute, without symbolic links, raw bytes
 * @param root id of the published root; null until the catalog has accepted it
 */
record Publication(
        int number,
        RawBytes source,
        LogicalPath path,
        boolean readOnly,
        boolean replica,
        @Nullable FileId root) {
    Publication withRoot(FileId newRoot) {
        return new Publication(number, source, path, readOnly, replica, newRoot);
    }
}
