package spigot.cache.disk;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import spigot.transport.BlockChecksums;

/** Checksums and zeros of single blocks. */
final class BlockChecks {
    /** The map entry of a whole block of zeros: it is recorded, but occupies nothing. */
    static final int ENTRY_OF_ZEROS =
            DiskLayout.entry(BlockChecksums.checksum(ByteBuffer.allocate(DiskLayout.BLOCK_BYTES)));

    private BlockChecks() {}

    /** The map entry for one block. */
    static int entry(CRC32C crc, ByteBuffer data, int start, int length) {
        crc.reset();
        crc.update(data.slice(start, length));
        return DiskLayout.entry((int) crc.getValue());
    }

    static boolean isZero(MemorySegment data, int start, int length) {
        return BlockChecksums.isZero(data.asSlice(start, length));
    }
}
