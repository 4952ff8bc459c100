package spigot.fuse;

import java.util.Map;
import java.util.TreeMap;

/**
 * Counts since the mount.
 *
 * @param requests how many came of each operation (names of fuse.h), without those that never came
 * @param malformed frames that were not as they must be
 * @param interrupts of callers
 * @param detached requests that wait for their answer right now
 * @param notifications sent to the kernel
 * @param notificationsQueued waiting to be sent right now
 */
public record FuseStatistics(
        Map<String, Long> requests,
        long malformed,
        long interrupts,
        int detached,
        long notifications,
        int notificationsQueued) {
    public FuseStatistics {
        requests = Map.copyOf(requests);
    }

    static FuseStatistics of(
            long[] requests, long malformed, long interrupts, int detached, long notifications, int queued) {
        Map<String, Long> named = new TreeMap<>();
        for (Opcode opcode : Opcode.values()) {
            if (requests[opcode.number()] > 0) {
                named.put(opcode.name(), requests[opcode.number()]);
            }
        }
        return new FuseStatistics(named, malformed, interrupts, detached, notifications, queued);
    }

    /** How many requests of an operation came, such as {@code READ}. */
    public long requests(String operation) {
        return requests.getOrDefault(operation, 0L);
    }
}
