package spigot.replica;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import spigot.linux.Errno;
import spigot.linux.FileStatus;
import spigot.linux.Libc;
import spigot.linux.SparseFiles;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.transport.BlockChecksums;
import spigot.transport.wire.Blocks;

/**
 * Reads published files, and only what is certainly of the version that is asked for: the file's status is looked at before and
 * after, on the same descriptor. Stateless; blocks, for {@link IoPool} threads.
 */
final class FileReader {
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private final long settleNanos;

    FileReader(java.time.Duration settle) {
        settleNanos = settle.toNanos();
    }

    /**
     * Reads {@code [offset, offset + length)}, less at the end of the file.
     *
     * @param row what the version's content was registered with
     * @param buffer with at least {@code length} bytes of room from 0; afterwards between position and limit is the payload
     * @return null when the file is not what the row says (any more)
     */
    @Nullable
    Blocks read(
            ServedFile file, IndexedFile row, SharedDescriptor descriptor, long offset, int length, ByteBuffer buffer)
            throws SystemCallException {
        FileStatus before = Statx.of(descriptor.number());
        if (!FileChange.between(row, before).isSameContent()) {
            return null;
        }
        int wanted = Math.clamp(row.attributes().size() - offset, 0, length);
        buffer.clear().limit(0);
        if (wanted == 0) {
            return Blocks.newBuilder().setOffset(offset).build();
        }
        boolean unsettled = isUnsettled(before);
        boolean hole = !unsettled && isHole(descriptor, offset, wanted);
        if (!hole) {
            int read = fill(descriptor, offset, wanted, buffer);
            if (read < wanted) {
                return null;
            }
        }
        if (!FileChange.sameContent(before, Statx.of(descriptor.number()))) {
            return null;
        }
        if (hole) {
            return Blocks.newBuilder()
                    .setOffset(offset)
                    .setLength(wanted)
                    .setZero(true)
                    .build();
        }
        Blocks blocks = BlockChecksums.describe(offset, buffer);
        if (unsettled) {
            // Two readers of the same row share its reads; a new row begins with none.
            file.unsettledToAdd()
                    .add(
                            offset,
                            blocks.getZero()
                                    ? com.google.protobuf.ByteString.copyFrom(BlockChecksums.of(buffer))
                                    : blocks.getChecksums());
        }
        if (blocks.getZero()) {
            buffer.limit(0);
        }
        return blocks;
    }

    /** Whether a write that began at its last change may still be going on. */
    boolean isUnsettled(FileStatus status) {
        // Each write moves the change time, which, unlike the modification time, nobody can set.
        long age = System.currentTimeMillis() * NANOS_PER_MILLI - status.changedNanos();
        return Math.abs(age) < settleNanos;
    }

    private static boolean isHole(SharedDescriptor descriptor, long offset, int length) {
        long data = SparseFiles.nextData(descriptor.number(), offset);
        // Any other error: the file system can't tell, so it is read.
        return data == -Errno.ENXIO || data >= offset + length;
    }

    /** @return how much was read, less than wanted only at the end of the file; the buffer's limit is there */
    static int fill(SharedDescriptor descriptor, long offset, int wanted, ByteBuffer buffer)
            throws SystemCallException {
        long address = MemorySegment.ofBuffer(buffer.clear()).address();
        int done = 0;
        while (done < wanted) {
            long read = Libc.pread(descriptor.number(), address + done, wanted - done, offset + done);
            if (read == 0) {
                break;
            }
            if (read < 0 && read != -Errno.EINTR) {
                throw new SystemCallException("read", "a published file at offset " + (offset + done), (int) -read);
            }
            done += (int) Math.max(0, read);
        }
        buffer.limit(done);
        return done;
    }

    /** An answer of lseek for SEEK_DATA or SEEK_HOLE in the file as the row knows it; -ENXIO when there is none. */
    @Nullable
    Long seek(IndexedFile row, SharedDescriptor descriptor, long offset, boolean hole) throws IOException {
        FileStatus before = Statx.of(descriptor.number());
        if (!FileChange.between(row, before).isSameContent()) {
            return null;
        }
        long found = hole
                ? SparseFiles.nextHole(descriptor.number(), offset)
                : SparseFiles.nextData(descriptor.number(), offset);
        if (!FileChange.sameContent(before, Statx.of(descriptor.number()))) {
            return null;
        }
        return found;
    }
}
