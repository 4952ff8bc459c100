package spigot.cache.disk;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryReader;
import spigot.linux.Errno;
import spigot.linux.FileStatus;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.SparseFiles;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;

/**
 * Takes stock of a cache directory at start: one statx a file, and for files of more than 4 MiB the pages of the map that are there. What is counted wrong
 * here is only counted wrong.
 */
final class DiskScan {
    private static final ValueLayout.OfInt ENTRY = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    @SuppressWarnings("ArrayRecordComponent") // never compared, and there may be a million
    private record Found(DiskEntry entry, int[] blocks, long usedNanos) {}

    private DiskScan() {}

    static void into(DiskIndex index, Path blocks, BooleanSupplier stop) throws IOException {
        List<Found> found = new ArrayList<>();
        for (int shard = 0; shard < 256 && !stop.getAsBoolean(); shard++) {
            scanShard(blocks.resolve(HexFormat.of().toHexDigits((byte) shard)), found);
        }
        found.sort(Comparator.comparingLong(Found::usedNanos).reversed());
        for (Found file : found) {
            index.found(file.entry, file.blocks);
        }
    }

    private static void scanShard(Path shard, List<Found> found) throws IOException {
        int opened = Libc.open(shard.toString(), Machine.O_RDONLY | Machine.O_DIRECTORY, 0);
        if (opened < 0) {
            throw new SystemCallException("open the directory", shard.toString(), -opened);
        }
        try (Descriptor directory = new Descriptor(opened);
                Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(DiskLayout.BLOCK_BYTES, 8);
            for (byte[] name : DirectoryReader.names(directory.number(), shard.toString())) {
                DiskEntry entry = DiskLayout.parse(new String(name, StandardCharsets.ISO_8859_1));
                if (entry == null) {
                    continue; // not ours: let it lie
                }
                FileStatus status = status(directory.number(), name);
                if (status != null && status.isRegular()) {
                    int[] blocks = entry.isSmall() ? occupied(status) : count(shard, name, entry.size, page);
                    found.add(new Found(entry, blocks, status.modifiedNanos()));
                }
            }
        }
    }

    private static @Nullable FileStatus status(int directory, byte[] name) throws SystemCallException {
        try {
            return Statx.at(directory, name);
        } catch (SystemCallException e) {
            if (e.errno() == Errno.ENOENT) {
                return null;
            }
            throw e;
        }
    }

    private static int[] occupied(FileStatus status) {
        long blocks = status.allocatedBytes() / DiskLayout.BLOCK_BYTES - 1; // without its page of the map
        return new int[] {Math.clamp(blocks, 0, DiskLayout.EXTENT_BLOCKS)};
    }

    private static int[] count(Path shard, byte[] name, long size, MemorySegment page) throws SystemCallException {
        int[] blocks = new int[DiskLayout.extents(size)];
        String path =
                shard.resolve(new String(name, StandardCharsets.ISO_8859_1)).toString();
        int opened = Libc.open(path, Machine.O_RDONLY | Machine.O_NOFOLLOW, 0);
        if (opened < 0) {
            throw new SystemCallException("open the cached file", path, -opened);
        }
        try (Descriptor file = new Descriptor(opened)) {
            long map = DiskLayout.entryOffset(size, 0);
            int e = 0;
            while (e < blocks.length) {
                long data = SparseFiles.nextData(file.number(), map + (long) e * DiskLayout.BLOCK_BYTES);
                if (data < 0) {
                    break; // ENXIO: no more; after any other error it counts as empty
                }
                e = (int) ((data - map) / DiskLayout.BLOCK_BYTES);
                long got = Libc.pread(
                        file.number(), page.address(), DiskLayout.BLOCK_BYTES, map + (long) e * DiskLayout.BLOCK_BYTES);
                for (long at = 0; at + DiskLayout.ENTRY_BYTES <= got; at += DiskLayout.ENTRY_BYTES) {
                    int entry = page.get(ENTRY, at);
                    if (DiskLayout.isPresent(entry) && entry != BlockChecks.ENTRY_OF_ZEROS) {
                        blocks[e]++;
                    }
                }
                e++;
            }
            return blocks;
        }
    }
}
