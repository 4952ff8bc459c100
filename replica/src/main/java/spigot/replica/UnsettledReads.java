package spigot.replica;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.SystemCallException;
import spigot.model.Fragments;
import spigot.transport.BlockChecksums;

/**
 * The checksums of what was read of a file shortly after its last change. The kernel stamps the time of a write before it
 * copies the data, and readers may see it half done; nothing in the file's status tells. So what was served then is read
 * again when the file has been quiet for a while. Safe for any thread; at most {@link #MAX_BLOCKS} blocks, beyond which the file
 * counts as changed.
 */
final class UnsettledReads {
    /** 64 MiB of the file. */
    static final int MAX_BLOCKS = 16_384;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Long, Integer> checksums = new HashMap<>();
    private boolean unknown;

    /** @param offset of the first block, a multiple of its size */
    void add(long offset, ByteString blockChecksums) {
        ByteBuffer values = blockChecksums.asReadOnlyByteBuffer();
        lock.lock();
        try {
            for (long block = offset / Fragments.BLOCK_BYTES; values.hasRemaining(); block++) {
                add(block, values.getInt());
            }
        } finally {
            lock.unlock();
        }
    }

    private void add(long block, int checksum) {
        Integer before = checksums.get(block);
        if (before != null) {
            unknown |= before != checksum;
        } else if (checksums.size() < MAX_BLOCKS) {
            checksums.put(block, checksum);
        } else {
            unknown = true;
        }
    }

    /**
     * Reads again all that was read.
     *
     * @param size of the file, which has not changed since
     * @return whether it is still what was read, as far as that is known
     */
    boolean stillTrue(int descriptor, long size, ByteBuffer buffer) throws SystemCallException {
        Map<Long, Integer> expected;
        lock.lock();
        try {
            if (unknown) {
                return false;
            }
            expected = new HashMap<>(checksums);
        } finally {
            lock.unlock();
        }
        long address = java.lang.foreign.MemorySegment.ofBuffer(buffer.clear()).address();
        for (Map.Entry<Long, Integer> block : expected.entrySet()) {
            long offset = block.getKey() * Fragments.BLOCK_BYTES;
            int length = (int) Math.min(Fragments.BLOCK_BYTES, size - offset);
            long read = Libc.pread(descriptor, address, length, offset);
            if (read < 0 && read != -Errno.EINTR) {
                throw new SystemCallException("read", "a published file again", (int) -read);
            }
            buffer.clear().limit((int) Math.max(0, read));
            if (read != length || BlockChecksums.checksum(buffer) != block.getValue()) {
                return false;
            }
        }
        return true;
    }
}
