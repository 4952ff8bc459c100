package spigot.cache.live;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.cache.live.BlockTable.Block;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.session.TokenUse;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.TokenChange;

/**
 * What a node has of one file that is written: blocks, and size and times, each with a version in which it was so. Which of them may be used say
 * the tokens of the caller; this class does not ask for any. Safe for any thread; one lock, held over calls to the local disk.
 * As large as what is dirty, and {@link LiveLimits#cleanBlocks}.
 */
final class LiveContent {
    /** Some of it is not here. */
    static final int MISSING = -1;

    /** Where the file ends has to be known. */
    static final int SIZE_NEEDED = -2;

    /** An earlier write of it has to be settled before. */
    static final int ORPHANED = -3;

    private static final int BLOCK = Range.BLOCK;

    /** Something whose token was lost while it was dirty. @param block -1 for the attributes */
    record Orphan(long block, Version right) {}

    final FileId file;
    private final JournalFile journal;
    private final LiveLimits limits;
    private final AtomicInteger total;
    private final ReentrantLock lock = new ReentrantLock();
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment padding = arena.allocate(BLOCK, 8);

    @GuardedBy("lock")
    private final BlockTable blocks = new BlockTable();

    @GuardedBy("lock")
    private Version attributesRight = Version.NONE;

    @GuardedBy("lock")
    private long size;

    @GuardedBy("lock")
    private long modifiedNanos;

    @GuardedBy("lock")
    private long changedNanos;

    /** A state of {@link JournalLayout}. */
    @GuardedBy("lock")
    private int attributesState = JournalLayout.CLEAN;

    @GuardedBy("lock")
    private boolean attributesOrphan;

    @GuardedBy("lock")
    private long attributesWritten;

    @GuardedBy("lock")
    private int dirtyBlocks;

    @GuardedBy("lock")
    private int orphans;

    /** @param total counts the dirty blocks of all files */
    LiveContent(FileId file, JournalFile journal, LiveLimits limits, AtomicInteger total) {
        this.file = file;
        this.total = total;
        this.journal = journal;
        this.limits = limits;
    }

    /** Takes over what an earlier process has left: all of it is orphaned. @return whether the bytes can be trusted */
    boolean recover(String boot) throws IOException {
        List<Block> found = new ArrayList<>();
        List<JournalFile.FoundAttributes> attributes = new ArrayList<>();
        boolean whole = journal.recover(boot, found::add, attributes::add);
        lock.lock();
        try {
            for (Block left : found) {
                Block block = blocks.make(left.number);
                block.valid = left.valid;
                block.right = left.right;
                block.dirty = true;
                block.orphan = true;
                dirtyBlocks++;
                total.incrementAndGet();
                orphans++;
            }
            for (JournalFile.FoundAttributes left : attributes) {
                size = left.size();
                attributesRight = left.right();
                attributesState = left.state();
                attributesOrphan = true;
                orphans++;
            }
        } finally {
            lock.unlock();
        }
        return whole;
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    /**
     * Reads under tokens that are in service. Allocates nothing.
     *
     * @param attributes has the attributes in service, or nothing: then only bytes of which it is known that they are within the file
     *     are read
     * @return how many bytes, less than asked for at the end of the file; or one of {@link #MISSING}, {@link #SIZE_NEEDED},
     *     {@link #ORPHANED}
     */
    int read(long offset, MemorySegment into, TokenUse data, TokenUse attributes) throws IOException {
        lock.lock();
        try {
            long end = offset + into.byteSize();
            boolean sized = !attributes.isEmpty();
            if (sized) {
                if (attributesOrphan) {
                    return ORPHANED;
                }
                if (!attributesUsable(attributes)) {
                    return MISSING;
                }
                end = Math.min(end, size);
            }
            for (long start = offset - offset % BLOCK; start < end; start += BLOCK) {
                Block block = blocks.get(start / BLOCK);
                if (block == null || !usable(block, data)) {
                    return block != null && block.orphan ? ORPHANED : MISSING;
                }
                if (!sized && block.valid < Math.min(BLOCK, end - start)) {
                    return SIZE_NEEDED;
                }
            }
            if (end <= offset) {
                return 0;
            }
            journal.read(offset, end - offset == into.byteSize() ? into : into.asSlice(0, end - offset));
            return (int) (end - offset);
        } finally {
            lock.unlock();
        }
    }

    private static boolean usable(Block block, TokenUse data) {
        return !block.orphan && (block.dirty || block.right.compareTo(data.since(block.number * BLOCK)) >= 0);
    }

    @GuardedBy("lock")
    private boolean attributesUsable(TokenUse attributes) {
        return attributesState != JournalLayout.CLEAN || attributesRight.compareTo(attributes.since(Range.LIMIT)) >= 0;
    }

    /** Whether size and times can be used under the token that is in service. */
    boolean knowsAttributes(TokenUse attributes) {
        lock.lock();
        try {
            return !attributesOrphan && attributesUsable(attributes);
        } finally {
            lock.unlock();
        }
    }

    /** The first block of the range that cannot be used under the tokens in service, and is needed; -1: there is none. */
    long missing(Range range, TokenUse data) {
        lock.lock();
        try {
            for (long start = range.from(); start < range.to(); start += BLOCK) {
                Block block = blocks.get(start / BLOCK);
                if (block == null || !usable(block, data)) {
                    return start / BLOCK;
                }
            }
            return -1;
        } finally {
            lock.unlock();
        }
    }

    /** What is known of size and times under an exclusive token; empty when it is not. */
    Optional<Glimpsed> glimpse(Version since) {
        lock.lock();
        try {
            boolean known = attributesState != JournalLayout.CLEAN || attributesRight.compareTo(since) >= 0;
            return known && !attributesOrphan
                    ? Optional.of(new Glimpsed(size, modifiedNanos, changedNanos))
                    : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    Glimpsed attributes() {
        lock.lock();
        try {
            return new Glimpsed(size, modifiedNanos, changedNanos);
        } finally {
            lock.unlock();
        }
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    /** Whether all of these bytes are known to be within the file, under the tokens in service. */
    boolean within(long offset, long length, TokenUse data) {
        lock.lock();
        try {
            long end = offset + length;
            for (long start = offset - offset % BLOCK; start < end; start += BLOCK) {
                Block block = blocks.get(start / BLOCK);
                if (block == null || !usable(block, data) || block.valid < Math.min(BLOCK, end - start)) {
                    return false;
                }
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes under exclusive tokens that are in service: of the data, and of the attributes when it makes the file longer. In the journal when it
     * returns. Blocks that are not written as a whole are here, or behind the end.
     *
     * @param known whether the attributes are in service: the size is right
     * @return whether the file has become longer
     */
    boolean write(long offset, MemorySegment from, TokenUse data, boolean known, long nowNanos) throws IOException {
        lock.lock();
        try {
            long end = offset + from.byteSize();
            for (long start = offset - offset % BLOCK; start < end; start += BLOCK) {
                Block block = blocks.make(start / BLOCK);
                Version since = data.since(start);
                if (!block.orphan && !usable(block, data)) {
                    // Whole, or behind the end: what the file has here from before is not of this version.
                    block.valid = known ? (int) Math.clamp(size - start, 0, BLOCK) : BLOCK;
                    if (start < offset || end < start + BLOCK) {
                        padding.fill((byte) 0);
                        journal.write(start, padding);
                    }
                }
                long first = Math.max(offset, start);
                long last = Math.min(end, start + BLOCK);
                journal.write(first, from.asSlice(first - offset, last - first));
                int valid = Math.max(block.valid, (int) (last - start));
                if (!block.dirty || block.valid != valid || block.right.compareTo(since) < 0) {
                    block.valid = valid;
                    block.right = since.compareTo(block.right) > 0 ? since : block.right;
                    journal.dirty(block);
                }
                if (!block.dirty) {
                    block.dirty = true;
                    dirtyBlocks++;
                    total.incrementAndGet();
                }
                block.written++;
            }
            modifiedNanos = nowNanos;
            changedNanos = nowNanos;
            if (!known || end <= size) {
                return false;
            }
            size = end;
            dirtyAttributes(JournalLayout.DIRTY);
            return true;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void dirtyAttributes(int state) throws IOException {
        attributesState = Math.max(attributesState, state);
        attributesWritten++;
        journal.attributes(attributesState, size, attributesRight);
    }

    /**
     * Sets the size, under the exclusive tokens of the attributes and of all data from the block on in which the shorter file ends.
     */
    void resize(long to, long nowNanos) throws IOException {
        lock.lock();
        try {
            long from = size;
            size = to;
            modifiedNanos = nowNanos;
            changedNanos = nowNanos;
            dirtyAttributes(JournalLayout.DIRTY_EXACT);
            if (to < from) {
                forget(to);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Whether a change of the size by itself waits to be committed: nothing else may be under way with it. */
    boolean sizePending() {
        lock.lock();
        try {
            return attributesState == JournalLayout.DIRTY_EXACT;
        } finally {
            lock.unlock();
        }
    }

    /** All from the block on that has this byte. */
    @GuardedBy("lock")
    private void forget(long offset) throws IOException {
        long from = offset - offset % BLOCK;
        if (from >= Range.LIMIT) {
            return;
        }
        for (Block block : blocks.in(new Range(from, Range.LIMIT))) {
            cleaned(block);
        }
        blocks.removeIf(block -> block.number * BLOCK >= from);
    }

    @GuardedBy("lock")
    private void cleaned(Block block) throws IOException {
        if (block.dirty) {
            block.dirty = false;
            dirtyBlocks--;
            total.decrementAndGet();
            journal.clean(block.number);
        }
        if (block.orphan) {
            block.orphan = false;
            orphans--;
        }
    }

    int dirtyBlocks() {
        lock.lock();
        try {
            return dirtyBlocks;
        } finally {
            lock.unlock();
        }
    }

    /** Whether nothing would be lost without it. */
    boolean isClean() {
        lock.lock();
        try {
            return dirtyBlocks == 0 && attributesState == JournalLayout.CLEAN;
        } finally {
            lock.unlock();
        }
    }

    // ---- flushing ---------------------------------------------------------------------------------------------------

    /** What a flush takes along. */
    final class Taken {
        final TokenChange change;
        private final List<Block> taken;
        private final long[] written;
        private final long attributes;

        Taken(TokenChange change, List<Block> taken, long attributes) {
            this.change = change;
            this.taken = taken;
            this.written = taken.stream().mapToLong(block -> block.written).toArray();
            this.attributes = attributes;
        }

        /** In this version they are so. */
        void committed(Version version) throws IOException {
            lock.lock();
            try {
                for (int i = 0; i < written.length; i++) {
                    Block block = taken.get(i);
                    if (!block.dirty) {
                        continue;
                    }
                    block.right = version.compareTo(block.right) > 0 ? version : block.right;
                    if (block.written == written[i]) {
                        cleaned(block);
                    } else {
                        // Written again: what a later process finds is newer than this version.
                        journal.dirty(block);
                    }
                }
                if (change.hasAttributes() && attributes == attributesWritten) {
                    attributesRight = version.compareTo(attributesRight) > 0 ? version : attributesRight;
                    cleanAttributes();
                    if (change.getExactSize()) {
                        // What was read of it meanwhile may be of before.
                        forget(change.getAttributes().getSize());
                    }
                }
            } finally {
                lock.unlock();
            }
        }

        /**
         * They can't be committed.
         *
         * @throws IOException when they could not be kept apart: they are dirty as before
         */
        void abandon(LostAndFound lost) throws IOException {
            lost.keep(file, change);
            lock.lock();
            try {
                for (int i = 0; i < written.length; i++) {
                    Block block = taken.get(i);
                    if (block.written == written[i]) {
                        cleaned(block);
                        blocks.removeIf(other -> other == block);
                    }
                }
                if (change.hasAttributes() && attributes == attributesWritten) {
                    attributesRight = Version.NONE;
                    cleanAttributes();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    @GuardedBy("lock")
    private void cleanAttributes() throws IOException {
        attributesState = JournalLayout.CLEAN;
        if (attributesOrphan) {
            attributesOrphan = false;
            orphans--;
        }
        journal.attributes(JournalLayout.CLEAN, 0, Version.NONE);
    }

    Taken take(Range range) throws IOException {
        lock.lock();
        try {
            TokenChange.Builder change = TokenChange.newBuilder().setModifiedNanos(modifiedNanos);
            if (range.attributes()) {
                change.setAttributes(LiveAttributes.newBuilder()
                                .setSize(size)
                                .setModifiedNanos(modifiedNanos)
                                .setChangedNanos(changedNanos))
                        .setExactSize(attributesState == JournalLayout.DIRTY_EXACT);
                return new Taken(change.build(), List.of(), attributesWritten);
            }
            // Clean ones as well: all of the range was written under a token that is still held, and is as written.
            List<Block> taken = new ArrayList<>();
            blocks.forEach(range, block -> {
                if (!block.orphan && block.valid > 0) {
                    taken.add(block);
                }
            });
            taken.sort((a, b) -> Long.compare(a.number, b.number));
            for (int i = 0; i < taken.size(); ) {
                int next = i + 1;
                while (next < taken.size() && taken.get(next).number == taken.get(next - 1).number + 1) {
                    next++;
                }
                long start = taken.get(i).number * BLOCK;
                Block last = taken.get(next - 1);
                change.addPieces(TokenChange.Piece.newBuilder()
                        .setOffset(start)
                        .setData(bytes(start, last.number * BLOCK + last.valid)));
                i = next;
            }
            return new Taken(change.build(), taken, 0);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private ByteString bytes(long from, long to) throws IOException {
        try (Arena copy = Arena.ofConfined()) {
            MemorySegment memory = copy.allocate(to - from, 8);
            journal.read(from, memory);
            return ByteString.copyFrom(memory.asByteBuffer());
        }
    }

    // ---- what the home says -----------------------------------------------------------------------------------------

    void received(Version version, LiveAttributes attributes, long offset, ByteBuffer bytes) throws IOException {
        lock.lock();
        try {
            if (attributesState == JournalLayout.CLEAN && version.compareTo(attributesRight) >= 0) {
                attributesRight = version;
                size = attributes.getSize();
                modifiedNanos = attributes.getModifiedNanos();
                changedNanos = attributes.getChangedNanos();
            }
            store(version, offset, bytes);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void store(Version version, long offset, ByteBuffer bytes) throws IOException {
        if (blocks.size() >= limits.cleanBlocks()) {
            blocks.removeIf(block -> !block.dirty);
        }
        MemorySegment from = offHeap(bytes);
        for (long start = offset; start < offset + from.byteSize(); start += BLOCK) {
            int length = (int) Math.min(BLOCK, offset + from.byteSize() - start);
            Block block = blocks.make(start / BLOCK);
            if (block.dirty || version.compareTo(block.right) < 0) {
                continue;
            }
            padding.fill((byte) 0);
            MemorySegment.copy(from, start - offset, padding, 0, length);
            journal.write(start, padding);
            block.right = version;
            block.valid = length;
        }
    }

    private MemorySegment offHeap(ByteBuffer bytes) {
        if (bytes.isDirect()) {
            return MemorySegment.ofBuffer(bytes);
        }
        MemorySegment copy = Arena.ofAuto().allocate(Math.max(1, bytes.remaining()), 8);
        MemorySegment.copy(MemorySegment.ofBuffer(bytes), 0, copy, 0, bytes.remaining());
        return copy.asSlice(0, bytes.remaining());
    }

    /** Blocks that the home says to be behind the end of the file in this version: zeros, of which none is within. */
    void behindEnd(Version version, Range range) throws IOException {
        lock.lock();
        try {
            for (long start = range.from(); start < range.to(); start += BLOCK) {
                Block block = blocks.make(start / BLOCK);
                if (!block.dirty && version.compareTo(block.right) >= 0) {
                    padding.fill((byte) 0);
                    journal.write(start, padding);
                    block.right = version;
                    block.valid = 0;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    Version cachedSince(Range range) {
        lock.lock();
        try {
            Version[] oldest = {Version.NONE};
            if (range.attributes()) {
                return attributesState == JournalLayout.CLEAN ? attributesRight : Version.NONE;
            }
            blocks.forEach(range, block -> {
                if (!block.dirty && (oldest[0].equals(Version.NONE) || block.right.compareTo(oldest[0]) < 0)) {
                    oldest[0] = block.right;
                }
            });
            return oldest[0];
        } finally {
            lock.unlock();
        }
    }

    void unchanged(Range range, Version since, Version version, Changes changes) {
        lock.lock();
        try {
            if (range.attributes()) {
                // Commits of data make a file longer without being changes of the attributes.
                return;
            }
            blocks.forEach(range, block -> {
                if (!block.dirty
                        && block.right.compareTo(since) >= 0
                        && block.right.compareTo(version) < 0
                        && changes.spare(block.range())) {
                    block.right = version;
                }
            });
        } finally {
            lock.unlock();
        }
    }

    // ---- after a lost token -----------------------------------------------------------------------------------------

    void orphaned(Range range, Version version) {
        lock.lock();
        try {
            if (range.attributes()) {
                if (attributesState != JournalLayout.CLEAN && !attributesOrphan) {
                    attributesOrphan = true;
                    attributesRight = version;
                    orphans++;
                }
                return;
            }
            for (Block block : blocks.in(range)) {
                if (block.dirty && !block.orphan) {
                    block.orphan = true;
                    block.right = version;
                    orphans++;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    boolean hasOrphans() {
        lock.lock();
        try {
            return orphans > 0;
        } finally {
            lock.unlock();
        }
    }

    /** The first one, in the order of the data, the attributes after them; null when there is none. */
    @Nullable
    Orphan orphan() {
        Orphan data = orphan(Range.WHOLE);
        return data == null ? orphan(Range.ATTRIBUTES) : data;
    }

    /** The first one in the range; null when there is none. */
    @Nullable
    Orphan orphan(Range range) {
        lock.lock();
        try {
            if (range.attributes()) {
                return attributesOrphan ? new Orphan(-1, attributesRight) : null;
            }
            if (orphans == 0) {
                return null;
            }
            long first = Long.MAX_VALUE;
            Version right = Version.NONE;
            for (Block block : orphans(range)) {
                if (block.number < first) {
                    first = block.number;
                    right = block.right;
                }
            }
            return first == Long.MAX_VALUE ? null : new Orphan(first, right);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private List<Block> orphans(Range range) {
        List<Block> found = new ArrayList<>();
        blocks.forEach(range, block -> {
            if (block.orphan) {
                found.add(block);
            }
        });
        return found;
    }

    /** From the first orphan of the range, which has one, to the last. */
    Range orphanRange(Range range) {
        lock.lock();
        try {
            if (range.attributes()) {
                return range;
            }
            long first = Long.MAX_VALUE;
            long last = -1;
            for (Block block : orphans(range)) {
                first = Math.min(first, block.number);
                last = Math.max(last, block.number);
            }
            return last < 0 ? range : new Range(first * BLOCK, (last + 1) * BLOCK);
        } finally {
            lock.unlock();
        }
    }

    /** The oldest version of an orphan in the range. */
    Version oldestOrphan(Range range) {
        lock.lock();
        try {
            if (range.attributes()) {
                return attributesRight;
            }
            Version oldest = null;
            for (Block block : orphans(range)) {
                oldest = oldest == null || block.right.compareTo(oldest) < 0 ? block.right : oldest;
            }
            return oldest == null ? Version.NONE : oldest;
        } finally {
            lock.unlock();
        }
    }

    /** Gives it up: its bytes are kept apart. */
    void lose(Orphan orphan, LostAndFound lost) throws IOException {
        if (orphan.block() < 0) {
            settledAttributes();
            return;
        }
        lock.lock();
        try {
            Block block = blocks.make(orphan.block());
            long start = orphan.block() * BLOCK;
            lost.keep(file, start, bytes(start, start + block.valid).asReadOnlyByteBuffer());
            cleaned(block);
            block.right = Version.NONE;
        } finally {
            lock.unlock();
        }
    }

    /** A write that the home has done itself has made the file at least so long. @return whether it was shorter before */
    boolean longer(long end, long nowNanos) throws IOException {
        lock.lock();
        try {
            modifiedNanos = nowNanos;
            changedNanos = nowNanos;
            if (end <= size) {
                return false;
            }
            size = end;
            dirtyAttributes(JournalLayout.DIRTY);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Nobody has written it meanwhile: it is dirty again, under the token that is in service. */
    void restored(Orphan orphan, Version since) throws IOException {
        lock.lock();
        try {
            if (orphan.block() < 0) {
                attributesRight = since;
                attributesOrphan = false;
                orphans--;
                dirtyAttributes(attributesState);
                return;
            }
            Block block = blocks.make(orphan.block());
            block.right = since;
            block.orphan = false;
            block.written++;
            orphans--;
            journal.dirty(block);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Somebody has written it meanwhile, maybe this node itself before its token was lost.
     *
     * @param now what the home has
     * @return the bytes to be kept apart; empty when the home has them
     */
    ByteString settled(Orphan orphan, Version version, ByteBuffer now) throws IOException {
        lock.lock();
        try {
            Block block = blocks.make(orphan.block());
            long start = orphan.block() * BLOCK;
            ByteString mine = bytes(start, start + block.valid);
            int same = Math.min(now.remaining(), block.valid);
            boolean committed = now.remaining() >= block.valid
                    && mine.equals(ByteString.copyFrom(now.duplicate().limit(now.position() + same)));
            cleaned(block);
            block.right = Version.NONE;
            store(version, start, now);
            return committed ? ByteString.EMPTY : mine;
        } finally {
            lock.unlock();
        }
    }

    /** The size that somebody else has set meanwhile is right. */
    void settledAttributes() throws IOException {
        lock.lock();
        try {
            attributesRight = Version.NONE;
            cleanAttributes();
        } finally {
            lock.unlock();
        }
    }

    void close(boolean delete) throws IOException {
        lock.lock();
        try {
            if (delete) {
                journal.delete();
            } else {
                journal.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
