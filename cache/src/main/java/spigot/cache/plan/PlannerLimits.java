package spigot.cache.plan;

/**
 * How far a {@link FetchPlanner} may go.
 *
 * @param randomBytes what is fetched around a read that follows no pattern; a power of two
 * @param nearBytes the same, when such reads keep coming near each other; a power of two
 * @param minWindowBytes the first window of a sequential stream
 * @param maxWindowBytes the largest one, for streams shorter than {@code longStreamBytes}
 * @param maxLongWindowBytes the largest one
 * @param maxRequestBytes the largest single request
 */
public record PlannerLimits(
        int randomBytes,
        int nearBytes,
        int minWindowBytes,
        int maxWindowBytes,
        int maxLongWindowBytes,
        long longStreamBytes,
        int maxRequestBytes) {
    /** A sequential read of 256 MiB may fetch at most 1.02 times as much: 4 MiB ahead are 1.016. */
    public static final PlannerLimits DEFAULT =
            new PlannerLimits(32 << 10, 64 << 10, 64 << 10, 4 << 20, 8 << 20, 512L << 20, 1 << 20);

    public PlannerLimits {
        if (Integer.bitCount(randomBytes) != 1 || Integer.bitCount(nearBytes) != 1 || randomBytes > nearBytes) {
            throw new IllegalArgumentException("random units are powers of two, not " + randomBytes + ", " + nearBytes);
        }
        if (minWindowBytes > maxWindowBytes
                || maxWindowBytes > maxLongWindowBytes
                || maxRequestBytes < minWindowBytes) {
            throw new IllegalArgumentException("windows must grow and a request must hold the first one");
        }
    }

    /** The same for a cache with little memory: nothing ahead beyond so many bytes. */
    public PlannerLimits within(long bytes) {
        int window = (int) Math.max(minWindowBytes, Math.min(maxWindowBytes, bytes));
        return new PlannerLimits(
                randomBytes,
                nearBytes,
                minWindowBytes,
                window,
                (int) Math.max(window, Math.min(maxLongWindowBytes, bytes)),
                longStreamBytes,
                Math.max(minWindowBytes, Math.min(maxRequestBytes, Integer.highestOneBit(window))));
    }
}
