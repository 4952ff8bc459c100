package spigot.fuse;

import java.util.concurrent.locks.StampedLock;
import spigot.linux.Errno;
import spigot.linux.Libc;

/**
 * One descriptor of /dev/fuse. Its own worker reads and writes it freely, as that one ends before {@link #close}; all other threads use the methods that
 * hold the descriptor open meanwhile, so that nothing is ever written to a number that another file got. Open to a test that stands
 * in for the kernel.
 */
class Channel {
    /** No descriptor. */
    static final Channel NONE = new Channel(-1);

    private final int descriptor;
    private final StampedLock use = new StampedLock();
    private boolean closed;

    Channel(int descriptor) {
        this.descriptor = descriptor;
    }

    int descriptor() {
        return descriptor;
    }

    long read(long address, long bytes) {
        return Libc.read(descriptor, address, bytes);
    }

    long write(long address, long bytes) {
        return Libc.write(descriptor, address, bytes);
    }

    long writev(long vectors, int count) {
        return Libc.writev(descriptor, vectors, count);
    }

    /** @return {@code -ENODEV} when the channel is closed */
    long writeFromAnyThread(long address, long bytes) {
        long stamp = use.readLock();
        try {
            return closed ? -Errno.ENODEV : write(address, bytes);
        } finally {
            use.unlockRead(stamp);
        }
    }

    /** @return {@code -ENODEV} when the channel is closed */
    long writevFromAnyThread(long vectors, int count) {
        long stamp = use.readLock();
        try {
            return closed ? -Errno.ENODEV : writev(vectors, count);
        } finally {
            use.unlockRead(stamp);
        }
    }

    /** Waits for writes under way; call it when the connection has ended, so that none of them blocks. */
    void close() {
        long stamp = use.writeLock();
        try {
            if (!closed) {
                closed = true;
                Libc.close(descriptor);
            }
        } finally {
            use.unlockWrite(stamp);
        }
    }
}
