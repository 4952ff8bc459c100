package spigot.replica;

import java.nio.file.Path;
import java.time.Duration;
import spigot.model.NodeId;

/**
 * What a replica server is and its bounds.
 *
 * @param server its identity, the one in its certificate
 * @param name for people
 * @param data the server's data directory; the index of what it publishes is kept below it
 * @param descriptors most files kept open; files beyond it are opened for each request
 * @param ioThreads most file operations at once; a file system that hangs holds these and nothing else
 * @param digestThreads most files whose digests are computed at once
 * @param heartbeat how often the catalog is told that this server is alive
 * @param leasedPoll how often the files that somebody has a lease on are looked at
 * @param rescan how often a slice of the directories without a kernel watch is looked at
 * @param rescanEntries most entries looked at in one such slice
 * @param watches most directories watched by the kernel (inotify); the others are rescanned
 */
public record ReplicaConfiguration(
        NodeId server,
        String name,
        String site,
        Path data,
        int descriptors,
        int ioThreads,
        int digestThreads,
        Duration heartbeat,
        Duration leasedPoll,
        Duration rescan,
        int rescanEntries,
        int watches) {

    public ReplicaConfiguration {
        if (descriptors < 1 || ioThreads < 1 || digestThreads < 1 || rescanEntries < 1 || watches < 0) {
            throw new IllegalArgumentException("a replica server needs at least one descriptor, I/O thread, digest thread"
                    + " and rescanned entry, and no negative number of watches");
        }
    }

    /** The usual bounds, from the limits of this process and machine. */
    public static ReplicaConfiguration of(NodeId server, String name, String site, Path data) {
        return new ReplicaConfiguration(
                server,
                name,
                site,
                data,
                1024,
                16,
                1,
                Duration.ofMillis(1500),
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                2000,
                100_000);
    }
}
