package spigot.cache.live;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import spigot.cache.live.BlockTable.Block;
import spigot.linux.Descriptor;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.SparseFiles;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.Version;

/**
 * What is kept of one file on disk: its bytes, at their offsets in a sparse file, and the map of what of them is dirty. Not thread-safe;
 * calls block on the disk. What is written is in the kernel before a call returns: it survives this process, not the machine.
 */
final class JournalFile implements AutoCloseable {
    private static final int OWNER_ONLY = 0600;
    private static final int SCAN_BYTES = 64 << 10;

    private final Path dataPath;
    private final Path mapPath;
    private final Descriptor data;
    private final Descriptor map;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment entryMemory = arena.allocate(JournalLayout.HEAD_BYTES, 8);
    private final ByteBuffer entry = entryMemory.asByteBuffer();

    /** Attributes that are dirty. @param state as in {@link JournalLayout} */
    record FoundAttributes(int state, long size, Version right) {}

    private JournalFile(Path dataPath, Path mapPath, Descriptor data, Descriptor map) {
        this.dataPath = dataPath;
        this.mapPath = mapPath;
        this.data = data;
        this.map = map;
    }

    static Path dataPath(Path directory, FileId file) {
        return directory.resolve(file + ".data");
    }

    static Path mapPath(Path directory, FileId file) {
        return directory.resolve(file + ".map");
    }

    /** Opens what is there, or makes it. */
    static JournalFile open(Path directory, FileId file) throws IOException {
        Path dataPath = dataPath(directory, file);
        Path mapPath = mapPath(directory, file);
        Descriptor data = open(dataPath);
        try {
            return new JournalFile(dataPath, mapPath, data, open(mapPath));
        } catch (IOException e) {
            data.close();
            throw e;
        }
    }

    private static Descriptor open(Path path) throws IOException {
        int number = Libc.open(path.toString(), Machine.O_RDWR | Machine.O_CREAT, OWNER_ONLY);
        if (number < 0) {
            throw new SystemCallException("open", "the journal's " + path, -number);
        }
        return new Descriptor(number);
    }

    /** @param boot the machine's boot id */
    void begin(String boot) throws IOException {
        JournalLayout.head(entry, boot);
        writeMap(0);
    }

    /**
     * Finds what an earlier process has left.
     *
     * @return whether all of it is there: not when the machine has started again meanwhile
     * @throws IOException also when it is no map
     */
    boolean recover(String boot, Consumer<Block> blocks, Consumer<FoundAttributes> found) throws IOException {
        readMap(0, JournalLayout.HEAD_BYTES);
        if (!JournalLayout.isHead(entry)) {
            throw new IOException("not a map of the journal: " + mapPath + "; move it away");
        }
        boolean whole = JournalLayout.isOfBoot(entry, boot);
        int attributes = (int) JournalLayout.ATTRIBUTES_AT;
        int state = JournalLayout.state(entry, attributes);
        if (state != JournalLayout.CLEAN) {
            found.accept(new FoundAttributes(
                    state, JournalLayout.value(entry, attributes), JournalLayout.right(entry, attributes)));
        }
        try (Arena scan = Arena.ofConfined()) {
            MemorySegment memory = scan.allocate(SCAN_BYTES, 8);
            long at = SparseFiles.nextData(map.number(), JournalLayout.HEAD_BYTES);
            while (at >= 0) {
                at -= at % JournalLayout.ENTRY_BYTES;
                int length = (int) read(map, mapPath, memory, SCAN_BYTES, at);
                ByteBuffer entries = memory.asByteBuffer().limit(length);
                for (int i = 0; i + JournalLayout.ENTRY_BYTES <= length; i += JournalLayout.ENTRY_BYTES) {
                    if (JournalLayout.state(entries, i) != JournalLayout.CLEAN) {
                        Block block = new Block((at + i - JournalLayout.HEAD_BYTES) / JournalLayout.ENTRY_BYTES);
                        block.valid = JournalLayout.valid(entries, i);
                        block.right = JournalLayout.right(entries, i);
                        blocks.accept(block);
                    }
                }
                at = length < SCAN_BYTES ? -1 : SparseFiles.nextData(map.number(), at + length);
            }
        }
        return whole;
    }

    void dirty(Block block) throws IOException {
        JournalLayout.entry(entry, JournalLayout.DIRTY, block.valid, block.right, 0);
        writeMap(JournalLayout.entryAt(block.number));
    }

    void clean(long block) throws IOException {
        JournalLayout.entry(entry, JournalLayout.CLEAN, 0, Version.NONE, 0);
        writeMap(JournalLayout.entryAt(block));
    }

    void attributes(int state, long size, Version right) throws IOException {
        JournalLayout.entry(entry, state, 0, right, size);
        writeMap(JournalLayout.ATTRIBUTES_AT);
    }

    // ---- bytes ------------------------------------------------------------------------------------------------------

    /** Fills the memory; what was never written reads as zeros. */
    void read(long offset, MemorySegment into) throws IOException {
        long length = into.byteSize();
        long done = read(data, dataPath, into, length, offset);
        if (done < length) {
            into.asSlice(done).fill((byte) 0);
        }
    }

    void write(long offset, MemorySegment from) throws IOException {
        write(data, dataPath, from, from.byteSize(), offset);
    }

    private void writeMap(long at) throws IOException {
        write(map, mapPath, entryMemory, entry.limit(), at);
    }

    private void readMap(long at, int length) throws IOException {
        long done = read(map, mapPath, entryMemory, length, at);
        entryMemory.asSlice(done, length - done).fill((byte) 0);
        entry.clear();
    }

    private static long read(Descriptor from, Path path, MemorySegment into, long length, long offset)
            throws IOException {
        long done = 0;
        while (done < length) {
            long result = Libc.pread(from.number(), into.address() + done, length - done, offset + done);
            if (result == 0) {
                break;
            }
            done += checked(result, "read", path);
        }
        return done;
    }

    private static void write(Descriptor to, Path path, MemorySegment from, long length, long offset)
            throws IOException {
        long done = 0;
        while (done < length) {
            done += checked(
                    Libc.pwrite(to.number(), from.address() + done, length - done, offset + done), "write to", path);
        }
    }

    private static long checked(long result, String call, Path path) throws SystemCallException {
        if (result < 0 && result != -Errno.EINTR) {
            throw new SystemCallException(call, "the journal's " + path, (int) -result);
        }
        return Math.max(0, result);
    }

    /** Nothing of it is needed any more. */
    void delete() throws IOException {
        close();
        Files.deleteIfExists(mapPath);
        Files.deleteIfExists(dataPath);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            data.close();
            map.close();
            arena.close();
        }
    }
}
