package spigot.coherence;

/**
 * The bounds of a {@link Holder}.
 *
 * @param instance tells apart the mounts that share one identity; the same again after a restart
 * @param maxLeases beyond it the lease that was not used for the longest time is given up
 * @param maxRevokesRemembered of how many objects it is remembered one by one which grants are void
 */
public record HolderConfig(long instance, int maxLeases, int maxRevokesRemembered) {
    /** No grantor can give a longer lease than this, whatever it says. */
    public static final long MAX_LEASE_MILLIS = 600_000;

    public HolderConfig {
        if (maxLeases <= 0 || maxRevokesRemembered <= 0) {
            throw new IllegalArgumentException("maxLeases and maxRevokesRemembered must be positive, not " + maxLeases
                    + " and " + maxRevokesRemembered);
        }
    }

    /** The defaults: fewer leases than a grantor gives to a session, so that it is the holder who chooses which one goes. */
    public static HolderConfig of(long instance) {
        return new HolderConfig(instance, 60_000, 4_096);
    }
}
