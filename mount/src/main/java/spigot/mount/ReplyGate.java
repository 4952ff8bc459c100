package spigot.mount;

import java.util.concurrent.locks.StampedLock;

/**
 * Makes "look whether a lease is held, and answer the kernel" one step as seen by a recall. Whoever answers with something
 * that the kernel may keep holds {@link #enter}; a recall, which has ended the lease before, calls {@link #await}: when that
 * returns, each answer that was given under the lease has been written, so that an invalidation comes behind it.
 *
 * <p>Safe for any thread, striped by object. Nothing that can block, on the network, the disk or a kernel notification, may
 * be done between enter and leave; the write to /dev/fuse does not block.
 */
final class ReplyGate {
    private static final int STRIPES = 64;

    private final StampedLock[] stripes = new StampedLock[STRIPES];

    ReplyGate() {
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new StampedLock();
        }
    }

    /** @param key the node id of the directory, or of the file */
    long enter(long key) {
        return stripe(key).readLock();
    }

    void leave(long key, long stamp) {
        stripe(key).unlockRead(stamp);
    }

    /** Returns when everybody who was inside for that key has left; does not keep anybody from entering again. */
    void await(long key) {
        StampedLock lock = stripe(key);
        lock.unlockWrite(lock.writeLock());
    }

    private StampedLock stripe(long key) {
        return stripes[(int) key & (STRIPES - 1)];
    }
}
