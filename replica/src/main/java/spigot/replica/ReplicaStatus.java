package spigot.replica;

import java.util.List;

/**
 * A replica server at one moment, for {@code spigot status}.
 *
 * @param openDescriptors published files that are open now
 * @param leasedFiles files of which somebody holds a lease
 * @param watchedDirectories directories that the kernel watches; the others are rescanned
 * @param verificationQueue files of further copies that wait to be compared with the home's
 * @param bytesServed data sent to readers since the start
 * @param millisSinceHeartbeat since the catalog last answered; -1 before the first time
 */
public record ReplicaStatus(
        List<PublicationStatus> publications,
        int openDescriptors,
        int leasedFiles,
        int watchedDirectories,
        long verificationQueue,
        long bytesServed,
        long millisSinceHeartbeat) {
    public ReplicaStatus {
        publications = List.copyOf(publications);
    }
}
