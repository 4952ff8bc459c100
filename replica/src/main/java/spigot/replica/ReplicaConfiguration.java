package spigot.replica;

import java.nio.file.Path;
import java.time.Duration;
import spigot.coherence.GrantorConfig;
import spigot.model.NodeId;

/**
 * What a replica server is and its bounds.
 *
 * @param server its identity, the one in its certificate
 * @param name for people
 * @param data the server's data directory; the index of what it publishes is kept below it
 * @param leases of the files that it is home of
 */
public record ReplicaConfiguration(
        NodeId server, String name, String site, Path data, GrantorConfig leases, Bounds bounds, Times times) {

    /**
     * @param descriptors most files kept open; files beyond it are opened for each request
     * @param ioThreads most file operations at once; a file system that hangs holds these and nothing else
     * @param bufferBytes most memory for data on their way to readers
     * @param digestThreads most files whose digests are computed at once
     * @param watches most directories watched by the kernel (inotify); the others are rescanned
     * @param rescanDirectories most directories without a watch that are looked at in one slice
     */
    public record Bounds(
            int descriptors, int ioThreads, int bufferBytes, int digestThreads, int watches, int rescanDirectories) {
        public static final Bounds DEFAULT = new Bounds(
                Math.min(1024, DescriptorLimit.ofThisProcess() / 2), 16, 96 << 20, 1, Integer.MAX_VALUE, 2000);

        public Bounds {
            if (descriptors < 1 || ioThreads < 1 || digestThreads < 1 || watches < 0 || rescanDirectories < 1) {
                throw new IllegalArgumentException("a replica server needs at least one descriptor, I/O thread, digest"
                        + " thread and rescanned directory, and no negative number of watches");
            }
            if (bufferBytes < ReadBuffers.MAX_BYTES) {
                throw new IllegalArgumentException(
                        "bufferBytes must hold one reply of " + ReadBuffers.MAX_BYTES + " bytes, not " + bufferBytes);
            }
        }

        public Bounds withDescriptors(int newDescriptors) {
            return new Bounds(newDescriptors, ioThreads, bufferBytes, digestThreads, watches, rescanDirectories);
        }

        public Bounds withWatches(int newWatches) {
            return new Bounds(descriptors, ioThreads, bufferBytes, digestThreads, newWatches, rescanDirectories);
        }
    }

    /**
     * @param heartbeat how often the catalog is told that this server is alive
     * @param serverSilence after which silence the catalog may give this server's files another home
     * @param leasedPoll how often the files that somebody has a lease on are looked at
     * @param rescan how often a slice of the directories without a watch is looked at
     * @param coalesce how long changes of names are collected before they are looked at
     * @param settle how long after its last change a file is watched for a write that was still going on (see
     *     docs/decisions, fingerprints)
     * @param sourceCheck how often a missing source is looked for, and a present one checked
     * @param comparisons how often the catalog is asked for copies that have to be compared again
     * @param patience how long a request may wait for the catalog, or for leases to be given back
     */
    public record Times(
            Duration heartbeat,
            Duration serverSilence,
            Duration leasedPoll,
            Duration rescan,
            Duration coalesce,
            Duration settle,
            Duration sourceCheck,
            Duration comparisons,
            Duration patience) {
        public static final Times DEFAULT = new Times(
                Duration.ofSeconds(1),
                Duration.ofSeconds(5),
                Duration.ofMillis(500),
                Duration.ofSeconds(1),
                Duration.ofMillis(100),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                Duration.ofSeconds(5),
                Duration.ofSeconds(30));

        public Times {
            if (heartbeat.multipliedBy(2).compareTo(serverSilence) > 0) {
                throw new IllegalArgumentException("a heartbeat every " + heartbeat.toMillis()
                        + " ms leaves no time for a lost one within " + serverSilence.toMillis() + " ms");
            }
        }
    }

    /** With the usual bounds. */
    public static ReplicaConfiguration of(NodeId server, String name, String site, Path data) {
        return new ReplicaConfiguration(server, name, site, data, GrantorConfig.DEFAULT, Bounds.DEFAULT, Times.DEFAULT);
    }

    public ReplicaConfiguration with(GrantorConfig newLeases) {
        return new ReplicaConfiguration(server, name, site, data, newLeases, bounds, times);
    }

    public ReplicaConfiguration with(Bounds newBounds) {
        return new ReplicaConfiguration(server, name, site, data, leases, newBounds, times);
    }

    public ReplicaConfiguration with(Times newTimes) {
        return new ReplicaConfiguration(server, name, site, data, leases, bounds, newTimes);
    }
}
