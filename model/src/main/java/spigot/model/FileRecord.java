package spigot.model;

/**
 * What the grid knows of a file or directory.
 *
 * @param fragmentBytes a power of two; see {@link Fragments}
 * @param home the replica server that orders its versions; {@link NodeId#NONE} for a directory
 * @param homeEpoch grows each time another server becomes its home
 * @param symlinkTarget raw bytes; empty unless it is a symbolic link
 * @param readOnly published read-only: every write is refused
 */
public record FileRecord(
        FileId id,
        Attributes attributes,
        Version version,
        int fragmentBytes,
        NodeId home,
        long homeEpoch,
        RawBytes symlinkTarget,
        boolean readOnly) {}
