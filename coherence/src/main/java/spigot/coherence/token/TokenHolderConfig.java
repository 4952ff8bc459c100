package spigot.coherence.token;

/**
 * The bounds of a {@link TokenHolder}.
 *
 * @param instance tells apart the mounts that share one identity; the same again after a restart
 * @param maxTokens beyond it the file that was granted something longest ago is given up
 * @param maxTokensPerFile beyond it all of the file is given up
 * @param maxOperations flushes under way at one time
 * @param maxFlushBytes of one flush
 * @param maxVoids what is remembered one by one of what was given back while a grant was asked for
 * @param overtakenMillis how long a Revoke waits for the grant that it may have overtaken
 */
public record TokenHolderConfig(
        long instance,
        int maxTokens,
        int maxTokensPerFile,
        int maxOperations,
        int maxFlushBytes,
        int maxVoids,
        long overtakenMillis) {
    public TokenHolderConfig {
        if (maxTokens <= 0
                || maxTokensPerFile <= 0
                || maxOperations <= 0
                || maxFlushBytes < Range.BLOCK
                || maxVoids <= 0
                || overtakenMillis < 0) {
            throw new IllegalArgumentException("bounds must be positive, and maxFlushBytes at least a block: maxTokens "
                    + maxTokens + ", maxTokensPerFile " + maxTokensPerFile + ", maxOperations " + maxOperations
                    + ", maxFlushBytes " + maxFlushBytes + ", maxVoids " + maxVoids + ", overtakenMillis "
                    + overtakenMillis);
        }
    }

    /** The defaults: fewer tokens than a home gives to a session, and no more than one Hello can bring along. */
    public static TokenHolderConfig of(long instance) {
        return new TokenHolderConfig(instance, 16_384, 4_096, 64, 1 << 20, 64, 200);
    }
}
