package spigot.replica;

import java.util.List;

/**
 * A replica server at one moment, for {@code spigot status}.
 *
 * @param openDescriptors published files that are open now
 * @param leases on files, of all clients
 * @param sessions clients that have a session with this server
 * @param watchedDirectories directories that the kernel watches; the others are rescanned
 * @param verificationQueue files of further copies that wait to be compared with the home's
 * @param bytesServed data sent to readers since the start
 * @param millisSinceHeartbeat since the catalog last answered; -1 before the first time
 */
public record ReplicaStatus(
        List<PublicationStatus> publications,
        int openDescriptors,
        long leases,
        int sessions,
        int watchedDirectories,
        long verificationQueue,
        long bytesServed,
        long millisSinceHeartbeat) {
    public ReplicaStatus {
        publications = List.copyOf(publications);
    }
}
