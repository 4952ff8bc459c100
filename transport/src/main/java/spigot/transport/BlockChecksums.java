package spigot.transport;

import com.google.protobuf.ByteString;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import spigot.model.Fragments;
import spigot.transport.wire.Blocks;

/**
 * CRC-32C (RFC 3720, appendix B.4) of each 4 KiB block of a payload, 4 bytes each, big-endian, in the order of the blocks; the
 * last block may be short. Blocks are counted from the first byte of the payload. Stateless.
 */
public final class BlockChecksums {
    public static final int BYTES_PER_BLOCK = 4;

    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new byte[Fragments.BLOCK_BYTES]).asReadOnly();

    private BlockChecksums() {}

    /** How many blocks so many bytes have, a short last one included. */
    public static int blocks(int lengthBytes) {
        return Math.ceilDiv(lengthBytes, Fragments.BLOCK_BYTES);
    }

    /** The checksum of all that is left in the buffer, which is not changed. */
    public static int checksum(ByteBuffer block) {
        CRC32C crc = new CRC32C();
        crc.update(block.duplicate());
        return (int) crc.getValue();
    }

    public static int checksum(MemorySegment block) {
        return checksum(block.asByteBuffer());
    }

    /** The checksums of the remaining bytes of the buffer, which is not changed. */
    public static byte[] of(ByteBuffer data) {
        ByteBuffer source = data.duplicate();
        int end = source.limit();
        ByteBuffer checksums = ByteBuffer.allocate(blocks(source.remaining()) * BYTES_PER_BLOCK);
        CRC32C crc = new CRC32C();
        while (checksums.hasRemaining()) {
            source.limit(Math.min(end, source.position() + Fragments.BLOCK_BYTES));
            crc.reset();
            crc.update(source);
            checksums.putInt((int) crc.getValue());
        }
        return checksums.array();
    }

    public static byte[] of(MemorySegment data) {
        return of(data.asByteBuffer());
    }

    /**
     * Describes the remaining bytes of the buffer, which is not changed, as file data from {@code offset}. When it says
     * {@code zero}, no payload is to be sent.
     */
    public static Blocks describe(long offset, ByteBuffer data) {
        Blocks.Builder blocks = Blocks.newBuilder().setOffset(offset).setLength(data.remaining());
        if (data.hasRemaining() && isZero(data)) {
            return blocks.setZero(true).build();
        }
        return blocks.setChecksums(ByteString.copyFrom(of(data))).build();
    }

    public static Blocks describe(long offset, MemorySegment data) {
        return describe(offset, data.asByteBuffer());
    }

    /**
     * Compares a payload with its description.
     *
     * @param payload its remaining bytes, all that came; not changed
     * @throws CorruptPayloadException when the length, the number of checksums or one of them does not fit
     */
    public static void verify(Blocks blocks, ByteBuffer payload) throws CorruptPayloadException {
        int length = blocks.getLength();
        int expected = blocks.getZero() ? 0 : length;
        if (length < 0 || payload.remaining() != expected) {
            throw new CorruptPayloadException("the payload for offset " + blocks.getOffset() + " has "
                    + payload.remaining() + " bytes where " + Integer.toUnsignedString(expected) + " are announced");
        }
        if (blocks.getZero()) {
            return;
        }
        ByteString checksums = blocks.getChecksums();
        if (checksums.size() != blocks(length) * BYTES_PER_BLOCK) {
            throw new CorruptPayloadException("the payload for offset " + blocks.getOffset() + " has " + length
                    + " bytes but " + checksums.size() + " bytes of checksums");
        }
        ByteBuffer wanted = checksums.asReadOnlyByteBuffer();
        ByteBuffer source = payload.duplicate();
        int start = source.position();
        int end = source.limit();
        CRC32C crc = new CRC32C();
        while (source.position() < end) {
            int block = source.position();
            source.limit(Math.min(end, block + Fragments.BLOCK_BYTES));
            crc.reset();
            crc.update(source);
            if ((int) crc.getValue() != wanted.getInt()) {
                throw new CorruptPayloadException(
                        "the block at offset " + (blocks.getOffset() + block - start) + " does not have its checksum");
            }
        }
    }

    /** Whether all remaining bytes are zero; true for none. The buffer is not changed. */
    public static boolean isZero(ByteBuffer data) {
        return isZero(MemorySegment.ofBuffer(data));
    }

    public static boolean isZero(MemorySegment data) {
        long size = data.byteSize();
        for (long at = 0; at < size; at += Fragments.BLOCK_BYTES) {
            long length = Math.min(Fragments.BLOCK_BYTES, size - at);
            if (MemorySegment.mismatch(data, at, at + length, ZEROS, 0, length) >= 0) {
                return false;
            }
        }
        return true;
    }
}
