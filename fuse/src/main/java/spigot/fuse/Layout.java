package spigot.fuse;

/**
 * Offsets and sizes in bytes of the structs of include/uapi/linux/fuse.h (protocol 7.45), native byte order. Offsets {@code *_IN_*} count from the start of
 * the body, that is after the 40 bytes of {@link #IN_HEADER_BYTES}; {@code *_OUT_*} from the start of the reply's payload. Checked against the header by
 * LayoutTest.
 */
final class Layout {
    static final int IN_HEADER_BYTES = 40;
    static final int IN_LENGTH = 0;
    static final int IN_OPCODE = 4;
    static final int IN_UNIQUE = 8;
    static final int IN_NODE = 16;
    static final int IN_UID = 24;
    static final int IN_GID = 28;
    static final int IN_PID = 32;
    static final int IN_EXTENSION_LENGTH = 36;

    static final int OUT_HEADER_BYTES = 16;
    static final int OUT_LENGTH = 0;
    static final int OUT_ERROR = 4;
    static final int OUT_UNIQUE = 8;

    static final int ATTR_BYTES = 88;
    static final int ATTR_INODE = 0;
    static final int ATTR_SIZE = 8;
    static final int ATTR_BLOCKS = 16;
    static final int ATTR_ATIME = 24;
    static final int ATTR_MTIME = 32;
    static final int ATTR_CTIME = 40;
    static final int ATTR_ATIME_NANOS = 48;
    static final int ATTR_MTIME_NANOS = 52;
    static final int ATTR_CTIME_NANOS = 56;
    static final int ATTR_MODE = 60;
    static final int ATTR_LINKS = 64;
    static final int ATTR_UID = 68;
    static final int ATTR_GID = 72;
    static final int ATTR_DEVICE = 76;
    static final int ATTR_BLOCK_SIZE = 80;
    static final int ATTR_FLAGS = 84;

    static final int ENTRY_OUT_BYTES = 128;
    static final int ENTRY_OUT_NODE = 0;
    static final int ENTRY_OUT_GENERATION = 8;
    static final int ENTRY_OUT_VALID = 16;
    static final int ENTRY_OUT_ATTR_VALID = 24;
    static final int ENTRY_OUT_VALID_NANOS = 32;
    static final int ENTRY_OUT_ATTR_VALID_NANOS = 36;
    static final int ENTRY_OUT_ATTR = 40;

    static final int ATTR_OUT_BYTES = 104;
    static final int ATTR_OUT_VALID = 0;
    static final int ATTR_OUT_VALID_NANOS = 8;
    static final int ATTR_OUT_ATTR = 16;

    static final int OPEN_OUT_BYTES = 16;
    static final int OPEN_OUT_HANDLE = 0;
    static final int OPEN_OUT_FLAGS = 8;

    static final int INIT_IN_BYTES = 64;
    static final int INIT_IN_MAJOR = 0;
    static final int INIT_IN_MINOR = 4;
    static final int INIT_IN_READAHEAD = 8;
    static final int INIT_IN_FLAGS = 12;
    static final int INIT_IN_FLAGS2 = 16;

    static final int INIT_OUT_BYTES = 64;
    static final int INIT_OUT_MAJOR = 0;
    static final int INIT_OUT_MINOR = 4;
    static final int INIT_OUT_READAHEAD = 8;
    static final int INIT_OUT_FLAGS = 12;
    static final int INIT_OUT_BACKGROUND = 16;
    static final int INIT_OUT_CONGESTION = 18;
    static final int INIT_OUT_MAX_WRITE = 20;
    static final int INIT_OUT_TIME_GRANULARITY = 24;
    static final int INIT_OUT_MAX_PAGES = 28;
    static final int INIT_OUT_FLAGS2 = 32;

    static final int FORGET_IN_BYTES = 8;
    static final int FORGET_IN_LOOKUPS = 0;
    static final int BATCH_FORGET_IN_BYTES = 8;
    static final int BATCH_FORGET_IN_COUNT = 0;
    static final int FORGET_ONE_BYTES = 16;
    static final int FORGET_ONE_NODE = 0;
    static final int FORGET_ONE_LOOKUPS = 8;
    static final int INTERRUPT_IN_BYTES = 8;
    static final int INTERRUPT_IN_UNIQUE = 0;

    static final int GETATTR_IN_BYTES = 16;
    static final int GETATTR_IN_FLAGS = 0;
    static final int GETATTR_IN_HANDLE = 8;

    static final int SETATTR_IN_BYTES = 88;
    static final int SETATTR_IN_VALID = 0;
    static final int SETATTR_IN_HANDLE = 8;
    static final int SETATTR_IN_SIZE = 16;
    static final int SETATTR_IN_LOCK_OWNER = 24;
    static final int SETATTR_IN_ATIME = 32;
    static final int SETATTR_IN_MTIME = 40;
    static final int SETATTR_IN_CTIME = 48;
    static final int SETATTR_IN_ATIME_NANOS = 56;
    static final int SETATTR_IN_MTIME_NANOS = 60;
    static final int SETATTR_IN_CTIME_NANOS = 64;
    static final int SETATTR_IN_MODE = 68;
    static final int SETATTR_IN_UID = 76;
    static final int SETATTR_IN_GID = 80;

    static final int MKNOD_IN_BYTES = 16;
    static final int MKNOD_IN_MODE = 0;
    static final int MKNOD_IN_DEVICE = 4;
    static final int MKNOD_IN_UMASK = 8;
    static final int MKDIR_IN_BYTES = 8;
    static final int MKDIR_IN_MODE = 0;
    static final int MKDIR_IN_UMASK = 4;
    static final int RENAME_IN_BYTES = 8;
    static final int RENAME_IN_NEW_DIRECTORY = 0;
    static final int RENAME2_IN_BYTES = 16;
    static final int RENAME2_IN_FLAGS = 8;
    static final int LINK_IN_BYTES = 8;
    static final int LINK_IN_OLD_NODE = 0;

    static final int OPEN_IN_BYTES = 8;
    static final int OPEN_IN_FLAGS = 0;
    static final int OPEN_IN_OPEN_FLAGS = 4;
    static final int CREATE_IN_BYTES = 16;
    static final int CREATE_IN_FLAGS = 0;
    static final int CREATE_IN_MODE = 4;
    static final int CREATE_IN_UMASK = 8;
    static final int CREATE_IN_OPEN_FLAGS = 12;
    static final int RELEASE_IN_BYTES = 24;
    static final int RELEASE_IN_HANDLE = 0;
    static final int RELEASE_IN_FLAGS = 8;
    static final int RELEASE_IN_RELEASE_FLAGS = 12;
    static final int RELEASE_IN_LOCK_OWNER = 16;
    static final int FLUSH_IN_BYTES = 24;
    static final int FLUSH_IN_HANDLE = 0;
    static final int FLUSH_IN_LOCK_OWNER = 16;
    static final int FSYNC_IN_BYTES = 16;
    static final int FSYNC_IN_HANDLE = 0;
    static final int FSYNC_IN_FLAGS = 8;

    static final int READ_IN_BYTES = 40;
    static final int READ_IN_HANDLE = 0;
    static final int READ_IN_OFFSET = 8;
    static final int READ_IN_SIZE = 16;
    static final int READ_IN_READ_FLAGS = 20;
    static final int READ_IN_LOCK_OWNER = 24;
    static final int READ_IN_FLAGS = 32;
    static final int WRITE_IN_BYTES = 40;
    static final int WRITE_IN_HANDLE = 0;
    static final int WRITE_IN_OFFSET = 8;
    static final int WRITE_IN_SIZE = 16;
    static final int WRITE_IN_WRITE_FLAGS = 20;
    static final int WRITE_IN_LOCK_OWNER = 24;
    static final int WRITE_IN_FLAGS = 32;
    static final int WRITE_OUT_BYTES = 8;

    static final int STATFS_OUT_BYTES = 80;
    static final int STATFS_OUT_BLOCKS = 0;
    static final int STATFS_OUT_FREE = 8;
    static final int STATFS_OUT_AVAILABLE = 16;
    static final int STATFS_OUT_FILES = 24;
    static final int STATFS_OUT_FILES_FREE = 32;
    static final int STATFS_OUT_BLOCK_SIZE = 40;
    static final int STATFS_OUT_NAME_LENGTH = 44;
    static final int STATFS_OUT_FRAGMENT_SIZE = 48;

    static final int SETXATTR_IN_COMPAT_BYTES = 8;
    static final int SETXATTR_IN_BYTES = 16;
    static final int SETXATTR_IN_SIZE = 0;
    static final int SETXATTR_IN_FLAGS = 4;
    static final int SETXATTR_IN_SETXATTR_FLAGS = 8;
    static final int GETXATTR_IN_BYTES = 8;
    static final int GETXATTR_IN_SIZE = 0;
    static final int GETXATTR_OUT_BYTES = 8;

    static final int LK_IN_BYTES = 48;
    static final int LK_IN_HANDLE = 0;
    static final int LK_IN_OWNER = 8;
    static final int LK_IN_START = 16;
    static final int LK_IN_END = 24;
    static final int LK_IN_TYPE = 32;
    static final int LK_IN_PID = 36;
    static final int LK_IN_FLAGS = 40;
    static final int LK_OUT_BYTES = 24;
    static final int LK_OUT_START = 0;
    static final int LK_OUT_END = 8;
    static final int LK_OUT_TYPE = 16;
    static final int LK_OUT_PID = 20;

    static final int ACCESS_IN_BYTES = 8;
    static final int ACCESS_IN_MASK = 0;
    static final int BMAP_IN_BYTES = 16;
    static final int BMAP_IN_BLOCK = 0;
    static final int BMAP_IN_BLOCK_SIZE = 8;
    static final int BMAP_OUT_BYTES = 8;
    static final int IOCTL_IN_BYTES = 32;
    static final int IOCTL_IN_HANDLE = 0;
    static final int IOCTL_IN_FLAGS = 8;
    static final int IOCTL_IN_COMMAND = 12;
    static final int IOCTL_IN_ARGUMENT = 16;
    static final int IOCTL_IN_IN_SIZE = 24;
    static final int IOCTL_IN_OUT_SIZE = 28;
    static final int IOCTL_OUT_BYTES = 16;
    static final int POLL_IN_BYTES = 24;
    static final int POLL_IN_HANDLE = 0;
    static final int POLL_IN_KERNEL_HANDLE = 8;
    static final int POLL_IN_FLAGS = 16;
    static final int POLL_IN_EVENTS = 20;
    static final int POLL_OUT_BYTES = 8;
    static final int FALLOCATE_IN_BYTES = 32;
    static final int FALLOCATE_IN_HANDLE = 0;
    static final int FALLOCATE_IN_OFFSET = 8;
    static final int FALLOCATE_IN_LENGTH = 16;
    static final int FALLOCATE_IN_MODE = 24;
    static final int LSEEK_IN_BYTES = 24;
    static final int LSEEK_IN_HANDLE = 0;
    static final int LSEEK_IN_OFFSET = 8;
    static final int LSEEK_IN_WHENCE = 16;
    static final int LSEEK_OUT_BYTES = 8;
    static final int COPY_IN_BYTES = 56;
    static final int COPY_IN_HANDLE_IN = 0;
    static final int COPY_IN_OFFSET_IN = 8;
    static final int COPY_IN_NODE_OUT = 16;
    static final int COPY_IN_HANDLE_OUT = 24;
    static final int COPY_IN_OFFSET_OUT = 32;
    static final int COPY_IN_LENGTH = 40;
    static final int COPY_IN_FLAGS = 48;
    static final int COPY_64_OUT_BYTES = 8;
    static final int SYNCFS_IN_BYTES = 8;

    static final int STATX_IN_BYTES = 24;
    static final int STATX_IN_GETATTR_FLAGS = 0;
    static final int STATX_IN_HANDLE = 8;
    static final int STATX_IN_FLAGS = 16;
    static final int STATX_IN_MASK = 20;
    static final int STATX_OUT_BYTES = 288;
    static final int STATX_OUT_VALID = 0;
    static final int STATX_OUT_VALID_NANOS = 8;
    static final int STATX_OUT_STATX = 32;
    static final int STATX_MASK = 0;
    static final int STATX_BLOCK_SIZE = 4;
    static final int STATX_LINKS = 16;
    static final int STATX_UID = 20;
    static final int STATX_GID = 24;
    static final int STATX_MODE = 28;
    static final int STATX_INODE = 32;
    static final int STATX_SIZE = 40;
    static final int STATX_BLOCKS = 48;
    static final int STATX_ATIME = 64;
    static final int STATX_BTIME = 80;
    static final int STATX_CTIME = 96;
    static final int STATX_MTIME = 112;
    static final int STATX_DEVICE_MAJOR = 128;
    static final int STATX_DEVICE_MINOR = 132;

    static final int DIRENT_BYTES = 24;
    static final int DIRENT_INODE = 0;
    static final int DIRENT_OFFSET = 8;
    static final int DIRENT_NAME_LENGTH = 16;
    static final int DIRENT_TYPE = 20;

    static final int INVAL_INODE_OUT_BYTES = 24;
    static final int INVAL_INODE_OUT_NODE = 0;
    static final int INVAL_INODE_OUT_OFFSET = 8;
    static final int INVAL_INODE_OUT_LENGTH = 16;
    static final int INVAL_ENTRY_OUT_BYTES = 16;
    static final int INVAL_ENTRY_OUT_PARENT = 0;
    static final int INVAL_ENTRY_OUT_NAME_LENGTH = 8;
    static final int INVAL_ENTRY_OUT_FLAGS = 12;
    static final int DELETE_OUT_BYTES = 24;
    static final int DELETE_OUT_PARENT = 0;
    static final int DELETE_OUT_CHILD = 8;
    static final int DELETE_OUT_NAME_LENGTH = 16;
    static final int STORE_OUT_BYTES = 24;
    static final int STORE_OUT_NODE = 0;
    static final int STORE_OUT_OFFSET = 8;
    static final int STORE_OUT_SIZE = 16;

    /** {@code FUSE_DEV_IOC_CLONE}: makes a fresh /dev/fuse descriptor a second one of a connection. */
    static final long IOCTL_CLONE = 0x8004e500L;

    private Layout() {}
}
