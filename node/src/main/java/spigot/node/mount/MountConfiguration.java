package spigot.node.mount;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import spigot.cache.CacheConfig;
import spigot.cache.OnUnreachable;
import spigot.node.Address;

/**
 * A mount as the command line describes it.
 *
 * @param server any address of the server that carries the catalog
 * @param mountPoint absolute, symbolic links resolved
 * @param token of a node that joins the grid with it; empty: an identity that this user has
 * @param cache where cached fragments stay; empty: below {@code $SPIGOT_HOME}
 * @param memoryBytes budget of all caches in memory, names as well as fragments
 */
public record MountConfiguration(
        Address server,
        String mountPoint,
        Optional<String> token,
        Optional<Path> cache,
        long cacheBytes,
        long memoryBytes,
        OnUnreachable onUnreachable,
        Duration timeout) {
    private static final int NAMES_SHARE = 8;
    private static final long MIN_NAMES_BYTES = 8L << 20;
    private static final long MAX_NAMES_BYTES = 256L << 20;

    /** What requests in flight need off the heap: the workers' buffers, blocks on their way, TLS. */
    private static final long IN_FLIGHT_BYTES = 16L << 20;

    /** What the JVM needs on its heap besides the cached names. */
    private static final long BASE_HEAP_BYTES = 28L << 20;

    /** The least that a mount works with: fragments, names and requests in flight. */
    public static final long MIN_MEMORY_BYTES = CacheConfig.MIN_MEMORY_BYTES + MIN_NAMES_BYTES + IN_FLIGHT_BYTES;

    public MountConfiguration {
        if (memoryBytes < MIN_MEMORY_BYTES || memoryBytes > CacheConfig.MAX_MEMORY_BYTES) {
            throw new IllegalArgumentException("--memory is from " + (MIN_MEMORY_BYTES >> 20) + "MiB to 1TiB");
        }
        if (cacheBytes < CacheConfig.MIN_DISK_BYTES) {
            throw new IllegalArgumentException(
                    "--cache-size is at least " + (CacheConfig.MIN_DISK_BYTES >> 20) + "MiB");
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("--timeout is longer than 0");
        }
    }

    /** The same somewhere else. */
    public MountConfiguration at(String place) {
        return new MountConfiguration(server, place, token, cache, cacheBytes, memoryBytes, onUnreachable, timeout);
    }

    /** The part of the memory in which names and attributes are kept, on the heap. */
    public long namesBytes() {
        return namesBytes(memoryBytes);
    }

    private static long namesBytes(long memoryBytes) {
        return Math.clamp(memoryBytes / NAMES_SHARE, MIN_NAMES_BYTES, MAX_NAMES_BYTES);
    }

    /** The part of the memory in which fragments are kept, off the heap. */
    public long fragmentBytes() {
        return memoryBytes - namesBytes() - IN_FLIGHT_BYTES;
    }

    /** The JVM's heap for a mount with that memory. */
    static long heapBytes(long memoryBytes) {
        return BASE_HEAP_BYTES + namesBytes(memoryBytes);
    }
}
