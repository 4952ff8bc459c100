package spigot.cache;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How large a node's cache is and what it does when nobody answers.
 *
 * @param memoryBytes all that is kept off-heap: cached blocks and the buffers of fetches in flight; at least 8 MiB
 * @param directory where cached blocks survive a restart, for this process alone; empty: in memory only
 * @param diskBytes what may be occupied below the directory; at least 16 MiB
 * @param timeout after which FAIL gives up
 * @param maxLeases how many files may be leased at the same time; files beyond it, least recently used and not open, are given back
 */
public record CacheConfig(
        long memoryBytes,
        Optional<Path> directory,
        long diskBytes,
        OnUnreachable onUnreachable,
        Duration timeout,
        int maxLeases) {
    public static final long DEFAULT_MEMORY_BYTES = 256L << 20;
    public static final long MIN_MEMORY_BYTES = 8L << 20;
    public static final long MAX_MEMORY_BYTES = 1L << 40;
    public static final long DEFAULT_DISK_BYTES = 10L << 30;
    public static final long MIN_DISK_BYTES = 16L << 20;
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
    public static final int DEFAULT_MAX_LEASES = 16_384;

    public CacheConfig {
        if (memoryBytes < MIN_MEMORY_BYTES || memoryBytes > MAX_MEMORY_BYTES) {
            throw new IllegalArgumentException(
                    "the memory of the cache is from 8 MiB to 1 TiB, not " + memoryBytes + " bytes");
        }
        if (diskBytes < MIN_DISK_BYTES) {
            throw new IllegalArgumentException(
                    "the cache directory needs at least 16 MiB, not " + diskBytes + " bytes");
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("the timeout must be positive, not " + timeout);
        }
        if (maxLeases < 1) {
            throw new IllegalArgumentException("there must be at least one lease, not " + maxLeases);
        }
    }

    /** Default budgets, policy WAIT. */
    public static CacheConfig inMemory() {
        return new CacheConfig(
                DEFAULT_MEMORY_BYTES,
                Optional.empty(),
                DEFAULT_DISK_BYTES,
                OnUnreachable.WAIT,
                DEFAULT_TIMEOUT,
                DEFAULT_MAX_LEASES);
    }

    public CacheConfig withMemoryBytes(long bytes) {
        return new CacheConfig(bytes, directory, diskBytes, onUnreachable, timeout, maxLeases);
    }

    public CacheConfig withDirectory(Path path, long bytes) {
        return new CacheConfig(memoryBytes, Optional.of(path), bytes, onUnreachable, timeout, maxLeases);
    }

    public CacheConfig withOnUnreachable(OnUnreachable policy, Duration after) {
        return new CacheConfig(memoryBytes, directory, diskBytes, policy, after, maxLeases);
    }

    public CacheConfig withMaxLeases(int leases) {
        return new CacheConfig(memoryBytes, directory, diskBytes, onUnreachable, timeout, leases);
    }
}
