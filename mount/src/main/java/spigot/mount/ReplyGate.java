package spigot.mount;

import java.util.concurrent.locks.StampedLock;
import spigot.model.FileId;

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

    /** @param object the directory or the file that the lease is for; only one at a time, as they share locks */
    long enter(FileId object) {
        return stripe(object).readLock();
    }

    void leave(FileId object, long stamp) {
        stripe(object).unlockRead(stamp);
    }

    /** Returns when everybody who was inside for that object has left; does not keep anybody from entering again. */
    void await(FileId object) {
        StampedLock lock = stripe(object);
        lock.unlockWrite(lock.writeLock());
    }

    private StampedLock stripe(FileId object) {
        return stripes[(int) (object.high() ^ object.low()) & (STRIPES - 1)];
    }
}
