package spigot.linux;

/**
 * What differs between the processors: numbers of system calls that glibc has no function for, and open flags
 * (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h, arch/arm64/include/uapi/asm/fcntl.h).
 */
public final class Machine {
    private static final boolean ARM = switch (System.getProperty("os.arch")) {
        case "aarch64" -> true;
        case "amd64", "x86_64" -> false;
        default ->
            throw new UnsupportedOperationException(
                    "processor " + System.getProperty("os.arch") + ": only x86_64 and aarch64 are supported");
    };

    public static final long SYS_GETDENTS64 = ARM ? 61 : 217;
    public static final long SYS_STATX = ARM ? 291 : 332;
    public static final long SYS_OPENAT2 = 437;
    public static final long SYS_FSOPEN = 430;
    public static final long SYS_FSCONFIG = 431;
    public static final long SYS_FSMOUNT = 432;
    public static final long SYS_FALLOCATE = ARM ? 47 : 285;
    public static final long SYS_FTRUNCATE = ARM ? 46 : 77;
    public static final long SYS_FSYNC = ARM ? 82 : 74;
    public static final long SYS_FDATASYNC = ARM ? 83 : 75;
    public static final long SYS_PIDFD_OPEN = 434;
    public static final long SYS_CACHESTAT = 451;
    public static final long SYS_GETTID = ARM ? 178 : 186;
    static final long SYS_SETSID = ARM ? 157 : 112;
    public static final long SYS_NAME_TO_HANDLE_AT = ARM ? 264 : 303;
    public static final long SYS_OPEN_BY_HANDLE_AT = ARM ? 265 : 304;

    static final long SYS_DUP3 = ARM ? 24 : 292;
    static final long SYS_CHDIR = ARM ? 49 : 80;
    static final long SYS_EXECVE = ARM ? 221 : 59;
    static final long SYS_MKDIRAT = ARM ? 34 : 258;
    static final long SYS_MKNODAT = ARM ? 33 : 259;
    static final long SYS_FCHOWNAT = ARM ? 54 : 260;
    static final long SYS_UNLINKAT = ARM ? 35 : 263;
    static final long SYS_LINKAT = ARM ? 37 : 265;
    static final long SYS_SYMLINKAT = ARM ? 36 : 266;
    static final long SYS_FCHMODAT = ARM ? 53 : 268;
    static final long SYS_UTIMENSAT = ARM ? 88 : 280;
    static final long SYS_RENAMEAT2 = ARM ? 276 : 316;
    static final long SYS_TRUNCATE = ARM ? 45 : 76;
    static final long SYS_SETXATTR = ARM ? 5 : 188;
    static final long SYS_REMOVEXATTR = ARM ? 14 : 197;

    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_ACCMODE = 3;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_NOCTTY = 0x100;
    public static final int O_TRUNC = 0x200;
    public static final int O_APPEND = 0x400;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_DSYNC = 0x1000;
    public static final int O_DIRECT = ARM ? 0x10000 : 0x4000;
    public static final int O_DIRECTORY = ARM ? 0x4000 : 0x10000;
    public static final int O_NOFOLLOW = ARM ? 0x8000 : 0x20000;
    public static final int O_NOATIME = 0x40000;
    public static final int O_CLOEXEC = 0x80000;
    public static final int O_SYNC = 0x101000;
    public static final int O_PATH = 0x200000;
    public static final int O_TMPFILE = 0x400000 | O_DIRECTORY;

    /** Stands for the working directory in the {@code *at} calls. */
    public static final int AT_FDCWD = -100;

    private Machine() {}
}
