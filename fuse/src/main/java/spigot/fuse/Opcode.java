package spigot.fuse;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The requests of the kernel that are answered by a {@link FileSystem}: {@code enum fuse_opcode} with what a well-formed frame has at least. Those that the
 * library answers by itself (INIT, FORGET, INTERRUPT, ...) are in {@link Control}.
 */
enum Opcode {
    LOOKUP(1, 0, 1, LookupRequest::new),
    GETATTR(3, Layout.GETATTR_IN_BYTES, 0, GetattrRequest::new),
    SETATTR(4, Layout.SETATTR_IN_BYTES, 0, SetattrRequest::new),
    READLINK(5, 0, 0, ReadlinkRequest::new),
    SYMLINK(6, 0, 2, SymlinkRequest::new),
    MKNOD(8, Layout.MKNOD_IN_BYTES, 1, MknodRequest::new),
    MKDIR(9, Layout.MKDIR_IN_BYTES, 1, MkdirRequest::new),
    UNLINK(10, 0, 1, RemoveRequest::new),
    RMDIR(11, 0, 1, RemoveRequest::new),
    RENAME(12, Layout.RENAME_IN_BYTES, 2, RenameRequest::new),
    LINK(13, Layout.LINK_IN_BYTES, 1, LinkRequest::new),
    OPEN(14, Layout.OPEN_IN_BYTES, 0, OpenRequest::new),
    READ(15, Layout.READ_IN_BYTES, 0, ReadRequest::new),
    WRITE(16, Layout.WRITE_IN_BYTES, 0, WriteRequest::new),
    STATFS(17, 0, 0, StatfsRequest::new),
    RELEASE(18, Layout.RELEASE_IN_BYTES, 0, ReleaseRequest::new),
    FSYNC(20, Layout.FSYNC_IN_BYTES, 0, FsyncRequest::new),
    SETXATTR(21, Layout.SETXATTR_IN_COMPAT_BYTES, 1, SetxattrRequest::new),
    GETXATTR(22, Layout.GETXATTR_IN_BYTES, 1, GetxattrRequest::new),
    LISTXATTR(23, Layout.GETXATTR_IN_BYTES, 0, ListxattrRequest::new),
    REMOVEXATTR(24, 0, 1, RemovexattrRequest::new),
    FLUSH(25, Layout.FLUSH_IN_BYTES, 0, FlushRequest::new),
    OPENDIR(27, Layout.OPEN_IN_BYTES, 0, OpenRequest::new),
    READDIR(28, Layout.READ_IN_BYTES, 0, ReaddirRequest::new),
    RELEASEDIR(29, Layout.RELEASE_IN_BYTES, 0, ReleaseRequest::new),
    FSYNCDIR(30, Layout.FSYNC_IN_BYTES, 0, FsyncRequest::new),
    GETLK(31, Layout.LK_IN_BYTES, 0, LockRequest::new),
    SETLK(32, Layout.LK_IN_BYTES, 0, LockRequest::new),
    SETLKW(33, Layout.LK_IN_BYTES, 0, LockRequest::new),
    ACCESS(34, Layout.ACCESS_IN_BYTES, 0, AccessRequest::new),
    CREATE(35, Layout.CREATE_IN_BYTES, 1, CreateRequest::new),
    BMAP(37, Layout.BMAP_IN_BYTES, 0, BmapRequest::new),
    IOCTL(39, Layout.IOCTL_IN_BYTES, 0, IoctlRequest::new),
    POLL(40, Layout.POLL_IN_BYTES, 0, PollRequest::new),
    FALLOCATE(43, Layout.FALLOCATE_IN_BYTES, 0, FallocateRequest::new),
    READDIRPLUS(44, Layout.READ_IN_BYTES, 0, ReaddirRequest::new),
    RENAME2(45, Layout.RENAME2_IN_BYTES, 2, RenameRequest::new),
    LSEEK(46, Layout.LSEEK_IN_BYTES, 0, LseekRequest::new),
    COPY_FILE_RANGE(47, Layout.COPY_IN_BYTES, 0, CopyFileRangeRequest::new),
    SYNCFS(50, Layout.SYNCFS_IN_BYTES, 0, SyncfsRequest::new),
    TMPFILE(51, Layout.CREATE_IN_BYTES, 1, CreateRequest::new),
    STATX(52, Layout.STATX_IN_BYTES, 0, StatxRequest::new),
    COPY_FILE_RANGE_64(53, Layout.COPY_IN_BYTES, 0, CopyFileRangeRequest::new);

    /** One more than the highest number. */
    static final int COUNT = 54;

    private static final @Nullable Opcode[] BY_NUMBER = byNumber();

    private final int number;
    private final int fixedBytes;
    private final int names;
    private final Supplier<Request<?>> view;

    Opcode(int number, int fixedBytes, int names, Supplier<Request<?>> view) {
        this.number = number;
        this.fixedBytes = fixedBytes;
        this.names = names;
        this.view = view;
    }

    private static @Nullable Opcode[] byNumber() {
        @Nullable Opcode[] table = new Opcode[COUNT];
        for (Opcode opcode : values()) {
            table[opcode.number] = opcode;
        }
        return table;
    }

    /** Null for numbers that are not known here. */
    static @Nullable Opcode of(int number) {
        return number >= 0 && number < COUNT ? BY_NUMBER[number] : null;
    }

    int number() {
        return number;
    }

    /** Size of the struct that the body starts with. */
    int fixedBytes() {
        return fixedBytes;
    }

    /** How many names, each ended by a zero byte, follow the struct. */
    int names() {
        return names;
    }

    Request<?> newView() {
        return view.get();
    }
}
