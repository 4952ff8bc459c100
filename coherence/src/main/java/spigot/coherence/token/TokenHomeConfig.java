package spigot.coherence.token;

import spigot.coherence.GrantorConfig;

/**
 * The times and bounds of a {@link TokenHome}.
 *
 * @param sessions length of leases, margin, grace, repetition of Revokes and bound of the sessions, as for shared leases
 * @param minimumHoldMillis how long a token is left to its holder before it is asked back
 * @param fragmentBytes a conflict takes whole fragments first; a power of two, at least a block
 * @param splitConflicts after so many conflicts in one fragment within {@code contentionMillis} it is split to blocks
 * @param serialiseConflicts after so many more the home serves the fragment itself
 * @param contentionMillis conflicts that are further apart are none
 * @param quietMillis after which time without dispute a fragment can be had again
 * @param maxTokensPerSession beyond it nothing is granted to the session, and its oldest tokens are revoked
 * @param maxSegmentsPerFile beyond it no token of the file is split
 * @param maxWaitingPerFile requests for one file that wait
 * @param maxWaiting requests that wait in all, and glimpses that are asked
 * @param maxRepliesPerSession operations whose answer the client has not acknowledged, of each of the two kinds
 * @param maxChangesPerFile changed ranges that are remembered
 * @param maxContendedPerFile fragments of one file whose conflicts are counted
 * @param maxIdleFiles files without tokens whose changes are remembered
 */
public record TokenHomeConfig(
        GrantorConfig sessions,
        long minimumHoldMillis,
        int fragmentBytes,
        int splitConflicts,
        int serialiseConflicts,
        long contentionMillis,
        long quietMillis,
        int maxTokensPerSession,
        int maxSegmentsPerFile,
        int maxWaitingPerFile,
        int maxWaiting,
        int maxRepliesPerSession,
        int maxChangesPerFile,
        int maxContendedPerFile,
        int maxIdleFiles) {
    public static final TokenHomeConfig DEFAULT = of(GrantorConfig.DEFAULT);

    public TokenHomeConfig {
        if (fragmentBytes < Range.BLOCK || Integer.bitCount(fragmentBytes) != 1) {
            throw new IllegalArgumentException(
                    "fragmentBytes is " + fragmentBytes + ", not a power of two of at least " + Range.BLOCK);
        }
        positive("splitConflicts", splitConflicts);
        positive("serialiseConflicts", serialiseConflicts);
        positive("contentionMillis", contentionMillis);
        positive("quietMillis", quietMillis);
        positive("maxTokensPerSession", maxTokensPerSession);
        positive("maxSegmentsPerFile", maxSegmentsPerFile);
        positive("maxWaitingPerFile", maxWaitingPerFile);
        positive("maxWaiting", maxWaiting);
        positive("maxRepliesPerSession", maxRepliesPerSession);
        positive("maxChangesPerFile", maxChangesPerFile);
        positive("maxContendedPerFile", maxContendedPerFile);
        positive("maxIdleFiles", maxIdleFiles);
        if (minimumHoldMillis < 0 || minimumHoldMillis > sessions.leaseMillis() / 4) {
            throw new IllegalArgumentException("minimumHoldMillis is " + minimumHoldMillis
                    + ", but must be from 0 to a quarter of leaseMillis " + sessions.leaseMillis());
        }
    }

    /** The defaults with these sessions. */
    public static TokenHomeConfig of(GrantorConfig sessions) {
        return new TokenHomeConfig(
                sessions,
                Math.min(10, sessions.leaseMillis() / 4),
                1 << 20,
                8,
                32,
                1_000,
                3_000,
                65_536,
                16_384,
                256,
                16_384,
                1_024,
                1_024,
                1_024,
                16_384);
    }

    private static void positive(String name, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive, not " + value);
        }
    }
}
