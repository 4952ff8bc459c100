package spigot.cache;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import spigot.cache.memory.BlockMemory;
import spigot.cache.memory.TransferBuffers;
import spigot.cache.plan.FetchAhead;
import spigot.transport.FailureException;

/** Reads contents from memory and through a {@link Loader}. Safe for any thread. */
final class ContentReader {
    private static final int WARMUP_LOADS = 4;

    private final BlockMemory memory;
    private final HandlePlanner.Presence presence;
    private final Loader loader;
    private final CacheCounters counters;
    private final int requestBytes;

    ContentReader(BlockMemory memory, Loader loader, CacheCounters counters, int requestBytes) {
        this.memory = memory;
        this.presence = memory::contains;
        this.loader = loader;
        this.counters = counters;
        this.requestBytes = requestBytes;
    }

    /** What is in memory: all of it, or -1. Allocates nothing, unless something is to be fetched ahead. */
    int tryRead(Content content, HandlePlanner planner, long offset, MemorySegment destination) {
        int length = length(content, offset, destination.byteSize());
        if (length <= 0) {
            return 0;
        }
        if (memory.read(content.version(), offset, destination, 0, length) < length) {
            return -1;
        }
        counters.hits.increment();
        ahead(content, planner.onHit(offset, length, content, presence));
        return length;
    }

    /** As {@link #tryRead}, without a copy. */
    int trySlice(Content content, HandlePlanner planner, long offset, int wanted, SliceConsumer consumer)
            throws IOException {
        int length = length(content, offset, wanted);
        if (length <= 0) {
            return -1;
        }
        int frame = memory.pinSlice(content.version(), offset, length);
        if (frame < 0) {
            return -1;
        }
        try {
            consumer.accept(memory.memory(frame), memory.start(frame) + (offset & BlockMemory.FRAME_BYTES - 1), length);
        } finally {
            memory.unpin(frame);
        }
        counters.hits.increment();
        ahead(content, planner.onHit(offset, length, content, presence));
        return length;
    }

    private static int length(Content content, long offset, long wanted) {
        return (int) Math.min(wanted, content.size() - offset);
    }

    /**
     * Reads all of the destination, unless the content ends before.
     *
     * @throws VersionGoneException when it has to be read from another version
     */
    int read(Content content, HandlePlanner planner, long offset, MemorySegment destination)
            throws IOException, InterruptedException {
        int length = length(content, offset, destination.byteSize());
        if (length <= 0) {
            return 0;
        }
        int done = memory.read(content.version(), offset, destination, 0, length);
        HandlePlanner.Plan plan =
                planner.onRead(offset, length, content, presence, done == length ? -1 : offset + done);
        boolean network = false;
        boolean disk = false;
        if (done < length) {
            Load load = demand(content, plan, offset + done);
            ahead(content, plan.ahead());
            while (done < length) {
                if (load != null) {
                    done += take(load, offset + done, destination, done, length - done);
                    network |= load.fromNetwork();
                    disk |= !load.fromNetwork();
                }
                done += memory.read(content.version(), offset + done, destination, done, length - done);
                load = done < length ? demand(content, plan, offset + done) : null;
            }
        } else {
            ahead(content, plan.ahead());
        }
        (network ? counters.misses : counters.hits).increment();
        if (disk && !network) {
            counters.diskHits.increment();
        }
        return length;
    }

    private @Nullable Load demand(Content content, HandlePlanner.Plan plan, long position) {
        return loader.demand(content, plan.demandStart(), position, plan.demandEnd(), requestBytes);
    }

    /** Waits for a load that was joined, and copies from it what it has. */
    private int take(Load load, long position, MemorySegment destination, long at, int length)
            throws IOException, InterruptedException {
        try {
            await(load);
            IOException failure = load.failure();
            if (failure != null) {
                throw again(failure);
            }
            return load.copy(position, destination, at, length);
        } finally {
            load.leave();
        }
    }

    private void await(Load load) throws InterruptedException {
        if (load.isDone()) {
            return;
        }
        long start = System.nanoTime();
        try {
            load.await();
        } finally {
            if (load.fromNetwork() || !load.isDone()) {
                counters.demandWaitNanos.add(System.nanoTime() - start);
            }
        }
    }

    /** An exception of this thread's own: several readers get the same failure. */
    private static IOException again(IOException failure) {
        return switch (failure) {
            case VersionGoneException gone -> gone;
            case UnreachableException unreachable ->
                new UnreachableException(String.valueOf(unreachable.getMessage()), unreachable);
            case FailureException refusal -> {
                FailureException copy = new FailureException(refusal.failure());
                copy.initCause(refusal);
                yield copy;
            }
            default -> new IOException(failure.getMessage(), failure);
        };
    }

    private void ahead(Content content, @Nullable FetchAhead ahead) {
        if (ahead == null) {
            return;
        }
        // Looking for what is missing may take a lock that others hold: not on the caller's time.
        Thread.ofVirtual().name("ahead-" + content.version().file()).start(() -> {
            for (int piece = 0; piece < ahead.count(); piece++) {
                long start = ahead.start(piece);
                loader.ahead(content, start, start + ahead.length(), Math.min(ahead.requestBytes(), requestBytes));
            }
        });
    }

    /**
     * Brings a range into the cache, a few loads at a time.
     *
     * @param progress told how many bytes are there
     */
    void warmup(Content content, ByteRange range, LongConsumer progress) throws IOException, InterruptedException {
        long end = Math.min(range.end(), content.size());
        long step = Math.min(requestBytes, TransferBuffers.MAX_BYTES);
        Deque<Load> running = new ArrayDeque<>();
        try {
            long at = range.offset();
            while (at < end || !running.isEmpty()) {
                while (at < end && running.size() < WARMUP_LOADS) {
                    long next = Math.min(end, at + step);
                    running.addAll(loader.watch(content, at, next, requestBytes));
                    at = next;
                }
                Load oldest = running.peekFirst();
                if (oldest != null) {
                    oldest.await();
                    running.removeFirst();
                    oldest.unwatch();
                    IOException failure = oldest.failure();
                    if (failure != null) {
                        throw again(failure);
                    }
                }
                progress.accept(at - range.offset());
            }
        } finally {
            running.forEach(Load::unwatch);
        }
    }
}
