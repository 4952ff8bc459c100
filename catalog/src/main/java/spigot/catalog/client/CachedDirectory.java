package spigot.catalog.client;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import spigot.coherence.Lease;
import spigot.model.FileName;
import spigot.model.Version;

/**
 * What is in memory of one directory: its listing, or single names, each together with the lease that it came under. Outlives
 * the lease: an old listing is what is shown while the catalog can't be reached, and what a new one is compared with. Safe for
 * any thread.
 */
final class CachedDirectory {
    /** Single names kept of a directory; one that needs more is worth a listing. */
    static final int MAX_NAMES = 4096;

    static final int OWN_BYTES = 256;
    static final int NAME_BYTES = 320;

    /** All names under one lease. */
    record Listed(Lease lease, DirectoryListing listing, Version version) {}

    /** Some names under one lease. */
    record Names(Lease lease, Map<FileName, CachedLookup> known) {}

    private volatile @Nullable Listed listed;
    private volatile @Nullable Names names;

    /** When it was last used, by the cache's own count. Races make the choice of what to forget less exact, no more. */
    long used;

    /** What the cache has added to its sum for it; guarded by the cache's lock. */
    long accountedBytes;

    /** Being given up: nothing may be answered from it, or stored in it, any more. */
    volatile boolean leaving;

    /** Its listing turned out too large to be fetched unasked. */
    volatile boolean large;

    @Nullable
    Listed listed() {
        return listed;
    }

    @Nullable
    Names names() {
        return names;
    }

    void put(Listed newest) {
        listed = newest;
        names = null;
        large = false;
    }

    /** @return how many names are known one by one under this lease */
    int put(Lease lease, FileName name, CachedLookup found) {
        Names current = names;
        if (current == null || current.lease() != lease || current.known().size() >= MAX_NAMES) {
            current = new Names(lease, new ConcurrentHashMap<>());
            names = current;
        }
        current.known().put(name, found);
        return current.known().size();
    }

    long memoryBytes() {
        Listed all = listed;
        Names some = names;
        return OWN_BYTES
                + (all == null ? 0 : all.listing().memoryBytes())
                + (some == null ? 0 : (long) NAME_BYTES * some.known().size());
    }
}
