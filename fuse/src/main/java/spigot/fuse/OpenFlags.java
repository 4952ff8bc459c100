package spigot.fuse;

/** What the answer to OPEN, OPENDIR or CREATE tells the kernel about a handle ({@code FOPEN_*} of fuse.h). */
public final class OpenFlags {
    /** read and write always come as requests; mmap goes on through the page cache. */
    public static final int DIRECT_IO = 1;
    /** The file's cached pages stay; without it the open drops them, also those mapped by others. */
    public static final int KEEP_CACHE = 1 << 1;

    public static final int NONSEEKABLE = 1 << 2;
    /** The kernel may keep the names of a directory read through this handle. */
    public static final int CACHE_DIR = 1 << 3;

    public static final int STREAM = 1 << 4;
    /** No FLUSH at close. */
    public static final int NOFLUSH = 1 << 5;

    public static final int PARALLEL_DIRECT_WRITES = 1 << 6;

    private OpenFlags() {}
}
