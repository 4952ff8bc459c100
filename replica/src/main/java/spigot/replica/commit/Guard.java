package spigot.replica.commit;

/**
 * The conditions on which it hangs that nothing acknowledged is lost and nothing wrong is read, by name, so that a test can take one
 * away and see that this is found. Production always has all of them: only package-private constructors take less.
 */
enum Guard {
    // The log:
    /** What is appended is known to be durable only when an fdatasync that began later has succeeded. */
    SYNC_BEFORE_DURABLE,
    /** An fdatasync that has failed is not tried again: the log is read-only until the next start. */
    NO_SECOND_SYNC,
    /** The checksum of a record's header and description is right. */
    HEADER_CHECKSUM,
    /** The checksum of a record's data is right. */
    DATA_CHECKSUM,
    /** Only the last segment may end in a bad record. */
    TORN_ONLY_AT_THE_END,
    /** A bad record is not taken for the torn end when a later one knows that it was durable. */
    NOT_TORN_WHAT_WAS_DURABLE,
    /** What a start finds is made durable before anything is built on it: it may lie in the page cache only. */
    SYNC_AT_START,
    /** The torn end is cut off for good before anything is written behind it. */
    CUT_TORN_END,
    /** A segment is durable as a whole before the next one begins. */
    SYNC_BEFORE_NEXT_SEGMENT,
    /** The name of a segment, and its head, are durable before it has records. */
    SYNC_NEW_SEGMENT,
    /** What was written of a record that failed is taken away. */
    UNDO_FAILED_APPEND,
    /** No segment that is needed is missing. */
    NO_SEGMENT_MISSING,
    /** What the segments held that is not in files is durable elsewhere before they are deleted. */
    SNAPSHOT_BEFORE_DELETE,
    /** No segment is deleted that holds bytes which are in no published file yet. */
    KEEP_WHAT_IS_NOT_FOLDED,
    /** So many bytes wait at most for an fdatasync. */
    BOUNDED_WAITING,

    // The home's view:
    /** A commit is shown to nobody before it is durable. */
    VISIBLE_WHEN_DURABLE,
    /** A commit under an older epoch than the installed one is refused. */
    REFUSE_OLDER_EPOCHS,
    /** An epoch is durable before anything is answered under it. */
    EPOCH_IS_DURABLE,
    /** A commit on a version that is not the newest is refused. */
    EXPECTED_VERSION,
    /** A repeated operation gets the answer that it got. */
    ONCE,
    /** A repeated operation that is not yet durable waits for the first. */
    ONCE_IN_FLIGHT,
    /** Files with too many unfolded ranges wait for the folding. */
    BOUNDED_RANGES,
    /** Bytes behind a cut are zeros when the file grows again. */
    CUT_BYTES_ARE_ZEROS,
    /** What is older than the history of changes has changed everywhere. */
    UNKNOWN_IS_EVERYTHING,

    // The folding:
    /** The published file is durable before the log says so. */
    SYNC_BEFORE_FOLDED,
    /** Ranges stay until the log says that they are folded. */
    DROP_AFTER_FOLDED,
    /** Only ranges that were there when the folding began are dropped with it. */
    DROP_ONLY_WHAT_WAS_FOLDED,
    /** No byte is folded while somebody reads who began before it was visible. */
    WAIT_FOR_READERS,
    /** A segment that somebody reads from stays open. */
    READ_SEGMENTS_STAY_OPEN,
    /** The published file is the one that was last seen, or the change is reported. */
    LOOK_BEFORE_FOLDING
}
