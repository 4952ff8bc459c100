package spigot.replica.commit;

/**
 * What a server's commit path holds.
 *
 * @param files that are known
 * @param dirtyFiles whose published file is behind
 * @param ranges that are not folded
 * @param logBytes of all segments
 * @param waitingBytes submitted and not durable
 * @param records durable since the log began
 * @param syncs fdatasyncs of the log since the start
 */
public record CommitFigures(
        int files, int dirtyFiles, int ranges, long logBytes, long waitingBytes, long records, long syncs) {}
