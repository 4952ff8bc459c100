package spigot.model;

/**
 * One copy of a file (PFN, physical file name). The path on its server is the server's own affair.
 *
 * @param address HOST:PORT of its server
 * @param version the version of the file that it was compared with
 * @param detail for people: why it is not used; empty otherwise
 */
public record Replica(
        NodeId server,
        String serverName,
        String site,
        String address,
        ReplicaState state,
        long size,
        Version version,
        String detail) {}
