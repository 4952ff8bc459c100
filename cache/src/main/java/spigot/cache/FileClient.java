package spigot.cache;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.session.BootClock;

/** The files of a grid as one node reads them: opened at their homes, cached in memory and on disk. Safe for any thread. */
public interface FileClient extends Closeable {
    /**
     * Opens a regular file: without a message while its lease is held, else with one request to its home. No data move.
     * Blocks, on a virtual thread.
     *
     * @param record as the catalog has it
     * @throws UnreachableException when the home could not be asked, as the policy says
     * @throws spigot.transport.FailureException when the home refused, e.g. NOT_FOUND
     */
    OpenFile open(FileRecord record) throws IOException, InterruptedException;

    /** As {@link #open}, but null where that would have to ask. Never blocks. */
    @Nullable
    OpenFile tryOpen(FileRecord record);

    CacheStatistics statistics();

    /** The servers that this node has talked to, for people. */
    List<SourceStatus> sources();

    /**
     * Brings a part of a file into the cache.
     *
     * @param progress told the number of bytes that are there, now and then
     */
    void warmup(FileRecord record, ByteRange range, LongConsumer progress) throws IOException, InterruptedException;

    /** Drops what is cached of all versions of a file, but what is pinned or being read. @return the bytes dropped */
    long evict(FileId file) throws IOException;

    /** Keeps a file's blocks on disk whatever happens, or no longer; survives a restart. */
    void pin(FileId file, boolean pinned) throws IOException;

    boolean isPinned(FileId file);

    /** What is cached of the version of this record, in memory or on disk, in order. */
    List<ByteRange> cachedRanges(FileRecord record) throws IOException;

    /** Gives back the leases as far as that is quick, and frees all. Reads in progress fail. */
    @Override
    void close();

    /**
     * @param instance tells apart the mounts that share one identity; the same again after a restart
     * @throws CacheDirectoryException when the cache directory can't be used
     */
    static FileClient start(
            CacheConfig config,
            PeerFactory peers,
            Locator locator,
            DataListener listener,
            long instance,
            BootClock clock)
            throws IOException {
        return GridFileClient.start(config, peers, locator, listener, instance, clock);
    }
}
