package spigot.fuse;

/** What a connection can agree on at its start: bits of {@code fuse_init_out.flags} and {@code flags2} (fuse.h, "INIT request/reply flags"). */
public final class InitFlags {
    public static final long ASYNC_READ = 1;
    /** fcntl locks come as requests; without it the kernel keeps them on this machine. Needs {@link FileSystem#setlk}. */
    public static final long POSIX_LOCKS = 1 << 1;

    public static final long ATOMIC_O_TRUNC = 1 << 3;
    /** LOOKUP of "." and ".." is answered, for NFS export and open_by_handle_at. */
    public static final long EXPORT_SUPPORT = 1 << 4;

    public static final long BIG_WRITES = 1 << 5;
    /** The file system applies the umask itself. */
    public static final long DONT_MASK = 1 << 6;
    /** flock locks come as requests. Needs {@link FileSystem#setlk}. */
    public static final long FLOCK_LOCKS = 1 << 10;

    public static final long DO_READDIRPLUS = 1 << 13;
    public static final long READDIRPLUS_AUTO = 1 << 14;
    public static final long ASYNC_DIO = 1 << 15;
    public static final long PARALLEL_DIROPS = 1 << 18;
    public static final long POSIX_ACL = 1 << 20;
    public static final long ABORT_ERROR = 1 << 21;
    public static final long MAX_PAGES = 1 << 22;
    public static final long CACHE_SYMLINKS = 1 << 23;
    public static final long EXPLICIT_INVAL_DATA = 1 << 25;
    /** The file system drops set-user-id bits at writes, truncation and chown as the request says. */
    public static final long HANDLE_KILLPRIV_V2 = 1 << 28;

    public static final long SETXATTR_EXT = 1 << 29;
    public static final long INIT_EXT = 1 << 30;
    public static final long HAS_EXPIRE_ONLY = 1L << 35;
    public static final long DIRECT_IO_ALLOW_MMAP = 1L << 36;

    /**
     * What suits any file system: parallel and large requests, pages that only {@link Notifier} or an open drops, READDIRPLUS, mmap on direct handles,
     * ECONNABORTED for an aborted connection.
     */
    public static final long STANDARD = ASYNC_READ
            | ATOMIC_O_TRUNC
            | BIG_WRITES
            | DO_READDIRPLUS
            | READDIRPLUS_AUTO
            | ASYNC_DIO
            | PARALLEL_DIROPS
            | ABORT_ERROR
            | MAX_PAGES
            | CACHE_SYMLINKS
            | EXPLICIT_INVAL_DATA
            | SETXATTR_EXT
            | INIT_EXT
            | HAS_EXPIRE_ONLY
            | DIRECT_IO_ALLOW_MMAP;

    private InitFlags() {}
}
