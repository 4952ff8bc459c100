package spigot.catalog.server;

/** The tables of the catalog; {@link Keys} tells how their keys are made. */
public enum Table {
    /** File id: Inode. */
    INODES,
    /** Directory id, name: file id. */
    ENTRIES,
    /** File id, directory id, name: ids of the servers that publish the file by this name. */
    NAMES,
    /** File id, server id: ReplicaEntry. */
    REPLICAS,
    /** Server id, publication id, file id: nothing. What a server publishes. */
    SERVED,
    /** Server id, publication id: PublicationEntry. */
    PUBLICATIONS,
    /** Server id: ServerInfo. */
    SERVERS,
    /** Token id: TokenEntry. */
    TOKENS,
    /** Server id, place: AnsweredNames. */
    ANSWERED,
    /** Number of a change on behalf of a client that may not have seen it: ids of the directories. */
    UNSEEN,
    /** Directory id: the revision (8 bytes) at which the directory, as its leases cover it, last changed. */
    REVISIONS,
    /** Name of a number: 8 bytes; and the id of the grid. */
    METADATA
}
