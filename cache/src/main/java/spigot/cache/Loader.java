package spigot.cache;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.disk.DiskCache;
import spigot.cache.memory.BlockMemory;
import spigot.cache.memory.Chunks;
import spigot.cache.memory.TransferBuffer;
import spigot.cache.memory.TransferBuffers;
import spigot.cache.source.FetchCounters;
import spigot.cache.source.FetchRound;
import spigot.cache.source.FetchTerms;
import spigot.cache.source.Received;
import spigot.cache.source.Source;
import spigot.cache.source.SourcesFailedException;
import spigot.model.Fragments;
import spigot.transport.FailureException;

/**
 * Brings what is not in memory: each {@link Load} on a virtual thread of its own, from the disk if it has it, else from the servers; then into
 * memory, to those who wait, and to the disk. These threads are never interrupted: a reader that is only stops waiting. Safe for any thread.
 * Bound: the transfer buffers.
 */
final class Loader {
    private static final Logger log = LoggerFactory.getLogger(Loader.class);
    private static final int BLOCK = Fragments.BLOCK_BYTES;

    private final CacheConfig config;
    private final BlockMemory memory;
    private final @Nullable DiskCache disk;
    private final TransferBuffers buffers;
    private final FetchCounters fetches;
    private final CacheCounters counters;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();

    @GuardedBy("lock")
    private int active;

    private volatile boolean closed;

    Loader(
            CacheConfig config,
            BlockMemory memory,
            @Nullable DiskCache disk,
            TransferBuffers buffers,
            FetchCounters fetches,
            CacheCounters counters) {
        this.config = config;
        this.memory = memory;
        this.disk = disk;
        this.buffers = buffers;
        this.fetches = fetches;
        this.counters = counters;
    }

    // ---- what is missing

    /**
     * Begins to bring what is neither in memory nor on its way.
     *
     * @param requestBytes the largest load, at most {@link TransferBuffers#MAX_BYTES}
     * @return the load of the first byte, joined; null when that byte is in memory now
     */
    @Nullable
    Load demand(Content content, long from, long first, long to, int requestBytes) {
        List<Load> begun = new ArrayList<>();
        Load joined;
        content.lock().lock();
        try {
            joined = content.loading(first);
            if (joined == null && !isInMemory(content, first)) {
                long earliest = Math.max(Chunks.blockStart(from), Chunks.blockStart(first) + BLOCK - requestBytes);
                long start = startOfRun(content, earliest, first);
                joined = register(content, start, to, requestBytes, false, begun);
            }
            if (joined != null) {
                joined.join();
                for (long at = joined.end(); at < Math.min(to, content.size()); ) {
                    at = next(content, at, to, requestBytes, false, begun);
                }
            }
        } finally {
            content.lock().unlock();
        }
        begun.forEach(this::run);
        return joined;
    }

    /** The latest run of missing blocks that leads up to a missing byte. */
    private long startOfRun(Content content, long earliest, long first) {
        long start = Chunks.blockStart(first);
        while (start - BLOCK >= earliest && isMissing(content, start - BLOCK)) {
            start -= BLOCK;
        }
        return start;
    }

    /** Begins to bring what is missing, as far as there are buffers to spare. */
    void ahead(Content content, long from, long to, int requestBytes) {
        List<Load> begun = new ArrayList<>();
        content.lock().lock();
        try {
            for (long at = Chunks.blockStart(from); at >= 0 && at < Math.min(to, content.size()); ) {
                at = next(content, at, to, requestBytes, true, begun);
            }
        } finally {
            content.lock().unlock();
        }
        begun.forEach(this::run);
    }

    /** As {@link #demand}, for who needs no bytes: all the loads of a range, each to be unwatched. */
    List<Load> watch(Content content, long from, long to, int requestBytes) {
        List<Load> begun = new ArrayList<>();
        List<Load> watched = new ArrayList<>();
        content.lock().lock();
        try {
            for (long at = Chunks.blockStart(from); at < Math.min(to, content.size()); ) {
                Load load = content.loading(at);
                int before = begun.size();
                at = next(content, at, to, requestBytes, false, begun);
                if (load == null && begun.size() > before) {
                    load = begun.getLast();
                }
                if (load != null) {
                    load.watch();
                    watched.add(load);
                }
            }
        } finally {
            content.lock().unlock();
        }
        begun.forEach(this::run);
        return watched;
    }

    /** @return where to look next; negative when there is no buffer to spare */
    private long next(Content content, long at, long to, int requestBytes, boolean ahead, List<Load> begun) {
        Load other = content.loading(at);
        if (other != null) {
            return other.end();
        }
        if (isInMemory(content, at)) {
            return at + BLOCK;
        }
        Load load = register(content, at, to, requestBytes, ahead, begun);
        return load == null ? -1 : load.end();
    }

    private @Nullable Load register(
            Content content, long start, long to, int requestBytes, boolean ahead, List<Load> begun) {
        long limit = Math.min(content.size(), Math.min(Chunks.blockEnd(to), start + requestBytes));
        long end = start + BLOCK;
        while (end < limit && isMissing(content, end)) {
            end += BLOCK;
        }
        end = Math.min(end, content.size());
        TransferBuffer buffer = null;
        if (ahead) {
            buffer = closed ? null : buffers.tryAcquire((int) (end - start));
            if (buffer == null) {
                return null;
            }
        }
        Load load = new Load(content, start, end, ahead, buffer);
        content.add(load);
        begun.add(load);
        return load;
    }

    private boolean isMissing(Content content, long offset) {
        return content.loading(offset) == null && !isInMemory(content, offset);
    }

    private boolean isInMemory(Content content, long offset) {
        long start = Chunks.blockStart(offset);
        return memory.contains(content.version(), start, Math.min(BLOCK, content.size() - start));
    }

    // ---- bringing it

    private void run(Load load) {
        lock.lock();
        try {
            active++;
        } finally {
            lock.unlock();
        }
        Thread.ofVirtual().name("load-" + load.content().version().file()).start(() -> {
            try {
                bring(load);
            } finally {
                load.leave();
                lock.lock();
                try {
                    active--;
                    idle.signalAll();
                } finally {
                    lock.unlock();
                }
            }
        });
    }

    private void bring(Load load) {
        IOException failure = null;
        try {
            if (disk != null && splitByDisk(load, disk)) {
                if (bringFromDisk(load, disk)) {
                    load.content().remove(load);
                    return;
                }
                // The blocks that were wrong are not claimed any more: the others need not travel.
                splitByDisk(load, disk);
            }
            bringFromSources(load);
            load.content().remove(load);
            return;
        } catch (CancelledException _) {
            log.trace("event=load_cancelled file={} offset={}", load.content().version(), load.start());
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            failure = new IOException("interrupted while bringing data", e);
        } catch (RuntimeException e) {
            failure = new IOException(closed ? "the cache is closed" : "internal error: " + e, e);
        }
        load.content().remove(load); // first, so that nobody joins what has failed
        load.failed(failure);
    }

    /** Nobody waits any more. */
    private static final class CancelledException extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /**
     * Cuts the load where the disk begins, or ceases, to claim blocks; another one brings the rest.
     *
     * @return whether the disk claims what is left
     */
    private boolean splitByDisk(Load load, DiskCache disk) {
        Content content = load.content();
        long end = endOf(load);
        int blocks = blocks(load.start(), end);
        BitSet claimed = disk.claimed(content.version(), content.size(), load.start() / BLOCK, blocks);
        boolean there = claimed.get(0);
        int run = there ? claimed.nextClearBit(0) : claimed.nextSetBit(0);
        if (run > 0 && run < blocks) {
            long cut = load.start() + (long) run * BLOCK;
            List<Load> rest = new ArrayList<>();
            content.lock().lock();
            try {
                load.shrink(cut);
                register(content, cut, end, (int) (end - cut), load.isAhead(), rest);
            } finally {
                content.lock().unlock();
            }
            rest.forEach(this::run);
        }
        return there;
    }

    private long endOf(Load load) {
        load.content().lock().lock();
        try {
            return load.end();
        } finally {
            load.content().lock().unlock();
        }
    }

    private static int blocks(long start, long end) {
        return (int) Math.ceilDiv(end - start, BLOCK);
    }

    /** @return false when not even the first block is right */
    private boolean bringFromDisk(Load load, DiskCache disk) throws InterruptedException {
        Content content = load.content();
        long start = load.start();
        long end = endOf(load);
        int blocks = blocks(start, end);
        TransferBuffer buffer = buffer(load, (int) (end - start));
        boolean kept = false;
        try {
            BitSet good = disk.read(
                    content.version(),
                    content.size(),
                    start / BLOCK,
                    blocks,
                    buffer.memory().asSlice(0, end - start));
            if (!good.get(0)) {
                return false;
            }
            boolean unread = load.isAhead() && !load.isAwaited();
            for (int from = 0; from >= 0 && from < blocks; ) {
                int to = good.nextClearBit(from);
                long offset = (long) from * BLOCK;
                long length = Math.min(end - start, (long) to * BLOCK) - offset;
                memory.put(content.version(), start + offset, buffer.memory(), offset, length, unread);
                from = good.nextSetBit(to);
            }
            long until = Math.min(end, start + (long) good.nextClearBit(0) * BLOCK);
            kept = true;
            load.delivered(buffer, until, false);
            return true;
        } finally {
            if (!kept) {
                buffer.close();
            }
        }
    }

    private TransferBuffer buffer(Load load, int bytes) throws InterruptedException {
        TransferBuffer own = load.takeBuffer();
        return own == null ? buffers.acquire(bytes) : own;
    }

    private void bringFromSources(Load load) throws IOException, InterruptedException {
        Content content = load.content();
        long end = endOf(load);
        int length = (int) (end - load.start());
        Received received = fetch(load, length);
        content.places().fetched(received.travelledBytes());
        boolean unread = load.isAhead() && !load.isAwaited();
        if (load.isAhead()) {
            counters.aheadBytes.add(received.travelledBytes());
        }
        TransferBuffer buffer = received.buffer();
        memory.put(content.version(), load.start(), buffer.memory(), 0, length, unread);
        load.delivered(buffer, end, true);
        if (disk != null) {
            disk.write(
                    content.version(),
                    content.size(),
                    load.start() / BLOCK,
                    buffer.memory().asSlice(0, length));
        }
    }

    private Received fetch(Load load, int length) throws IOException, InterruptedException {
        Content content = load.content();
        Places places = content.places();
        Patience patience = new Patience(config);
        FetchTerms terms = terms(load, patience);
        TransferBuffer buffer = buffer(load, length);
        while (true) {
            SourcesFailedException failed;
            try {
                return new FetchRound(content.version(), load.start(), length, buffers, fetches, terms).run(buffer);
            } catch (SourcesFailedException e) {
                failed = e;
            }
            decide(load, places, patience, failed);
            patience.pause();
            buffer = buffers.acquire(length);
        }
    }

    /** Nobody has delivered: is it worth another round? */
    private void decide(Load load, Places places, Patience patience, SourcesFailedException failed)
            throws IOException, InterruptedException {
        if (closed) {
            throw new IOException("the cache is closed");
        }
        if (failed.saysGone(places.home())) {
            throw new VersionGoneException(load.content().version());
        }
        FailureException refusal = failed.finalRefusal();
        if (refusal != null) {
            throw refusal;
        }
        if (!load.isAwaited()) {
            throw new CancelledException();
        }
        if (patience.isOver()) {
            throw new UnreachableException(
                    "no server could give bytes " + load.start() + " and following of file "
                            + load.content().version() + ": " + failed.getMessage(),
                    failed);
        }
        relocate(places, failed.unreachable(places.home()), patience.callTimeout());
    }

    private static void relocate(Places places, boolean nominate, Duration atMost) throws InterruptedException {
        try {
            places.locate(nominate, atMost);
        } catch (IOException e) {
            log.debug("event=locate_failed cause=\"{}\"", e.getMessage()); // the sources that are known are tried again
        }
    }

    private FetchTerms terms(Load load, Patience patience) {
        long startedNanos = System.nanoTime();
        return new FetchTerms() {
            @Override
            public boolean wanted() {
                // Who began the load may not have joined it yet.
                return !closed && (load.isAwaited() || System.nanoTime() - startedNanos < 10_000_000_000L);
            }

            @Override
            public long deadlineNanos() {
                return patience.deadlineNanos();
            }

            @Override
            public List<Source> sources() {
                return load.content().places().serving();
            }

            @Override
            public void lookForMore() {
                load.content().places().lookForMore();
            }

            @Override
            public long silentNanos() {
                return patience.silenceNanos();
            }
        };
    }

    /** What came with another answer. */
    void keep(Content content, long offset, TransferBuffer buffer, int length) {
        memory.put(content.version(), offset, buffer.memory(), 0, length, false);
        if (disk != null) {
            disk.write(
                    content.version(),
                    content.size(),
                    offset / BLOCK,
                    buffer.memory().asSlice(0, length));
        }
    }

    // ---- the end

    /** No load goes on for long after this, once the sources are closed too. */
    void close() {
        closed = true;
    }

    /** @return whether all loads have ended, so that the memory may be freed */
    boolean awaitIdle(long millis) throws InterruptedException {
        long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
        lock.lockInterruptibly();
        try {
            while (active > 0 && nanos > 0) {
                nanos = idle.awaitNanos(nanos);
            }
            return active == 0;
        } finally {
            lock.unlock();
        }
    }
}
