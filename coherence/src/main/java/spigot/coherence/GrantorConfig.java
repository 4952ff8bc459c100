package spigot.coherence;

/**
 * The times and bounds of a {@link Grantor}.
 *
 * @param leaseMillis length of a session's lease, counted by the client from when it sent Hello or Renew
 * @param marginMillis how much later the grantor lets it end, counted from when it received them: covers clocks whose rates differ by up to 4 %
 * @param graceMillis how long after its start a grantor that had a former life lets no Change happen
 * @param revokeAgainMillis after which time a Revoke without acknowledgement is sent again
 * @param maxSessions bound of the sessions at one time
 * @param maxLeasesPerSession beyond it the session's oldest lease is revoked and the new one refused
 * @param maxWaiting bound of the changes, and of the acquires that wait behind changes, each
 * @param maxObjectsPerChange bound of the objects of one Change
 */
public record GrantorConfig(
        long leaseMillis,
        long marginMillis,
        long graceMillis,
        long revokeAgainMillis,
        int maxSessions,
        int maxLeasesPerSession,
        int maxWaiting,
        int maxObjectsPerChange) {
    public static final GrantorConfig DEFAULT = ofLease(10_000);

    public GrantorConfig {
        positive("leaseMillis", leaseMillis);
        positive("revokeAgainMillis", revokeAgainMillis);
        positive("maxSessions", maxSessions);
        positive("maxLeasesPerSession", maxLeasesPerSession);
        positive("maxWaiting", maxWaiting);
        positive("maxObjectsPerChange", maxObjectsPerChange);
        if (leaseMillis > HolderConfig.MAX_LEASE_MILLIS) {
            throw new IllegalArgumentException(
                    "leaseMillis is " + leaseMillis + ", the most is " + HolderConfig.MAX_LEASE_MILLIS);
        }
        if (marginMillis < leaseMillis / 20) {
            throw new IllegalArgumentException("marginMillis is " + marginMillis
                    + ", but clocks may differ by a 20th of leaseMillis " + leaseMillis);
        }
        if (graceMillis < leaseMillis + marginMillis) {
            throw new IllegalArgumentException("graceMillis is " + graceMillis
                    + ", shorter than leaseMillis + marginMillis " + (leaseMillis + marginMillis));
        }
    }

    /** The defaults, with a lease of this length and margin and grace to match. */
    public static GrantorConfig ofLease(long leaseMillis) {
        long margin = leaseMillis / 10 + 20;
        return new GrantorConfig(
                leaseMillis,
                margin,
                leaseMillis + margin,
                Math.max(20, leaseMillis / 20),
                4_096,
                65_536,
                16_384,
                65_536);
    }

    private static void positive(String name, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive, not " + value);
        }
    }
}
