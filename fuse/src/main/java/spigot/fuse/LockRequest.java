package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** GETLK, SETLK or SETLKW: test or set a byte-range lock, or a flock. */
public final class LockRequest extends Request<LockRequest> {
    public static final int READ = 0;
    public static final int WRITE = 1;
    public static final int UNLOCK = 2;

    LockRequest() {}

    public long handle() {
        return longAt(Layout.LK_IN_HANDLE);
    }

    /** Who locks: equal for all descriptors of a process (fcntl) or an open file (flock). */
    public long owner() {
        return longAt(Layout.LK_IN_OWNER);
    }

    /** First byte. */
    public long start() {
        return longAt(Layout.LK_IN_START);
    }

    /** Last byte; {@code Long.MAX_VALUE} is the end of any file. */
    public long end() {
        return longAt(Layout.LK_IN_END);
    }

    /** {@link #READ}, {@link #WRITE} or {@link #UNLOCK}. */
    public int type() {
        return intAt(Layout.LK_IN_TYPE);
    }

    public int lockPid() {
        return intAt(Layout.LK_IN_PID);
    }

    public boolean isFlock() {
        return (intAt(Layout.LK_IN_FLAGS) & 1) != 0;
    }

    /** Whether to wait until the lock is free; then detach, and answer EINTR when interrupted. */
    public boolean waits() {
        return is(Opcode.SETLKW);
    }

    @Override
    boolean endsAtAnySignal() {
        return waits();
    }

    /** To SETLK and SETLKW: the lock is set. */
    public boolean replyDone() {
        return sendStatus();
    }

    /** To GETLK: nothing stands in the way. */
    public boolean replyFree() {
        return replyConflict(0, 0, UNLOCK, 0);
    }

    /** To GETLK: the lock that stands in the way. */
    public boolean replyConflict(long start, long end, int type, int pid) {
        MemorySegment memory = replyBuffer(Layout.LK_OUT_BYTES).memory();
        long at = ReplyBuffer.PAYLOAD;
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.LK_OUT_START, start);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.LK_OUT_END, end);
        memory.set(JAVA_INT_UNALIGNED, at + Layout.LK_OUT_TYPE, type);
        memory.set(JAVA_INT_UNALIGNED, at + Layout.LK_OUT_PID, pid);
        return send(Layout.LK_OUT_BYTES);
    }

    @Override
    LockRequest blank() {
        return new LockRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        if (is(Opcode.GETLK)) {
            fileSystem.getlk(this);
        } else {
            fileSystem.setlk(this);
        }
    }
}
