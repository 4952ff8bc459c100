package spigot.replica.commit;

/**
 * The bounds of the commit path.
 *
 * @param segmentBytes of one file of the log; one that holds a single larger record is larger
 * @param logBytes of all of them; from half of it on folding is urgent, beyond it commits wait
 * @param waitingBytes appended and not yet durable; beyond it commits wait
 * @param rangesPerFile ranges that are not folded; from half of it on folding is urgent, beyond it commits wait
 * @param ranges the same of all files
 * @param files that are known, folded or not
 * @param foldAfterMillis how long a change may stay unfolded when nothing is urgent
 * @param retryMillis after a folding that failed
 */
public record CommitLimits(
        long segmentBytes,
        long logBytes,
        long waitingBytes,
        int rangesPerFile,
        int ranges,
        int files,
        long foldAfterMillis,
        long retryMillis) {
    /** The most data of one commit. */
    public static final int MOST_DATA_BYTES = 16 << 20;

    /** The most ranges of one commit. */
    public static final int MOST_RANGES = 256;

    static final int LEAST_SEGMENTS = 3;

    /**
     * The end of the largest file: what ext4 can hold with blocks of 4 KiB, the least of the usual file systems. What was acknowledged
     * must not turn out later to be too large for the published file.
     */
    static final long MOST_FILE_BYTES = (16L << 40) - 4096;

    public CommitLimits {
        if (logBytes < LEAST_SEGMENTS * segmentBytes) {
            throw new IllegalArgumentException("the log needs room for " + LEAST_SEGMENTS + " segments");
        }
        if (rangesPerFile < 4 || ranges < rangesPerFile || files < 1) {
            throw new IllegalArgumentException("bounds of ranges and files are too small");
        }
    }

    public static CommitLimits defaults() {
        return new CommitLimits(32L << 20, 512L << 20, 32L << 20, 2_048, 200_000, 100_000, 5_000, 2_000);
    }
}
