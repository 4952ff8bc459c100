package spigot.catalog.server;

import java.time.Duration;
import spigot.coherence.GrantorConfig;

/**
 * The times and bounds of a {@link CatalogServer}.
 *
 * @param leases of the directories
 * @param serverSilence a server that was not heard of for so long counts as dead
 * @param recallPatience how long a change waits for the leases that it takes back
 * @param listings most directory listings that are streamed at a time
 */
public record CatalogConfiguration(
        GrantorConfig leases, Duration serverSilence, Duration recallPatience, int listings) {
    public static final CatalogConfiguration DEFAULT =
            new CatalogConfiguration(GrantorConfig.DEFAULT, Duration.ofSeconds(5), Duration.ofSeconds(30), 64);

    public CatalogConfiguration {
        if (!serverSilence.isPositive() || !recallPatience.isPositive() || listings < 1) {
            throw new IllegalArgumentException("a catalog needs positive times and at least one listing at a time, not "
                    + serverSilence + ", " + recallPatience + ", " + listings);
        }
    }

    public CatalogConfiguration with(GrantorConfig newLeases) {
        return new CatalogConfiguration(newLeases, serverSilence, recallPatience, listings);
    }

    public CatalogConfiguration withServerSilence(Duration newSilence) {
        return new CatalogConfiguration(leases, newSilence, recallPatience, listings);
    }
}
