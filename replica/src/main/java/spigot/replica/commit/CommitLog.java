package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/**
 * The write-ahead log: {@link #append} writes a record, {@link #sync} makes all that was appended before it durable with one
 * fdatasync. Segments of bounded size; all but the last one are durable as a whole, so only the last one can end in a torn record.
 *
 * <p>Safe for any thread; {@code lock} is held over writes to the page cache and over the making of a segment, not over fdatasync,
 * of which one is under way at most: the kernel tells of a lost page only once to each descriptor. When one fails nothing is known of
 * what it should have written, so the log is read-only from then on, until the next start looks at what is there. Bounded:
 * {@link CommitLimits#waitingBytes} appended and not durable; whoever comes then waits, interruptibly.
 */
final class CommitLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CommitLog.class);

    private final Store store;
    private final CommitLimits limits;
    private final Set<Guard> guards;
    private final RandomGenerator random;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Segment> segments = new ArrayDeque<>();
    private final Deque<Waiting> unsynced = new ArrayDeque<>();
    private final SegmentWriter writer = new SegmentWriter();
    private long nextSegment;
    private long nextIndex;
    private long durableIndex;

    /** Appended, or about to be, and not durable. */
    private long waitingBytes;

    private boolean open = false;
    private boolean syncing;
    private long syncs;
    private @Nullable IOException broken;

    private record Waiting(long index, long bytes) {}

    /** Where an appended record is. */
    record Appended(long index, Segment segment, long dataPosition) {}

    /** @param recovered what earlier lives have left; its segments belong to this log now */
    CommitLog(
            Store store, CommitLimits limits, Set<Guard> guards, RandomGenerator random, LogRecovery.Result recovered) {
        this.store = store;
        this.limits = limits;
        this.guards = guards;
        this.random = random;
        segments.addAll(recovered.segments());
        nextSegment = recovered.nextSegment();
        nextIndex = recovered.nextIndex();
        durableIndex = nextIndex - 1;
    }

    // ---- appending

    /** Waits until so many bytes may be appended; to be given to {@link #append}, or back to {@link #giveBack}. */
    void reserve(long bytes) throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            requireUnbroken();
            while (waitingBytes > 0
                    && waitingBytes + bytes > limits.waitingBytes()
                    && guards.contains(Guard.BOUNDED_WAITING)) {
                changed.await();
                requireUnbroken();
            }
            waitingBytes += bytes;
        } finally {
            lock.unlock();
        }
    }

    /** Does not wait: for the few records by which the log itself gets shorter. */
    void reserveAtOnce(long bytes) {
        lock.lock();
        try {
            waitingBytes += bytes;
        } finally {
            lock.unlock();
        }
    }

    void giveBack(long bytes) {
        lock.lock();
        try {
            waitingBytes -= bytes;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Appends a record, whose bytes were {@link #reserve reserved}. Afterwards it is not yet durable.
     *
     * @param data one after the other; positions and limits are not moved
     * @param reserved free again when the record is durable; when this throws, to be given back by the caller
     * @throws SystemCallException ENOSPC, EDQUOT, EFBIG: nothing of the record is kept, and later ones are tried again; all others
     *     make the log read-only
     */
    Appended append(ByteBuffer description, List<ByteBuffer> data, int dataBytes, int dataChecksum, long reserved)
            throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            requireUnbroken();
            long bytes = RecordLayout.recordBytes(description.remaining(), dataBytes);
            Segment segment = segmentFor(bytes);
            long dataPosition;
            try {
                dataPosition = writer.write(
                        segment,
                        new SegmentWriter.Front(description, dataBytes, dataChecksum, nextIndex, durableIndex),
                        data);
            } catch (IOException e) {
                undo(segment, e);
                throw e;
            }
            segment.end += bytes;
            segment.lastIndex = nextIndex;
            unsynced.addLast(new Waiting(nextIndex, reserved));
            changed.signalAll();
            return new Appended(nextIndex++, segment, dataPosition);
        } finally {
            lock.unlock();
        }
    }

    /** So that a start never finds what nobody was told of. */
    private void undo(Segment segment, IOException failure) {
        boolean full = failure instanceof SystemCallException call && isFull(call.errno());
        try {
            if (guards.contains(Guard.UNDO_FAILED_APPEND)) {
                segment.file().setSize(segment.end);
            }
        } catch (IOException e) {
            failure.addSuppressed(e);
            full = false;
        }
        if (!full) {
            breakDown(failure);
        }
    }

    static boolean isFull(int errno) {
        return errno == Errno.ENOSPC || errno == Errno.EDQUOT || errno == Errno.EFBIG;
    }

    /** The last segment, or a new one when there is no room in it. */
    private Segment segmentFor(long bytes) throws IOException, InterruptedException {
        while (true) {
            requireUnbroken();
            Segment last = segments.peekLast();
            boolean room = last != null
                    && open
                    && (last.end + bytes <= limits.segmentBytes() || last.end == RecordLayout.HEAD_BYTES);
            if (last != null && room) {
                return last;
            }
            if (syncing) {
                changed.await();
            } else {
                next();
            }
        }
    }

    private void next() throws IOException {
        Segment last = segments.peekLast();
        if (last != null && open && guards.contains(Guard.SYNC_BEFORE_NEXT_SEGMENT)) {
            try {
                syncs++;
                last.file().syncData();
            } catch (IOException e) {
                breakDown(e);
                throw e;
            }
        }
        RecordLayout.Head head = new RecordLayout.Head(nextSegment, nextIndex, random.nextLong());
        StoredFile file = store.create(Segment.name(nextSegment));
        try {
            file.write(head.encode(), 0);
            if (guards.contains(Guard.SYNC_NEW_SEGMENT)) {
                file.syncData();
                store.syncNames();
            }
        } catch (IOException e) {
            // A file without a whole head is no segment; the next attempt begins with an empty one of the same name.
            file.close();
            if (!(e instanceof SystemCallException call && isFull(call.errno()))) {
                breakDown(e);
            }
            throw e;
        }
        segments.addLast(new Segment(file, head));
        nextSegment++;
        open = true;
    }

    // ---- syncing

    /** Waits until something is appended that is not durable. @return false when nothing ever will be */
    boolean awaitAppended() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (broken == null && durableIndex == nextIndex - 1) {
                changed.await();
            }
            return broken == null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Makes durable all that was appended before the call.
     *
     * @return the index of the last durable record
     */
    long sync() throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            while (syncing) {
                changed.await();
            }
            requireUnbroken();
            long upTo = nextIndex - 1;
            Segment segment = segments.peekLast();
            if (upTo > durableIndex && segment != null) {
                long bytes = waitingBytesOf(upTo);
                sync(segment);
                durableIndex = upTo;
                waitingBytes -= bytes;
                changed.signalAll();
            }
            return durableIndex;
        } finally {
            lock.unlock();
        }
    }

    private long waitingBytesOf(long upTo) {
        long sum = 0;
        for (Waiting next = unsynced.peekFirst(); next != null && next.index() <= upTo; next = unsynced.peekFirst()) {
            sum += next.bytes();
            unsynced.removeFirst();
        }
        return sum;
    }

    private void sync(Segment segment) throws IOException {
        if (!guards.contains(Guard.SYNC_BEFORE_DURABLE)) {
            return;
        }
        syncing = true;
        syncs++;
        lock.unlock();
        IOException failed = null;
        try {
            segment.file().syncData();
        } catch (IOException e) {
            failed = e;
        } finally {
            lock.lock();
            syncing = false;
            changed.signalAll();
        }
        if (failed != null) {
            if (guards.contains(Guard.NO_SECOND_SYNC)) {
                breakDown(failed);
            }
            throw failed;
        }
    }

    /** What has made the log read-only; null when it is not. */
    @Nullable
    IOException failure() {
        lock.lock();
        try {
            return broken;
        } finally {
            lock.unlock();
        }
    }

    /** Makes the log read-only. */
    void fail(IOException e) {
        lock.lock();
        try {
            breakDown(e);
        } finally {
            lock.unlock();
        }
    }

    private void breakDown(IOException e) {
        if (broken == null) {
            broken = e;
            LOG.error("event=commit_log_broken store={} error=\"{}\"", store.name(), e.getMessage());
        }
        changed.signalAll();
    }

    private void requireUnbroken() throws IOException {
        if (broken != null) {
            SystemCallException e = new SystemCallException(
                    "write to",
                    "the log in " + store.name() + ", which is read-only since it failed (" + broken.getMessage()
                            + "); what it has is served; check the disk, then start the server again",
                    Errno.EIO);
            e.initCause(broken);
            throw e;
        }
    }

    // ---- looking at it and cutting it

    /** So many fdatasyncs of records were made. */
    long syncs() {
        lock.lock();
        try {
            return syncs;
        } finally {
            lock.unlock();
        }
    }

    long bytes() {
        lock.lock();
        try {
            return segments.stream().mapToLong(segment -> segment.end).sum();
        } finally {
            lock.unlock();
        }
    }

    long waiting() {
        lock.lock();
        try {
            return waitingBytes;
        } finally {
            lock.unlock();
        }
    }

    /** The number of the first segment that has a record at or behind the index; the last one stays. */
    long firstNeeded(long index) {
        lock.lock();
        try {
            for (Segment segment : segments) {
                if (segment.lastIndex >= index || segment == segments.peekLast()) {
                    return segment.number();
                }
            }
            return nextSegment;
        } finally {
            lock.unlock();
        }
    }

    /** Deletes the segments before this one. */
    void deleteBefore(long number) throws IOException {
        List<Segment> old = new ArrayList<>();
        lock.lock();
        try {
            for (Segment next = segments.peekFirst();
                    next != null && next.number() < number && segments.size() > 1;
                    next = segments.peekFirst()) {
                old.add(segments.removeFirst());
            }
        } finally {
            lock.unlock();
        }
        for (Segment segment : old) {
            if (guards.contains(Guard.READ_SEGMENTS_STAY_OPEN)) {
                segment.release();
            } else {
                segment.closeNow();
            }
        }
        // What can't be deleted now is at the next start.
        for (Segment segment : old) {
            store.delete(Segment.name(segment.number()));
        }
    }

    /** Who waits is told that the log is closed. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (broken == null) {
                broken = new IOException("the server is closing");
            }
            changed.signalAll();
            segments.forEach(Segment::release);
            segments.clear();
        } finally {
            lock.unlock();
        }
    }
}
