package spigot.cache.disk;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.ByteRange;
import spigot.cache.CacheDirectoryException;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryReader;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.FileVersion;

/**
 * Blocks of files on disk (see {@link DiskLayout} and docs/decisions). Safe for any thread; the methods read and write files and may be slow, but
 * never wait for the network, and an interruption does not disturb them. No lock is held while data are read or written.
 *
 * <p>Data are written before their map entries and nothing is ever synced: a block is believed only when its checksum is right, so after a
 * crash it is either good or fetched again. A disk that is full or broken is no error of a read: one warning, and for a while nothing is
 * written.
 */
public final class DiskCache implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DiskCache.class);
    private static final ValueLayout.OfInt ENTRY = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final long PAUSE_NANOS = 30_000_000_000L;
    private static final MemorySegment ZERO_BLOCK =
            Arena.global().allocate(DiskLayout.BLOCK_BYTES, DiskLayout.BLOCK_BYTES);

    private final DiskDirectory directory;
    private final DiskIndex index = new DiskIndex();
    private final OpenDiskFiles files;
    private final long budgetBytes;

    private final AtomicBoolean warned = new AtomicBoolean();
    private final CountDownLatch stocktaking = new CountDownLatch(1);
    private volatile boolean closed;
    private volatile long pausedUntilNanos;
    private volatile boolean paused;

    private final LongAdder evictions = new LongAdder();
    private final LongAdder corruptBlocks = new LongAdder();

    private DiskCache(DiskDirectory directory, long budgetBytes) {
        this.directory = directory;
        this.budgetBytes = budgetBytes;
        files = new OpenDiskFiles(directory.blocks());
    }

    /**
     * Opens a cache directory. What is in it is served at once, and accounted for a little later.
     *
     * @throws CacheDirectoryException when another process uses it, or it can't be read and written
     */
    public static DiskCache open(Path path, long budgetBytes) throws CacheDirectoryException {
        DiskDirectory directory = DiskDirectory.open(path);
        DiskCache cache = new DiskCache(directory, budgetBytes);
        try {
            directory.readPins().forEach(file -> cache.index.pin(file, true));
        } catch (CacheDirectoryException e) {
            directory.close();
            throw e;
        }
        Thread.ofPlatform().name("cache-stocktaking").daemon().start(cache::takeStock);
        return cache;
    }

    /** Blocks are served before it is known what else there is: nobody waits for this but eviction on demand. */
    private void takeStock() {
        try {
            DiskScan.into(index, directory.blocks(), () -> closed);
            makeRoom(0);
        } catch (IOException e) {
            warn(e);
        } finally {
            stocktaking.countDown();
        }
    }

    /** Waits until all that was in the directory at start is accounted for. */
    void awaitStock() {
        boolean interrupted = false;
        while (true) {
            try {
                stocktaking.await();
                break;
            } catch (InterruptedException _) {
                interrupted = true; // it takes seconds at most
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** While stock is taken, anything may be there. */
    private boolean isUnknown(DiskEntry key) {
        return stocktaking.getCount() == 0 && !index.contains(key);
    }

    // ---- reading

    /**
     * Which blocks the map claims to have; {@link #read} decides.
     *
     * @return one bit for each block from {@code firstBlock}
     */
    public BitSet claimed(FileVersion content, long size, long firstBlock, int blocks) {
        DiskEntry key = new DiskEntry(content, size);
        BitSet claimed = new BitSet(blocks);
        if (blocks == 0 || isUnknown(key)) {
            return claimed;
        }
        try (Arena arena = Arena.ofConfined()) {
            OpenDiskFile file = files.acquire(key, false);
            if (file != null) {
                try {
                    MemorySegment entries = readEntries(file, arena, size, firstBlock, blocks);
                    for (int b = 0; b < blocks; b++) {
                        claimed.set(b, DiskLayout.isPresent(entries.getAtIndex(ENTRY, b)));
                    }
                } finally {
                    files.release(file);
                }
            }
        } catch (IOException e) {
            warn(e);
        }
        return claimed;
    }

    /**
     * Reads blocks that are there and right.
     *
     * @param destination room for all of the blocks (a short last one included); outside the heap
     * @return one bit for each block from {@code firstBlock} that is in the destination now; what the others hold is not defined
     */
    public BitSet read(FileVersion content, long size, long firstBlock, int blocks, MemorySegment destination) {
        DiskEntry key = new DiskEntry(content, size);
        BitSet good = new BitSet(blocks);
        if (isUnknown(key)) {
            return good;
        }
        try (Arena arena = Arena.ofConfined()) {
            OpenDiskFile file = files.acquire(key, false);
            if (file != null) {
                try {
                    readInto(file, arena, firstBlock, blocks, destination, good);
                } finally {
                    files.release(file);
                }
                if (!good.isEmpty()) {
                    index.touch(key, firstBlock, firstBlock + blocks);
                }
            }
        } catch (IOException e) {
            good.clear();
            warn(e);
        }
        return good;
    }

    private void readInto(
            OpenDiskFile file, Arena arena, long firstBlock, int blocks, MemorySegment destination, BitSet good)
            throws IOException {
        long size = file.key.size;
        MemorySegment entries = readEntries(file, arena, size, firstBlock, blocks);
        int got = file.read(firstBlock * DiskLayout.BLOCK_BYTES, destination);
        destination.asSlice(got).fill((byte) 0); // behind the end of the file: a hole
        ByteBuffer data = destination.asByteBuffer();
        CRC32C crc = new CRC32C();
        for (int b = 0; b < blocks; b++) {
            int entry = entries.getAtIndex(ENTRY, b);
            if (!DiskLayout.isPresent(entry)) {
                continue;
            }
            long block = firstBlock + b;
            int length = DiskLayout.blockLength(size, block);
            if (BlockChecks.entry(crc, data, b * DiskLayout.BLOCK_BYTES, length) == entry) {
                good.set(b);
            } else if (index.lost(file.key, block)) {
                clear(file, block, length);
            }
        }
    }

    private static MemorySegment readEntries(OpenDiskFile file, Arena arena, long size, long firstBlock, int blocks)
            throws IOException {
        MemorySegment entries = arena.allocate((long) blocks * DiskLayout.ENTRY_BYTES, 8);
        file.read(DiskLayout.entryOffset(size, firstBlock), entries); // what is not there stays 0: absent
        return entries;
    }

    /** A block is wrong: its data become zeros again, because blocks of zeros are not written. */
    private void clear(OpenDiskFile file, long block, int length) throws IOException {
        corruptBlocks.increment();
        LOG.warn(
                "event=cache_block_corrupt file={} offset={} action=fetch_again",
                DiskLayout.name(file.key.content(), file.key.size),
                block * DiskLayout.BLOCK_BYTES);
        file.write(DiskLayout.entryOffset(file.key.size, block), ZERO_BLOCK.asSlice(0, DiskLayout.ENTRY_BYTES));
        file.write(block * DiskLayout.BLOCK_BYTES, ZERO_BLOCK.asSlice(0, length));
    }

    // ---- writing

    /**
     * Keeps blocks, if there is room.
     *
     * @param firstBlock of the data
     * @param data whole blocks, but for the last one of the file; outside the heap
     */
    public void write(FileVersion content, long size, long firstBlock, MemorySegment data) {
        if (isPaused()) {
            return;
        }
        DiskEntry key = new DiskEntry(content, size);
        long end = firstBlock + DiskLayout.blocks(data.byteSize());
        if (!makeRoom(data.byteSize() + 3L * DiskLayout.BLOCK_BYTES)) {
            return; // all else is pinned
        }
        try {
            for (long block = firstBlock; block < end; ) {
                long next = Math.min(end, (DiskLayout.extent(block) + 1L) * DiskLayout.EXTENT_BLOCKS);
                long from = (block - firstBlock) * DiskLayout.BLOCK_BYTES;
                long to = Math.min(data.byteSize(), (next - firstBlock) * DiskLayout.BLOCK_BYTES);
                writeExtent(key, block, data.asSlice(from, to - from));
                block = next;
            }
            paused = false;
        } catch (IOException e) {
            pause(e);
        }
    }

    private void writeExtent(DiskEntry key, long firstBlock, MemorySegment data) throws IOException {
        DiskExtent extent = index.beginWrite(key, DiskLayout.extent(firstBlock));
        if (extent == null) {
            return;
        }
        int written = 0;
        try (Arena arena = Arena.ofConfined()) {
            OpenDiskFile file = files.acquire(key, true);
            if (file == null) {
                throw new IllegalStateException("a file that is to be created is there");
            }
            try {
                written = writeBlocks(file, arena, firstBlock, data);
            } finally {
                files.release(file);
            }
        } finally {
            index.endWrite(extent, written);
        }
    }

    /** @return how many blocks occupy space */
    private static int writeBlocks(OpenDiskFile file, Arena arena, long firstBlock, MemorySegment data)
            throws IOException {
        int blocks = Math.toIntExact(DiskLayout.blocks(data.byteSize()));
        MemorySegment entries = arena.allocate((long) blocks * DiskLayout.ENTRY_BYTES, 8);
        ByteBuffer view = data.asByteBuffer();
        CRC32C crc = new CRC32C();
        int written = 0;
        int runStart = 0; // of the blocks that are not zero and not written yet
        for (int b = 0; b <= blocks; b++) {
            int start = b * DiskLayout.BLOCK_BYTES;
            boolean zero = true;
            if (b < blocks) {
                int length = (int) Math.min(DiskLayout.BLOCK_BYTES, data.byteSize() - start);
                entries.setAtIndex(ENTRY, b, BlockChecks.entry(crc, view, start, length));
                zero = BlockChecks.isZero(data, start, length);
            }
            if (zero) {
                if (runStart < b) {
                    long from = (long) runStart * DiskLayout.BLOCK_BYTES;
                    long to = Math.min(data.byteSize(), start);
                    file.write(firstBlock * DiskLayout.BLOCK_BYTES + from, data.asSlice(from, to - from));
                    written += b - runStart;
                }
                runStart = b + 1;
            }
        }
        file.write(DiskLayout.entryOffset(file.key.size, firstBlock), entries);
        return written;
    }

    private boolean isPaused() {
        return paused && System.nanoTime() - pausedUntilNanos < 0;
    }

    private void pause(IOException e) {
        pausedUntilNanos = System.nanoTime() + PAUSE_NANOS;
        paused = true;
        warn(e);
    }

    private void warn(IOException e) {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "event=cache_disk_failed directory={} full={} action=continue_in_memory error={}",
                    directory.path(),
                    DiskErrors.isNoSpace(e),
                    String.valueOf(e.getMessage()));
        } else {
            LOG.debug(
                    "event=cache_disk_failed directory={} error={}", directory.path(), String.valueOf(e.getMessage()));
        }
    }

    // ---- eviction

    /** @return whether so many bytes may be written */
    private boolean makeRoom(long bytes) {
        while (index.usedBytes() + bytes > budgetBytes) {
            DiskExtent victim = index.chooseVictim();
            if (victim == null) {
                return false;
            }
            try {
                if (victim.entry.leaving) {
                    files.delete(victim.entry);
                } else {
                    punch(victim);
                }
                index.removed(victim);
                evictions.increment();
            } catch (IOException e) {
                index.notRemoved(victim);
                pause(e);
                return false;
            }
        }
        return true;
    }

    /** The map goes first, so that no reader takes the hole for data. */
    private void punch(DiskExtent extent) throws IOException {
        DiskEntry entry = extent.entry;
        OpenDiskFile file = files.acquire(entry, false);
        if (file == null) {
            return; // somebody removed it
        }
        try {
            long firstBlock = (long) extent.number * DiskLayout.EXTENT_BLOCKS;
            file.punch(DiskLayout.entryOffset(entry.size, firstBlock), DiskLayout.BLOCK_BYTES);
            long start = (long) extent.number * DiskLayout.EXTENT_BYTES;
            long end = DiskLayout.entryOffset(entry.size, 0);
            file.punch(start, Math.min(DiskLayout.EXTENT_BYTES, end - start));
        } finally {
            files.release(file);
        }
    }

    /** Removes all versions of a file, but what is pinned. @return the bytes that it occupied */
    public long evict(FileId file) throws IOException {
        return remove(file, null);
    }

    /** Removes all versions of a file but one. */
    public void removeOthers(FileVersion current) throws IOException {
        remove(current.file(), current);
    }

    private long remove(FileId file, @Nullable FileVersion except) throws IOException {
        awaitStock();
        long bytes = 0;
        for (DiskEntry entry : entries(file)) {
            if ((except == null || !entry.content().equals(except)) && index.beginRemoval(entry)) {
                try {
                    files.delete(entry);
                } catch (IOException e) {
                    index.notRemoved(entry);
                    throw e;
                }
                bytes += index.removed(entry);
            }
        }
        return bytes;
    }

    private List<DiskEntry> entries(FileId file) throws IOException {
        String shard = directory.blocks().resolve(DiskLayout.directory(file)).toString();
        int opened = Libc.open(shard, Machine.O_RDONLY | Machine.O_DIRECTORY, 0);
        if (opened < 0) {
            throw new SystemCallException("open the directory", shard, -opened);
        }
        List<DiskEntry> entries = new ArrayList<>();
        try (Descriptor descriptor = new Descriptor(opened)) {
            for (byte[] name : DirectoryReader.names(descriptor.number(), shard)) {
                DiskEntry entry = DiskLayout.parse(new String(name, StandardCharsets.ISO_8859_1));
                if (entry != null && entry.file().equals(file)) {
                    entries.add(entry);
                }
            }
        }
        return entries;
    }

    /** Pinned files are never evicted; kept in the directory. */
    public void pin(FileId file, boolean pinned) throws IOException {
        index.pin(file, pinned);
        directory.writePins(index.pins());
    }

    public boolean isPinned(FileId file) {
        return index.isPinned(file);
    }

    public Set<FileId> pins() {
        return index.pins();
    }

    // ---- figures

    /** Which parts of one version the map claims to have, in order. */
    public List<ByteRange> ranges(FileVersion content, long size) throws IOException {
        List<ByteRange> ranges = new ArrayList<>();
        DiskEntry key = new DiskEntry(content, size);
        OpenDiskFile file = isUnknown(key) ? null : files.acquire(key, false);
        if (file == null) {
            return ranges;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(DiskLayout.BLOCK_BYTES, 8);
            long map = DiskLayout.entryOffset(size, 0);
            long blocks = DiskLayout.blocks(size);
            long runStart = -1;
            long block = 0;
            while (block < blocks) {
                long data = file.nextData(DiskLayout.entryOffset(size, block));
                if (data < 0) {
                    break;
                }
                long first = (data - map) / DiskLayout.BLOCK_BYTES * DiskLayout.EXTENT_BLOCKS;
                if (first > block && runStart >= 0) {
                    ranges.add(range(runStart, block, size));
                    runStart = -1;
                }
                page.fill((byte) 0);
                file.read(DiskLayout.entryOffset(size, first), page);
                for (block = first; block < Math.min(blocks, first + DiskLayout.EXTENT_BLOCKS); block++) {
                    boolean present = DiskLayout.isPresent(page.getAtIndex(ENTRY, block - first));
                    if (present && runStart < 0) {
                        runStart = block;
                    } else if (!present && runStart >= 0) {
                        ranges.add(range(runStart, block, size));
                        runStart = -1;
                    }
                }
            }
            if (runStart >= 0) {
                ranges.add(range(runStart, Math.min(block, blocks), size));
            }
            return ranges;
        } finally {
            files.release(file);
        }
    }

    private static ByteRange range(long firstBlock, long endBlock, long size) {
        return new ByteRange(firstBlock * DiskLayout.BLOCK_BYTES, Math.min(size, endBlock * DiskLayout.BLOCK_BYTES));
    }

    public long usedBytes() {
        return index.usedBytes();
    }

    public long budgetBytes() {
        return budgetBytes;
    }

    /** Files, versions counted one by one. */
    public int fileCount() {
        return index.files();
    }

    public long evictions() {
        return evictions.sum();
    }

    public long corruptBlocks() {
        return corruptBlocks.sum();
    }

    /** To be called when nobody reads or writes any more. */
    @Override
    public void close() {
        closed = true;
        awaitStock();
        files.close();
        directory.close();
    }
}
