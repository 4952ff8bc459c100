package spigot.cache;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.disk.DiskCache;
import spigot.cache.memory.BlockMemory;
import spigot.cache.memory.TransferBuffers;
import spigot.cache.plan.PlannerLimits;
import spigot.cache.source.FetchCounters;
import spigot.cache.source.Source;
import spigot.cache.source.SourceEstimate;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.FileVersion;
import spigot.model.Fragments;
import spigot.session.BootClock;
import spigot.transport.FailureException;

/**
 * The files of a grid, opened at their homes. Safe for any thread. No lock is held while a server is asked; of several that need the same
 * answer one asks.
 */
final class GridFileClient implements FileClient {
    private static final Logger log = LoggerFactory.getLogger(GridFileClient.class);

    /** How often one read follows a file from version to version. */
    static final int MAX_MOVES = 10;

    private static final long MAX_BUFFER_BYTES = 32L << 20;
    private static final int BUFFER_DIVISOR = 8;

    /** How long a read of an open file waits for its home, before it goes on with the version that it has. */
    private static final Duration CHECK_TIMEOUT = Duration.ofSeconds(2);

    private static final long CLOSE_MILLIS = 5_000;
    private static final int MAX_ASKS_LATER = 8;

    private final CacheConfig config;
    private final Locator locator;
    private final DataListener listener;
    private final @Nullable DiskCache disk;
    private final BlockMemory memory;
    private final TransferBuffers buffers;
    private final FetchCounters fetches = new FetchCounters();
    private final CacheCounters counters = new CacheCounters();
    private final PlannerLimits limits;
    private final Sources sources;
    private final HomeClient homes;
    private final Loader loader;
    private final ContentReader reader;
    private final InlineHistory inline = new InlineHistory();
    private final Map<FileId, LeasedFile> files = new ConcurrentHashMap<>();
    private final Semaphore asksLater = new Semaphore(MAX_ASKS_LATER);
    private volatile boolean closed;

    private GridFileClient(
            CacheConfig config,
            PeerFactory peers,
            Locator locator,
            DataListener listener,
            long instance,
            BootClock clock,
            @Nullable DiskCache disk) {
        this.config = config;
        this.locator = locator;
        this.listener = listener;
        this.disk = disk;
        long bufferBytes = Math.max(1 << 20, Math.min(MAX_BUFFER_BYTES, config.memoryBytes() / BUFFER_DIVISOR));
        buffers = new TransferBuffers(bufferBytes);
        memory = new BlockMemory(config.memoryBytes() - buffers.budgetBytes());
        limits = PlannerLimits.DEFAULT.within(buffers.budgetBytes() / 2);
        sources = new Sources(peers, instance, config.maxLeases(), clock, this::drop);
        homes = new HomeClient(buffers, fetches, counters);
        loader = new Loader(config, memory, disk, buffers, fetches, counters);
        reader = new ContentReader(memory, loader, counters, limits.maxRequestBytes());
    }

    static GridFileClient start(
            CacheConfig config,
            PeerFactory peers,
            Locator locator,
            DataListener listener,
            long instance,
            BootClock clock)
            throws CacheDirectoryException {
        DiskCache disk = config.directory().isPresent()
                ? DiskCache.open(config.directory().get(), config.diskBytes())
                : null;
        return new GridFileClient(config, peers, locator, listener, instance, clock, disk);
    }

    // ---- opening

    @Override
    public OpenFile open(FileRecord record) throws IOException, InterruptedException {
        checkOpen();
        LeasedFile file = withHandle(record);
        boolean opened = false;
        try {
            FileView view = file.view();
            if (view == null || !view.isLeased() || isOlder(view, record)) {
                view = askForOpen(file, record);
            }
            OpenFile handle = handle(file, view);
            opened = true;
            return handle;
        } finally {
            if (!opened) {
                release(file);
            }
        }
    }

    @Override
    public @Nullable OpenFile tryOpen(FileRecord record) {
        LeasedFile file = files.get(record.id());
        FileView view = file == null ? null : file.view();
        if (closed || file == null || view == null || !view.isLeased() || isOlder(view, record) || !file.addHandle()) {
            return null;
        }
        counters.openFiles.increment();
        return handle(file, view);
    }

    private static boolean isOlder(FileView view, FileRecord record) {
        return view.record().version().compareTo(record.version()) < 0;
    }

    private OpenFile handle(LeasedFile file, FileView view) {
        boolean keep = file.openedAt(view.record().version());
        return new GridFile(this, file, keep, new HandlePlanner(limits));
    }

    private LeasedFile withHandle(FileRecord record) {
        while (true) {
            LeasedFile file =
                    files.computeIfAbsent(record.id(), id -> new LeasedFile(id, new Places(record, locator, sources)));
            if (file.addHandle()) {
                counters.openFiles.increment();
                return file;
            }
            files.remove(record.id(), file);
        }
    }

    private void release(LeasedFile file) {
        counters.openFiles.decrement();
        if (file.removeHandle()) {
            files.remove(file.id(), file);
        }
    }

    void closed(LeasedFile file, boolean readFromStart) {
        FileView view = file.view();
        if (view != null) {
            inline.closed(view.content().size(), readFromStart);
        }
        release(file);
    }

    // ---- what is true of a file

    FileView viewOf(LeasedFile file) {
        FileView view = file.view();
        if (view == null) {
            throw new IllegalStateException("a handle is given out only once there is a view");
        }
        return view;
    }

    private FileView askForOpen(LeasedFile file, FileRecord record) throws IOException, InterruptedException {
        while (true) {
            if (config.onUnreachable() == OnUnreachable.STALE && isHomeSilent(file)) {
                FileView stale = openStale(file, record);
                askLater(file, stale.record());
                return stale;
            }
            CompletableFuture<Void> other = file.askOrWait();
            if (other != null) {
                await(other);
                FileView view = file.view();
                if (view != null && view.isLeased() && !isOlder(view, record)) {
                    return view;
                }
                continue;
            }
            try {
                FileView known = file.view();
                FileRecord newest = known == null || isOlder(known, record) ? record : known.record();
                try {
                    return took(file, homes.ask(file.places(), newest, inlineBytes(newest), patience()), 1);
                } catch (UnreachableException e) {
                    if (config.onUnreachable() != OnUnreachable.STALE) {
                        throw e;
                    }
                    log.debug("event=open_stale file={} cause=\"{}\"", file.id(), e.getMessage());
                    return openStale(file, record);
                }
            } finally {
                file.asked();
            }
        }
    }

    /** What is known goes on to be true. */
    private FileView openStale(LeasedFile file, FileRecord record) {
        while (true) {
            FileView known = file.view();
            FileView stale = known == null || isOlder(known, record)
                    ? new FileView(record, new Content(record, file.places()), null, null, System.nanoTime())
                    : known.unleased();
            if (file.replace(known, stale)) {
                return stale;
            }
        }
    }

    private boolean isHomeSilent(LeasedFile file) {
        Source home = sources.known(file.places().home());
        return home != null && home.isSilent();
    }

    /**
     * Asks on a thread of its own for what was opened as it was known, as the catalog may know another home by now: for a few files at a
     * time, as the others may as well be asked for at their next open.
     */
    private void askLater(LeasedFile file, FileRecord record) {
        if (!asksLater.tryAcquire()) {
            return;
        }
        if (file.askOrWait() != null) {
            asksLater.release();
            return;
        }
        Thread.ofVirtual().name("ask-later-" + file.id()).start(() -> {
            try {
                took(file, homes.ask(file.places(), record, 0, patience()), 0);
            } catch (IOException e) {
                log.debug("event=ask_later_failed file={} cause=\"{}\"", file.id(), e.getMessage());
            } catch (InterruptedException _) {
                // Nobody interrupts this thread.
            } catch (IllegalStateException e) {
                if (!closed) {
                    throw e;
                }
            } finally {
                file.asked();
                if (file.removeIfIdle()) {
                    files.remove(file.id(), file);
                }
                asksLater.release();
            }
        });
    }

    /** Before a read: the view as it is, or after a look at the home if that can be had soon. */
    FileView current(LeasedFile file) throws IOException, InterruptedException {
        checkOpen();
        FileView view = viewOf(file);
        while (!view.isFresh()) {
            if (isHomeSilent(file)) {
                return openStale(file, view.record());
            }
            CompletableFuture<Void> other = file.askOrWait();
            if (other != null) {
                await(other);
                view = viewOf(file);
                continue;
            }
            try {
                view = viewOf(file);
                return view.isFresh() ? view : look(file, view);
            } finally {
                file.asked();
            }
        }
        return view;
    }

    /** One question to the home; when it does not answer, what was true goes on to be read. */
    private FileView look(LeasedFile file, FileView view) throws InterruptedException {
        Source home = sources.known(file.places().home());
        if (home == null || home.isAvailable()) {
            try {
                return took(file, homes.once(file.places(), view.record(), 0, CHECK_TIMEOUT), 0);
            } catch (FailureException e) {
                log.debug("event=recheck_refused file={} cause=\"{}\"", file.id(), e.getMessage());
            } catch (IOException e) {
                log.debug("event=recheck_failed file={} cause=\"{}\"", file.id(), e.getMessage());
            }
        }
        FileView old = view.unleased();
        file.publish(old);
        return old;
    }

    /**
     * A home has answered.
     *
     * @param ownHandles how many of the handles are not given out yet
     */
    private FileView took(LeasedFile file, HomeClient.Answer answer, int ownHandles) {
        FileView before = file.view();
        Content known = before != null
                        && before.record().version().equals(answer.record().version())
                ? before.content()
                : null;
        Content content = known == null ? new Content(answer.record(), file.places()) : known;
        try {
            if (answer.first() != null) {
                loader.keep(content, 0, answer.first(), answer.firstLength());
            }
        } finally {
            answer.close();
        }
        FileView view = new FileView(answer.record(), content, answer.lease(), answer.holder(), System.nanoTime());
        file.publish(view);
        if (before != null && known == null) {
            moved(file, before, view, ownHandles);
        }
        return view;
    }

    private void moved(LeasedFile file, FileView before, FileView view, int ownHandles) {
        log.debug(
                "event=version_moved file={} from={} to={}",
                file.id(),
                before.record().version(),
                view.record().version());
        memory.drop(before.content().version());
        if (file.hasHandlesBesides(ownHandles) && file.dropKernelPages()) {
            listener.changed(file.id(), () -> {});
        }
        DiskCache cache = disk;
        if (cache != null) {
            Thread.ofVirtual().name("remove-old-" + file.id()).start(() -> {
                try {
                    cache.removeOthers(view.content().version());
                } catch (IOException e) {
                    log.debug("event=remove_old_failed file={} cause=\"{}\"", file.id(), e.getMessage());
                }
            });
        }
    }

    /** The home does not have the version of this view any more: the next read looks again. */
    void moveOn(LeasedFile file, FileView view, int movedBefore) throws InterruptedException {
        file.replace(view, view.suspect());
        if (movedBefore > 0) {
            Thread.sleep(20L << Math.min(movedBefore, 6));
        }
    }

    /** The lease of a file is gone: what the kernel has of it must go before {@code done}. */
    private void drop(FileId id, Runnable done) {
        LeasedFile file = files.get(id);
        if (file != null && file.dropKernelPages()) {
            listener.changed(id, done);
            return;
        }
        if (file != null && file.removeIfIdle()) {
            files.remove(id, file);
        }
        done.run();
    }

    private static void await(CompletableFuture<Void> other) throws InterruptedException {
        try {
            other.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("this future never fails", e);
        }
    }

    private int inlineBytes(FileRecord record) {
        int bytes = inline.bytes(record.attributes().size());
        if (bytes == 0) {
            return 0;
        }
        FileVersion version = new FileVersion(record.id(), record.version());
        if (memory.contains(version, 0, bytes)) {
            return 0;
        }
        if (disk != null) {
            int blocks = Math.ceilDiv(bytes, Fragments.BLOCK_BYTES);
            BitSet claimed = disk.claimed(version, record.attributes().size(), 0, blocks);
            return claimed.cardinality() == blocks ? 0 : bytes;
        }
        return bytes;
    }

    Patience patience() {
        return new Patience(config);
    }

    ContentReader reader() {
        return reader;
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the cache is closed");
        }
    }

    // ---- warming up, dropping, keeping

    @Override
    public void warmup(FileRecord record, ByteRange range, LongConsumer progress)
            throws IOException, InterruptedException {
        LeasedFile file = withHandle(record);
        try {
            FileView view = file.view();
            if (view == null || !view.isLeased() || isOlder(view, record)) {
                view = askForOpen(file, record);
            }
            for (int moved = 0; ; moved++) {
                try {
                    reader.warmup(view.content(), range, progress);
                    return;
                } catch (VersionGoneException e) {
                    if (moved >= MAX_MOVES) {
                        throw new IOException("file " + file.id() + " changes faster than it can be read", e);
                    }
                    moveOn(file, view, moved);
                    view = current(file);
                }
            }
        } finally {
            release(file);
        }
    }

    @Override
    public long evict(FileId file) throws IOException {
        if (isPinned(file)) {
            return 0;
        }
        long fromMemory = memory.drop(file);
        long fromDisk = disk == null ? 0 : disk.evict(file);
        return Math.max(fromMemory, fromDisk);
    }

    @Override
    public void pin(FileId file, boolean pinned) throws IOException {
        if (disk == null) {
            throw new IOException("files can only be pinned in a cache directory: mount with --cache");
        }
        disk.pin(file, pinned);
    }

    @Override
    public boolean isPinned(FileId file) {
        return disk != null && disk.isPinned(file);
    }

    @Override
    public List<ByteRange> cachedRanges(FileRecord record) throws IOException {
        FileVersion version = new FileVersion(record.id(), record.version());
        long size = record.attributes().size();
        Set<Long> blocks = new TreeSet<>();
        memory.forEachBlock(version, blocks::add);
        List<ByteRange> ranges = new ArrayList<>(disk == null ? List.of() : disk.ranges(version, size));
        for (long block : blocks) {
            ranges.add(new ByteRange(block, Math.min(size, block + Fragments.BLOCK_BYTES)));
        }
        return ByteRange.merge(ranges);
    }

    // ---- figures

    @Override
    public CacheStatistics statistics() {
        long leased = sources.all().stream().mapToLong(s -> s.leases().leases()).sum();
        return new CacheStatistics(
                fetches.receivedBytes(),
                fetches.fetches(),
                counters.hits.sum(),
                counters.misses.sum(),
                counters.diskHits.sum(),
                counters.demandWaitNanos.sum() / 1_000_000,
                memory.evictions(),
                disk == null ? 0 : disk.evictions(),
                memory.residentBytes(),
                memory.budgetBytes() + buffers.budgetBytes(),
                disk == null ? 0 : disk.usedBytes(),
                disk == null ? 0 : disk.budgetBytes(),
                counters.aheadBytes.sum(),
                memory.unreadAheadBytes(),
                fetches.corruptBlocks(),
                disk == null ? 0 : disk.corruptBlocks(),
                fetches.switches(),
                counters.openRequests.sum(),
                leased,
                counters.openFiles.sum());
    }

    @Override
    public List<SourceStatus> sources() {
        List<SourceStatus> statuses = new ArrayList<>();
        for (Source source : sources.all()) {
            SourceEstimate estimate = source.estimate();
            statuses.add(new SourceStatus(
                    source.server(),
                    source.address(),
                    estimate.available(),
                    (long) (estimate.bytesPerNano() * 1e9),
                    estimate.firstByteNanos() / 1_000,
                    source.receivedBytes(),
                    source.failures()));
        }
        return statuses;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        loader.close();
        sources.close();
        boolean idle = false;
        try {
            idle = loader.awaitIdle(CLOSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!idle) {
            // A load that still runs may use the memory and the files: they go with the process.
            log.warn("event=cache_close_incomplete waited_millis={}", CLOSE_MILLIS);
            return;
        }
        memory.close();
        buffers.close();
        if (disk != null) {
            disk.close();
        }
    }
}
