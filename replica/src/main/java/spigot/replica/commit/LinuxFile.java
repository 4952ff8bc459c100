package spigot.replica.commit;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import spigot.linux.Descriptor;
import spigot.linux.Errno;
import spigot.linux.FileSettings;
import spigot.linux.FileStatus;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.model.Fingerprint;

/**
 * A file by its descriptor. System calls without {@code FileChannel}, which an interrupt of any thread that uses it would close.
 * Safe for any thread; whoever closes it makes sure that nobody uses it any more.
 */
public final class LinuxFile implements StoredFile {
    private static final int PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01;
    private static final int ZEROS_BYTES = 64 << 10;
    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(ZEROS_BYTES).asReadOnlyBuffer();

    private final Descriptor descriptor;
    private final String name;

    /** @param descriptor closed with this */
    public LinuxFile(Descriptor descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void write(ByteBuffer from, long position) throws IOException {
        long address = address(from);
        long at = position - from.position();
        while (from.hasRemaining()) {
            long count =
                    Libc.pwrite(descriptor.number(), address + from.position(), from.remaining(), at + from.position());
            if (count > 0) {
                from.position(from.position() + (int) count);
            } else if (count != -Errno.EINTR) {
                throw failure("write to", count == 0 ? -Errno.EIO : count);
            }
        }
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        long address = address(into);
        int begin = into.position();
        while (into.hasRemaining()) {
            long count = Libc.pread(
                    descriptor.number(),
                    address + into.position(),
                    into.remaining(),
                    position + into.position() - begin);
            if (count == 0) {
                break;
            } else if (count > 0) {
                into.position(into.position() + (int) count);
            } else if (count != -Errno.EINTR) {
                throw failure("read", count);
            }
        }
        return into.position() - begin;
    }

    /** Of the buffer's first byte, whatever its position is. */
    private static long address(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("needs a direct buffer");
        }
        return MemorySegment.ofBuffer(buffer).address() - buffer.position();
    }

    @Override
    public long size() throws IOException {
        return Statx.of(descriptor.number()).size();
    }

    @Override
    public void setSize(long bytes) throws IOException {
        check("change the size of", Libc.syscall(Machine.SYS_FTRUNCATE, descriptor.number(), bytes, 0, 0, 0, 0));
    }

    @Override
    public void punch(long offset, long bytes) throws IOException {
        long result =
                Libc.syscall(Machine.SYS_FALLOCATE, descriptor.number(), PUNCH_HOLE_KEEP_SIZE, offset, bytes, 0, 0);
        if (result == -Errno.EOPNOTSUPP) {
            writeZeros(offset, Math.min(bytes, size() - offset));
        } else {
            check("punch a hole into", result);
        }
    }

    private void writeZeros(long offset, long bytes) throws IOException {
        for (long done = 0; done < bytes; done += ZEROS_BYTES) {
            write(ZEROS.duplicate().limit((int) Math.min(ZEROS_BYTES, bytes - done)), offset + done);
        }
    }

    @Override
    public void setModified(long nanos) throws IOException {
        FileSettings.setTimes(descriptor, FileSettings.OMIT, nanos);
    }

    @Override
    public Fingerprint fingerprint() throws IOException {
        FileStatus status = Statx.of(descriptor.number());
        return new Fingerprint(
                status.device(),
                status.inode(),
                status.size(),
                status.modifiedNanos(),
                status.changedNanos(),
                status.bornNanos());
    }

    @Override
    public void syncData() throws IOException {
        // Not even EINTR is tried again: an error may have been reported with it.
        check("fdatasync", Libc.syscall(Machine.SYS_FDATASYNC, descriptor.number(), 0, 0, 0, 0, 0));
    }

    @Override
    public void syncAll() throws IOException {
        check("fsync", Libc.syscall(Machine.SYS_FSYNC, descriptor.number(), 0, 0, 0, 0, 0));
    }

    @Override
    public void close() {
        descriptor.close();
    }

    private void check(String call, long result) throws SystemCallException {
        if (result < 0) {
            throw failure(call, result);
        }
    }

    private SystemCallException failure(String call, long result) {
        return new SystemCallException(call, name, (int) -result);
    }
}
