package spigot.cache.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import spigot.linux.Descriptor;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.SparseFiles;
import spigot.linux.SystemCallException;

/** The open file of one {@link DiskEntry}. Given out and taken back by {@link OpenDiskFiles}, whose lock guards the fields. */
final class OpenDiskFile {
    private static final int PUNCH_HOLE_AND_KEEP_SIZE = 0x02 | 0x01;

    final DiskEntry key;
    private final Descriptor descriptor;
    int users = 1;

    /** It has no name any more: closed when the last user leaves. */
    boolean deleted;

    OpenDiskFile(DiskEntry key, Descriptor descriptor) {
        this.key = key;
        this.descriptor = descriptor;
    }

    /** Reads as much as there is. @return how many bytes: less than all only where the file ends */
    int read(long offset, MemorySegment destination) throws IOException {
        long done = 0;
        while (done < destination.byteSize()) {
            long result = Libc.pread(
                    descriptor.number(), destination.address() + done, destination.byteSize() - done, offset + done);
            if (result == 0) {
                break;
            }
            done += checked(result, "read");
        }
        return (int) done;
    }

    void write(long offset, MemorySegment source) throws IOException {
        long done = 0;
        while (done < source.byteSize()) {
            done += checked(
                    Libc.pwrite(descriptor.number(), source.address() + done, source.byteSize() - done, offset + done),
                    "write to");
        }
    }

    /** Gives the space back; the range reads as zeros. */
    void punch(long offset, long length) throws IOException {
        checked(
                Libc.syscall(
                        Machine.SYS_FALLOCATE, descriptor.number(), PUNCH_HOLE_AND_KEEP_SIZE, offset, length, 0, 0),
                "free a part of");
    }

    /** The first offset at or behind this one that is not in a hole; negative when there is none. */
    long nextData(long offset) {
        return SparseFiles.nextData(descriptor.number(), offset);
    }

    private long checked(long result, String call) throws SystemCallException {
        if (result < 0 && result != -Errno.EINTR) {
            throw new SystemCallException(
                    call, "the cached file " + DiskLayout.name(key.content(), key.size), (int) -result);
        }
        return Math.max(0, result);
    }

    void close() {
        descriptor.close();
    }
}
