package spigot.catalog.client;

import java.time.Duration;

/**
 * Bounds of a {@link CatalogClient}.
 *
 * @param patience how long a request that can't be answered from the cache waits for an unreachable catalog
 * @param callTimeout how long one reply, or one part of a listing, may take before the request is tried again
 * @param cachedBytes memory for cached directories; the least recently used ones are given back beyond it
 * @param lookupsBeforeListing a directory in which so many names were asked for one by one is fetched as a whole
 */
public record CatalogClientSettings(
        Duration patience, Duration callTimeout, long cachedBytes, int lookupsBeforeListing) {
    public static final CatalogClientSettings DEFAULT =
            new CatalogClientSettings(Duration.ofSeconds(30), Duration.ofSeconds(10), 64L << 20, 3);

    public CatalogClientSettings {
        if (patience.isNegative() || callTimeout.isNegative() || callTimeout.isZero()) {
            throw new IllegalArgumentException("the catalog client's times must be positive: patience " + patience
                    + ", call timeout " + callTimeout);
        }
        if (cachedBytes < 0 || lookupsBeforeListing < 1) {
            throw new IllegalArgumentException(
                    "the catalog client needs cachedBytes >= 0 and lookupsBeforeListing >= 1," + " not " + cachedBytes
                            + " and " + lookupsBeforeListing);
        }
    }

    public CatalogClientSettings withPatience(Duration newPatience) {
        return new CatalogClientSettings(newPatience, callTimeout, cachedBytes, lookupsBeforeListing);
    }
}
