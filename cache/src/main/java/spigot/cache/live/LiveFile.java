package spigot.cache.live;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.session.TokenClient;
import spigot.session.TokenFile;
import spigot.session.TokenFile.Entry;
import spigot.transport.CallTimeoutException;
import spigot.transport.Messages;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.TokenChange;
import spigot.transport.wire.TokenData;

/**
 * One file that programs of this node read and write, coherently with all other nodes. Safe for any thread, each with a {@link LiveUse} of its own. What may wait
 * is interruptible and ends with its patience ({@link CallTimeoutException}).
 *
 * <p>After a read or a write the tokens stay in service until {@link #exit}: what is answered to the kernel before it is dropped with the
 * token. While it has something in service a thread must not call anything here but exit.
 */
public final class LiveFile implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveFile.class);
    private static final int BLOCK = Range.BLOCK;
    private static final int FETCH_BYTES = 128 << 10;
    /** Before what the home serves itself, or the journal has no room for, is tried again: until the caller's patience ends. */
    private static final Duration PAUSE = Duration.ofMillis(20);

    private static final Duration SETTLE_PATIENCE = Duration.ofSeconds(20);

    /** So many orphaned blocks around the first are settled together. */
    private static final long WINDOW_BYTES = 4 << 20;

    final LiveContent content;
    final TokenFile tokens;
    private final LiveFiles files;
    private final LostAndFound lost;
    private final Clock clock = Clock.systemUTC();

    /** Written to by who changes the size by itself; read by who writes. Taken before tokens. */
    private final ReentrantReadWriteLock resizing = new ReentrantReadWriteLock();

    /** Held by who settles what was orphaned. */
    private final ReentrantLock settling = new ReentrantLock();

    private volatile int errors;
    private volatile @Nullable IOException lastError;

    /** The home had no room for the last commit: writes are committed at once, so that the error comes where it belongs. */
    private volatile boolean writeThrough;

    private volatile @Nullable Instant dirtySince;

    /** Guarded by the lock of {@link LiveFiles}. */
    int opened;

    LiveFile(LiveFiles files, LiveContent content, LostAndFound lost, TokenFile tokens) {
        this.files = files;
        this.content = content;
        this.lost = lost;
        this.tokens = tokens;
    }

    public FileId id() {
        return content.file;
    }

    /** Ends what is in service; may be called when nothing is. */
    public void exit(LiveUse use) {
        tokens.exit(use.data);
        tokens.exit(use.attributes);
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    /**
     * Reads what is here, under tokens that are held: asks nobody, allocates nothing.
     *
     * @param need EXCLUSIVE for pages of the kernel while this node has the file open for writing
     * @return how many bytes, with the tokens in service; -1 when somebody has to be asked: then nothing is in service
     */
    public int tryRead(long offset, MemorySegment into, Mode need, LiveUse use) throws IOException {
        if (!tokens.tryEnter(use.data, need, offset, into.byteSize())) {
            return -1;
        }
        int read = content.read(offset, into, use.data, use.attributes);
        if (read == LiveContent.SIZE_NEEDED && tokens.tryEnterAttributes(use.attributes, Mode.SHARED)) {
            read = content.read(offset, into, use.data, use.attributes);
        }
        if (read < 0) {
            exit(use);
            return -1;
        }
        return read;
    }

    /** As {@link #tryRead}, but asks for what is missing. What the home serves itself comes back with nothing in service. */
    public int read(long offset, MemorySegment into, Mode need, LiveUse use, Duration patience)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        Range range = Range.ofBytes(offset, into.byteSize());
        boolean sized = false;
        while (true) {
            if (!enter(range, need, sized ? Mode.SHARED : Mode.NONE, use, deadline)) {
                return readSerialised(offset, into, deadline);
            }
            boolean done = false;
            try {
                int read = content.read(offset, into, use.data, use.attributes);
                while (read == LiveContent.MISSING) {
                    fetch(range, use, deadline);
                    read = content.read(offset, into, use.data, use.attributes);
                }
                done = read >= 0;
                if (done) {
                    return read;
                }
                sized |= read == LiveContent.SIZE_NEEDED;
            } finally {
                if (!done) {
                    exit(use);
                }
            }
            if (content.hasOrphans()) {
                settle(left(deadline));
            }
        }
    }

    /** Gets from the home what of the range cannot be used, and the attributes with it. */
    private void fetch(Range range, LiveUse use, long deadline) throws IOException, InterruptedException {
        long first = content.missing(range, use.data);
        long from = first < 0 ? range.from() : first * BLOCK;
        int length = first < 0 ? 0 : (int) Math.min(FETCH_BYTES, range.to() - from);
        ByteBuffer bytes = ByteBuffer.allocateDirect(length);
        TokenData data = tokens.fetch(from, bytes, left(deadline));
        Version version = Messages.version(data.getVersion());
        bytes.flip();
        content.received(version, data.getAttributes(), from, bytes);
        long behind = (from + bytes.limit() + BLOCK - 1) / BLOCK * BLOCK;
        if (behind < from + length) {
            content.behindEnd(version, new Range(behind, from + length));
        }
    }

    private int readSerialised(long offset, MemorySegment into, long deadline)
            throws IOException, InterruptedException {
        int done = 0;
        while (done < into.byteSize()) {
            long at = offset + done;
            long from = at - at % BLOCK;
            int length = (int)
                    Math.min(FETCH_BYTES, Range.ofBytes(offset, into.byteSize()).to() - from);
            ByteBuffer bytes = ByteBuffer.allocateDirect(length);
            tokens.readSerialised(from, bytes, left(deadline));
            int skip = (int) (at - from);
            int got = (int) Math.clamp((long) bytes.position() - skip, 0, into.byteSize() - done);
            bytes.flip();
            if (got > 0) {
                MemorySegment.copy(MemorySegment.ofBuffer(bytes), skip, into, done, got);
                done += got;
            }
            if (bytes.limit() < length) {
                return done;
            }
        }
        return done;
    }

    /** Size and times as they are now. */
    public Glimpsed attributes(Duration patience) throws IOException, InterruptedException {
        LiveUse use = new LiveUse();
        try {
            if (tokens.tryEnterAttributes(use.attributes, Mode.SHARED) && content.knowsAttributes(use.attributes)) {
                return content.attributes();
            }
        } finally {
            exit(use);
        }
        LiveAttributes seen = tokens.glimpse(patience);
        return new Glimpsed(seen.getSize(), seen.getModifiedNanos(), seen.getChangedNanos());
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    /**
     * Writes: in the journal when it returns, seen by all nodes that read from then on. The tokens are in service.
     *
     * @param errors of the handle, whose next {@link #sync} tells what could not be committed
     * @throws SystemCallException ENOSPC: there is no room in the journal
     * @throws spigot.transport.FailureException IO_ERROR with ENOSPC, EDQUOT, EFBIG: the home has no room
     */
    public void write(long offset, MemorySegment from, LiveUse use, LiveUse.Errors errors, Duration patience)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        resizing.readLock().lockInterruptibly();
        try {
            writeAt(offset, from, use, deadline);
            if (writeThrough) {
                exit(use);
                sync(errors, left(deadline));
            }
        } finally {
            resizing.readLock().unlock();
        }
    }

    /** Writes at the end of the file, wherever it is then. @return where */
    public long append(MemorySegment from, LiveUse use, LiveUse.Errors errors, Duration patience)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        resizing.readLock().lockInterruptibly();
        try {
            while (true) {
                commitSize(deadline);
                if (content.hasOrphans()) {
                    settle(left(deadline));
                }
                long end = attributes(left(deadline)).size();
                Range range = Range.ofBytes(end, from.byteSize());
                if (!enter(range, Mode.EXCLUSIVE, Mode.EXCLUSIVE, use, deadline)) {
                    // The home serves it one by one: nobody can hold both the end and the bytes behind it.
                    Thread.sleep(PAUSE);
                    left(deadline);
                    continue;
                }
                if (tryAppend(end, from, use, range, deadline)) {
                    if (writeThrough) {
                        exit(use);
                        sync(errors, left(deadline));
                    }
                    return end;
                }
            }
        } finally {
            resizing.readLock().unlock();
        }
    }

    /** @return whether the file did end there; otherwise nothing is in service any more */
    private boolean tryAppend(long end, MemorySegment from, LiveUse use, Range range, long deadline)
            throws IOException, InterruptedException {
        boolean done = false;
        try {
            knowAttributes(use, deadline);
            if (!content.hasOrphans() && content.attributes().size() == end) {
                put(end, from, use, range, deadline);
                done = true;
            }
            return done;
        } finally {
            if (!done) {
                exit(use);
            }
        }
    }

    private void writeAt(long offset, MemorySegment from, LiveUse use, long deadline)
            throws IOException, InterruptedException {
        Range range = Range.ofBytes(offset, from.byteSize());
        long end = offset + from.byteSize();
        Mode sized = Mode.NONE;
        while (true) {
            commitSize(deadline);
            makeRoom(range, deadline);
            if (!enter(range, Mode.EXCLUSIVE, sized, use, deadline)) {
                writeSerialised(offset, from, use, deadline);
                return;
            }
            boolean done = false;
            try {
                Mode needed = sized;
                if (sized == Mode.NONE) {
                    needed = content.within(offset, from.byteSize(), use.data) ? Mode.NONE : Mode.SHARED;
                } else {
                    knowAttributes(use, deadline);
                    needed = end > content.attributes().size() ? Mode.EXCLUSIVE : sized;
                }
                if (sized.atLeast(needed) && !content.hasOrphans()) {
                    put(offset, from, use, range, deadline);
                    done = true;
                    return;
                }
                sized = needed.atLeast(sized) ? needed : sized;
            } finally {
                if (!done) {
                    exit(use);
                }
            }
            if (content.hasOrphans()) {
                settle(left(deadline));
            }
        }
    }

    /** With all that is needed in service. */
    private void put(long offset, MemorySegment from, LiveUse use, Range range, long deadline)
            throws IOException, InterruptedException {
        long end = offset + from.byteSize();
        boolean known = !use.attributes.isEmpty();
        long size = known ? content.attributes().size() : Long.MAX_VALUE;
        // What of the first and the last block stays as it is has to be here.
        if (offset % BLOCK != 0 && offset - offset % BLOCK < size) {
            base(Range.block(offset / BLOCK), use, deadline);
        }
        if (end % BLOCK != 0 && end < size) {
            base(Range.block(end / BLOCK), use, deadline);
        }
        boolean longer = content.write(offset, from, use.data, known, nowNanos());
        if (dirtySince == null) {
            dirtySince = clock.instant();
        }
        tokens.dirtied(range);
        if (longer) {
            tokens.dirtied(Range.ATTRIBUTES);
        }
    }

    private void base(Range block, LiveUse use, long deadline) throws IOException, InterruptedException {
        while (content.missing(block, use.data) >= 0) {
            fetch(block, use, deadline);
        }
    }

    private void knowAttributes(LiveUse use, long deadline) throws IOException, InterruptedException {
        while (!content.knowsAttributes(use.attributes)) {
            if (content.hasOrphans()) {
                return;
            }
            TokenData data = tokens.fetch(0, ByteBuffer.allocateDirect(0), left(deadline));
            content.received(
                    Messages.version(data.getVersion()), data.getAttributes(), 0, ByteBuffer.allocateDirect(0));
        }
    }

    /** A change of the size that was given up waiting for. */
    private void commitSize(long deadline) throws IOException, InterruptedException {
        while (content.sizePending()) {
            if (content.hasOrphans()) {
                settle(left(deadline));
            }
            tokens.flush(Range.ATTRIBUTES, left(deadline));
        }
    }

    private void makeRoom(Range range, long deadline) throws IOException, InterruptedException {
        int blocks = (int) (range.length() / BLOCK);
        while (!files.hasRoom(blocks)) {
            tokens.flush(Range.WHOLE);
            if (deadline - System.nanoTime() <= 0) {
                throw new SystemCallException(
                        "write to",
                        "file " + id() + ": the journal is full of what waits to be committed",
                        Errno.ENOSPC);
            }
            Thread.sleep(PAUSE);
        }
    }

    private void writeSerialised(long offset, MemorySegment from, LiveUse use, long deadline)
            throws IOException, InterruptedException {
        long end = offset + from.byteSize();
        try {
            if (end > attributes(left(deadline)).size()
                    && tokens.enter(
                                    use.attributes,
                                    Mode.EXCLUSIVE,
                                    Range.ATTRIBUTES,
                                    Range.ATTRIBUTES,
                                    false,
                                    left(deadline))
                            == Entry.ENTERED) {
                knowAttributes(use, deadline);
            }
            for (long at = 0; at < from.byteSize(); at += TokenClient.FLUSH_BYTES) {
                long length = Math.min(TokenClient.FLUSH_BYTES, from.byteSize() - at);
                ByteString bytes = ByteString.copyFrom(from.asSlice(at, length).asByteBuffer());
                TokenChange change = TokenChange.newBuilder()
                        .addPieces(TokenChange.Piece.newBuilder()
                                .setOffset(offset + at)
                                .setData(bytes))
                        .setModifiedNanos(nowNanos())
                        .build();
                tokens.writeSerialised(Range.ofBytes(offset + at, length), change, left(deadline));
            }
            if (!use.attributes.isEmpty() && content.longer(end, nowNanos())) {
                tokens.dirtied(Range.ATTRIBUTES);
            }
        } finally {
            exit(use);
        }
    }

    /** Sets the size: committed when it returns. */
    public void truncate(long size, LiveUse use, LiveUse.Errors errors, Duration patience)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        Range changed = new Range(size - size % BLOCK, Range.LIMIT);
        resizing.writeLock().lockInterruptibly();
        try {
            sync(errors, left(deadline));
            while (!enter(changed, Mode.EXCLUSIVE, Mode.EXCLUSIVE, use, deadline)) {
                Thread.sleep(PAUSE);
                left(deadline);
            }
            try {
                knowAttributes(use, deadline);
                content.resize(size, nowNanos());
                tokens.dirtied(Range.ATTRIBUTES);
            } finally {
                exit(use);
            }
            sync(errors, left(deadline));
        } finally {
            resizing.writeLock().unlock();
        }
    }

    /**
     * Commits all that is written; returns when it is on the home's stable storage.
     *
     * @throws IOException when something was not, once for each handle; the bytes are kept in {@link LiveFiles#lostAndFound}
     */
    public void sync(LiveUse.Errors handle, Duration patience) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        if (content.hasOrphans()) {
            settle(left(deadline));
        }
        dirtySince = null;
        tokens.flush(Range.WHOLE, left(deadline));
        tokens.flush(Range.ATTRIBUTES, left(deadline));
        if (content.hasOrphans()) {
            // The session was lost meanwhile: what is dirty again now is committed with it.
            settle(left(deadline));
            tokens.flush(Range.WHOLE, left(deadline));
            tokens.flush(Range.ATTRIBUTES, left(deadline));
        }
        int count = errors;
        IOException error = lastError;
        if (count != handle.seen() && error != null) {
            handle.seen(count);
            throw error;
        }
    }

    // ---- after a lost session ---------------------------------------------------------------------------------------

    /**
     * Finds out what has become of what was written under tokens that are lost: it is committed, or still can be, or is kept apart and
     * reported.
     */
    public void settle(Duration patience) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        settling.lockInterruptibly();
        try {
            for (LiveContent.Orphan first = content.orphan(); first != null; first = content.orphan()) {
                settle(first, deadline);
            }
        } finally {
            settling.unlock();
        }
    }

    private void settle(LiveContent.Orphan first, long deadline) throws IOException, InterruptedException {
        boolean attributes = first.block() < 0;
        Range window =
                attributes ? Range.ATTRIBUTES : new Range(first.block() * BLOCK, first.block() * BLOCK + WINDOW_BYTES);
        Range required = attributes ? window : content.orphanRange(window);
        LiveUse use = new LiveUse();
        if (tokens.enter(use.data, Mode.EXCLUSIVE, required, required, false, left(deadline)) == Entry.SERIALISED) {
            Thread.sleep(PAUSE);
            left(deadline);
            return;
        }
        try {
            Version since = use.data.since(required.from());
            Version oldest = content.oldestOrphan(required);
            Changes changes = tokens.changesSince(oldest, left(deadline));
            for (LiveContent.Orphan orphan = content.orphan(required);
                    orphan != null;
                    orphan = content.orphan(required)) {
                settle(orphan, changes, since, deadline);
            }
        } finally {
            exit(use);
        }
    }

    private void settle(LiveContent.Orphan orphan, Changes changes, Version since, long deadline)
            throws IOException, InterruptedException {
        Range range = orphan.block() < 0 ? Range.ATTRIBUTES : Range.block(orphan.block());
        if (orphan.block() < 0 && content.sizePending()) {
            // Nobody was told that it was done, and others may have written behind it since.
            content.settledAttributes();
            failed(new IOException("a change of the size of file " + id()
                    + " was not committed before the session with its home ended: it is not done"));
            return;
        }
        if (changes.spare(range)) {
            content.restored(orphan, since);
            tokens.dirtied(range);
            return;
        }
        if (orphan.block() < 0) {
            content.settledAttributes();
            return;
        }
        ByteBuffer now = ByteBuffer.allocateDirect(BLOCK);
        TokenData data = tokens.fetch(range.from(), now, left(deadline));
        ByteString mine = content.settled(orphan, Messages.version(data.getVersion()), now.flip());
        if (!mine.isEmpty()) {
            lost.keep(id(), range.from(), mine.asReadOnlyByteBuffer());
            failed(new IOException("bytes at " + range.from() + " of file " + id()
                    + " were written under a token that was lost, and others have written them since: they are kept in "
                    + lost.directory()));
        }
    }

    void failed(IOException error) {
        lastError = error;
        errors++;
        writeThrough = true;
    }

    void committed() {
        writeThrough = false;
    }

    void age(Duration age) {
        Instant since = dirtySince;
        if (since != null && since.plus(age).isBefore(clock.instant())) {
            dirtySince = null;
            tokens.flush(Range.WHOLE);
            tokens.flush(Range.ATTRIBUTES);
        }
        if (content.hasOrphans() && !settling.isLocked()) {
            Thread.ofVirtual().name("settle-" + id()).start(() -> {
                try {
                    settle(SETTLE_PATIENCE);
                } catch (IOException e) {
                    log.warn("event=settling_failed file={} cause=\"{}\"", id(), e.getMessage());
                } catch (InterruptedException e) {
                    throw new IllegalStateException("nobody interrupts the write-back", e);
                }
            });
        }
    }

    // ---- tokens -----------------------------------------------------------------------------------------------------

    /**
     * Has the tokens of the range, and of the attributes if they are wanted, in service together; never waits for one with the other in service.
     *
     * @param sized NONE: not the attributes
     * @return false when the home serves one of them itself: then nothing is in service
     */
    private boolean enter(Range range, Mode need, Mode sized, LiveUse use, long deadline)
            throws IOException, InterruptedException {
        while (true) {
            if (sized != Mode.NONE && !tokens.tryEnterAttributes(use.attributes, sized)) {
                if (tokens.enter(use.attributes, sized, Range.ATTRIBUTES, Range.ATTRIBUTES, false, left(deadline))
                        == Entry.SERIALISED) {
                    return false;
                }
            }
            if (tokens.tryEnter(use.data, need, range.from(), range.length())) {
                return true;
            }
            exit(use);
            if (tokens.enter(use.data, need, range, Range.WHOLE, false, left(deadline)) == Entry.SERIALISED) {
                return false;
            }
            if (sized == Mode.NONE || tokens.tryEnterAttributes(use.attributes, sized)) {
                return true;
            }
            exit(use);
        }
    }

    private Duration left(long deadline) throws CallTimeoutException {
        long nanos = deadline - System.nanoTime();
        if (nanos <= 0) {
            throw new CallTimeoutException("file " + id() + " was not to be had in time");
        }
        return Duration.ofNanos(nanos);
    }

    private long nowNanos() {
        Instant now = clock.instant();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    /** What is dirty is committed before or after; {@link #sync} says whether. */
    @Override
    public void close() {
        files.closed(this);
    }
}
