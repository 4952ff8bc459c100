package spigot.linux;

import java.lang.foreign.Arena;

/**
 * Changes owner, mode, times and size of what a descriptor leads to. It may be opened with O_PATH and may be a symbolic link, which
 * is not followed: the calls go through /proc/self/fd, whose links the kernel resolves to the very inode. From any thread.
 */
public final class FileSettings {
    /** For {@link #setOwner}: leave it as it is. */
    public static final int UNCHANGED = -1;

    /** For {@link #setTimes}: leave it as it is; the time of the call. */
    public static final long OMIT = Long.MIN_VALUE;

    public static final long NOW = Long.MIN_VALUE + 1;

    private static final long UTIME_NOW = (1L << 30) - 1;
    private static final long UTIME_OMIT = (1L << 30) - 2;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final int TIMES_BYTES = 32;

    private FileSettings() {}

    /** chown(2), which takes the bits for set-user-ID and set-group-ID off a file. */
    public static void setOwner(Descriptor file, int uid, int gid) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            long path = Memory.cString(arena, file.procPath());
            check("change the owner of", Libc.syscall(Machine.SYS_FCHOWNAT, Machine.AT_FDCWD, path, uid, gid, 0, 0));
        }
    }

    /** @param mode 07777; EOPNOTSUPP for a symbolic link */
    public static void setMode(Descriptor file, int mode) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            long path = Memory.cString(arena, file.procPath());
            check("change the mode of", Libc.syscall(Machine.SYS_FCHMODAT, Machine.AT_FDCWD, path, mode, 0, 0, 0));
        }
    }

    /** utimensat(2); nanoseconds since 1970, {@link #OMIT} or {@link #NOW}. */
    public static void setTimes(Descriptor file, long accessedNanos, long modifiedNanos) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            long path = Memory.cString(arena, file.procPath());
            long times = Memory.allocate(arena, TIMES_BYTES, 8);
            put(times, accessedNanos);
            put(times + 16, modifiedNanos);
            check("change the times of", Libc.syscall(Machine.SYS_UTIMENSAT, Machine.AT_FDCWD, path, times, 0, 0, 0));
        }
    }

    private static void put(long address, long nanos) {
        if (nanos == OMIT || nanos == NOW) {
            Memory.putLong(address, 0);
            Memory.putLong(address + 8, nanos == OMIT ? UTIME_OMIT : UTIME_NOW);
        } else {
            Memory.putLong(address, Math.floorDiv(nanos, NANOS_PER_SECOND));
            Memory.putLong(address + 8, Math.floorMod(nanos, NANOS_PER_SECOND));
        }
    }

    /** truncate(2): EISDIR for a directory, EINVAL for what has no size. */
    public static void setSize(Descriptor file, long bytes) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            long path = Memory.cString(arena, file.procPath());
            check("change the size of", Libc.syscall(Machine.SYS_TRUNCATE, path, bytes, 0, 0, 0, 0));
        }
    }

    private static void check(String call, long result) throws SystemCallException {
        if (result < 0) {
            throw new SystemCallException(call, "a published file", (int) -result);
        }
    }
}
