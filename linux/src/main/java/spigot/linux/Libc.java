package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Functions of the C library. Pointers are addresses as {@code long}; a call that fails returns {@code -errno} (see {@link Errno}), all others
 * what the function returns. From any thread; a call that blocks holds its carrier if the thread is virtual, but never a safepoint.
 * {@code EINTR} is returned, not retried, except where said.
 */
public final class Libc {
    private static final ThreadLocal<MemorySegment> STATE =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(Downcall.STATE_LAYOUT));

    private static final MethodHandle READ = Downcall.of("read", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle WRITE = Downcall.of("write", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle WRITEV = Downcall.of("writev", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle PREAD =
            Downcall.of("pread", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle PWRITE =
            Downcall.of("pwrite", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle OPENAT =
            Downcall.variadic("openat", 3, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = Downcall.of("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle FCNTL = Downcall.variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle IOCTL = Downcall.variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SYSCALL = Downcall.variadic(
            "syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle POLL = Downcall.of("poll", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MMAP =
            Downcall.of("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle MUNMAP = Downcall.of("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);

    private Libc() {}

    /** This thread's place for errno: the first argument of every {@link Downcall}. */
    static MemorySegment state() {
        return STATE.get();
    }

    public static long read(int descriptor, long buffer, long bytes) {
        MemorySegment state = STATE.get();
        try {
            return result((long) READ.invokeExact(state, descriptor, buffer, bytes), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static long write(int descriptor, long buffer, long bytes) {
        MemorySegment state = STATE.get();
        try {
            return result((long) WRITE.invokeExact(state, descriptor, buffer, bytes), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** @param vectors the address of {@code count} pairs (address, length) of 8 bytes each */
    public static long writev(int descriptor, long vectors, int count) {
        MemorySegment state = STATE.get();
        try {
            return result((long) WRITEV.invokeExact(state, descriptor, vectors, count), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static long pread(int descriptor, long buffer, long bytes, long offset) {
        MemorySegment state = STATE.get();
        try {
            return result((long) PREAD.invokeExact(state, descriptor, buffer, bytes, offset), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static long pwrite(int descriptor, long buffer, long bytes, long offset) {
        MemorySegment state = STATE.get();
        try {
            return result((long) PWRITE.invokeExact(state, descriptor, buffer, bytes, offset), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** @param path the address of a C string; add {@link Machine#O_CLOEXEC} to the flags */
    public static int openat(int directory, long path, int flags, int mode) {
        MemorySegment state = STATE.get();
        try {
            return result((int) OPENAT.invokeExact(state, directory, path, flags, mode), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** Opens a path; {@code O_CLOEXEC} is added. */
    public static int open(String path, int flags, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            return openat(Machine.AT_FDCWD, Memory.cString(arena, path), flags | Machine.O_CLOEXEC, mode);
        }
    }

    /** Closes; the descriptor is gone whatever is returned (so never retry). */
    public static int close(int descriptor) {
        MemorySegment state = STATE.get();
        try {
            return result((int) CLOSE.invokeExact(state, descriptor), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static int fcntl(int descriptor, int command, long argument) {
        MemorySegment state = STATE.get();
        try {
            return result((int) FCNTL.invokeExact(state, descriptor, command, argument), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static int ioctl(int descriptor, long request, long argument) {
        MemorySegment state = STATE.get();
        try {
            return result((int) IOCTL.invokeExact(state, descriptor, request, argument), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** Any system call by its number ({@code Machine.SYS_*}); unused arguments are 0. */
    public static long syscall(long number, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = STATE.get();
        try {
            return result((long) SYSCALL.invokeExact(state, number, a, b, c, d, e, f), state);
        } catch (Throwable failure) {
            throw Downcall.impossible(failure);
        }
    }

    /** @param descriptors the address of {@code count} structs pollfd of 8 bytes each (int fd, short events, short revents) */
    public static int poll(long descriptors, long count, int timeoutMillis) {
        MemorySegment state = STATE.get();
        try {
            return result((int) POLL.invokeExact(state, descriptors, count, timeoutMillis), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    /** @return the address, or {@code -errno} (-4095..-1) */
    public static long mmap(long address, long bytes, int protection, int flags, int descriptor, long offset) {
        MemorySegment state = STATE.get();
        try {
            return result((long) MMAP.invokeExact(state, address, bytes, protection, flags, descriptor, offset), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    public static int munmap(long address, long bytes) {
        MemorySegment state = STATE.get();
        try {
            return result((int) MUNMAP.invokeExact(state, address, bytes), state);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    private static long result(long value, MemorySegment state) {
        return value == -1 ? -state.get(JAVA_INT, 0) : value;
    }

    private static int result(int value, MemorySegment state) {
        return value == -1 ? -state.get(JAVA_INT, 0) : value;
    }
}
