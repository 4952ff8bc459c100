package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The offsets and numbers in Java against {@code linux/fuse.h} of this machine, by a generated C program. */
class LayoutTest {
    private static final Path HEADER = Path.of("/usr/include/linux/fuse.h");

    @TempDir
    Path directory;

    private final Map<String, Long> expected = new LinkedHashMap<>();

    private void size(String struct, int ours) {
        expected.put("sizeof(struct fuse_" + struct + ")", (long) ours);
    }

    private void at(String struct, String field, int ours) {
        expected.put("offsetof(struct fuse_" + struct + ", " + field + ")", (long) ours);
    }

    private void number(String name, long ours) {
        expected.put("FUSE_" + name, ours);
    }

    @Test
    void layouts_and_numbers_are_those_of_the_kernel_header() throws Exception {
        assumeTrue(Files.exists(HEADER), "no linux/fuse.h: install linux-libc-dev");
        structs();
        numbers();
        String program = expected.keySet().stream()
                .map(expression -> "printf(\"%lu\\n\", (unsigned long)(" + expression + "));\n")
                .collect(Collectors.joining(
                        "",
                        "#include <stddef.h>\n#include <stdio.h>\n#include <sys/ioctl.h>\n#include <linux/fuse.h>\nint main(void){\n",
                        "return 0;}\n"));
        Path source = Files.writeString(directory.resolve("layout.c"), program);
        Process run =
                new ProcessBuilder(HelperProgram.compile(source, "fuse-layout").toString()).start();
        String[] values = new String(run.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).split("\n");
        Map<String, Long> actual = new LinkedHashMap<>();
        int i = 0;
        for (String expression : expected.keySet()) {
            actual.put(expression, Long.parseUnsignedLong(values[i++]));
        }
        assertThat(expected).isEqualTo(actual).hasSizeGreaterThan(200);
    }

    private void structs() {
        size("in_header", Layout.IN_HEADER_BYTES);
        at("in_header", "len", Layout.IN_LENGTH);
        at("in_header", "opcode", Layout.IN_OPCODE);
        at("in_header", "unique", Layout.IN_UNIQUE);
        at("in_header", "nodeid", Layout.IN_NODE);
        at("in_header", "uid", Layout.IN_UID);
        at("in_header", "gid", Layout.IN_GID);
        at("in_header", "pid", Layout.IN_PID);
        size("out_header", Layout.OUT_HEADER_BYTES);
        at("out_header", "len", Layout.OUT_LENGTH);
        at("out_header", "error", Layout.OUT_ERROR);
        at("out_header", "unique", Layout.OUT_UNIQUE);

        size("attr", Layout.ATTR_BYTES);
        at("attr", "ino", Layout.ATTR_INODE);
        at("attr", "size", Layout.ATTR_SIZE);
        at("attr", "blocks", Layout.ATTR_BLOCKS);
        at("attr", "atime", Layout.ATTR_ATIME);
        at("attr", "mtime", Layout.ATTR_MTIME);
        at("attr", "ctime", Layout.ATTR_CTIME);
        at("attr", "atimensec", Layout.ATTR_ATIME_NANOS);
        at("attr", "mtimensec", Layout.ATTR_MTIME_NANOS);
        at("attr", "ctimensec", Layout.ATTR_CTIME_NANOS);
        at("attr", "mode", Layout.ATTR_MODE);
        at("attr", "nlink", Layout.ATTR_LINKS);
        at("attr", "uid", Layout.ATTR_UID);
        at("attr", "gid", Layout.ATTR_GID);
        at("attr", "rdev", Layout.ATTR_DEVICE);
        at("attr", "blksize", Layout.ATTR_BLOCK_SIZE);
        at("attr", "flags", Layout.ATTR_FLAGS);

        size("entry_out", Layout.ENTRY_OUT_BYTES);
        at("entry_out", "nodeid", Layout.ENTRY_OUT_NODE);
        at("entry_out", "generation", Layout.ENTRY_OUT_GENERATION);
        at("entry_out", "entry_valid", Layout.ENTRY_OUT_VALID);
        at("entry_out", "attr_valid", Layout.ENTRY_OUT_ATTR_VALID);
        at("entry_out", "entry_valid_nsec", Layout.ENTRY_OUT_VALID_NANOS);
        at("entry_out", "attr_valid_nsec", Layout.ENTRY_OUT_ATTR_VALID_NANOS);
        at("entry_out", "attr", Layout.ENTRY_OUT_ATTR);
        size("attr_out", Layout.ATTR_OUT_BYTES);
        at("attr_out", "attr_valid", Layout.ATTR_OUT_VALID);
        at("attr_out", "attr_valid_nsec", Layout.ATTR_OUT_VALID_NANOS);
        at("attr_out", "attr", Layout.ATTR_OUT_ATTR);
        size("open_out", Layout.OPEN_OUT_BYTES);
        at("open_out", "fh", Layout.OPEN_OUT_HANDLE);
        at("open_out", "open_flags", Layout.OPEN_OUT_FLAGS);

        size("init_in", Layout.INIT_IN_BYTES);
        at("init_in", "major", Layout.INIT_IN_MAJOR);
        at("init_in", "minor", Layout.INIT_IN_MINOR);
        at("init_in", "max_readahead", Layout.INIT_IN_READAHEAD);
        at("init_in", "flags", Layout.INIT_IN_FLAGS);
        at("init_in", "flags2", Layout.INIT_IN_FLAGS2);
        size("init_out", Layout.INIT_OUT_BYTES);
        at("init_out", "major", Layout.INIT_OUT_MAJOR);
        at("init_out", "minor", Layout.INIT_OUT_MINOR);
        at("init_out", "max_readahead", Layout.INIT_OUT_READAHEAD);
        at("init_out", "flags", Layout.INIT_OUT_FLAGS);
        at("init_out", "max_background", Layout.INIT_OUT_BACKGROUND);
        at("init_out", "congestion_threshold", Layout.INIT_OUT_CONGESTION);
        at("init_out", "max_write", Layout.INIT_OUT_MAX_WRITE);
        at("init_out", "time_gran", Layout.INIT_OUT_TIME_GRANULARITY);
        at("init_out", "max_pages", Layout.INIT_OUT_MAX_PAGES);
        at("init_out", "flags2", Layout.INIT_OUT_FLAGS2);

        size("forget_in", Layout.FORGET_IN_BYTES);
        size("batch_forget_in", Layout.BATCH_FORGET_IN_BYTES);
        at("batch_forget_in", "count", Layout.BATCH_FORGET_IN_COUNT);
        size("forget_one", Layout.FORGET_ONE_BYTES);
        at("forget_one", "nodeid", Layout.FORGET_ONE_NODE);
        at("forget_one", "nlookup", Layout.FORGET_ONE_LOOKUPS);
        size("interrupt_in", Layout.INTERRUPT_IN_BYTES);

        size("getattr_in", Layout.GETATTR_IN_BYTES);
        at("getattr_in", "getattr_flags", Layout.GETATTR_IN_FLAGS);
        at("getattr_in", "fh", Layout.GETATTR_IN_HANDLE);
        size("setattr_in", Layout.SETATTR_IN_BYTES);
        at("setattr_in", "valid", Layout.SETATTR_IN_VALID);
        at("setattr_in", "fh", Layout.SETATTR_IN_HANDLE);
        at("setattr_in", "size", Layout.SETATTR_IN_SIZE);
        at("setattr_in", "lock_owner", Layout.SETATTR_IN_LOCK_OWNER);
        at("setattr_in", "atime", Layout.SETATTR_IN_ATIME);
        at("setattr_in", "mtime", Layout.SETATTR_IN_MTIME);
        at("setattr_in", "ctime", Layout.SETATTR_IN_CTIME);
        at("setattr_in", "atimensec", Layout.SETATTR_IN_ATIME_NANOS);
        at("setattr_in", "mtimensec", Layout.SETATTR_IN_MTIME_NANOS);
        at("setattr_in", "ctimensec", Layout.SETATTR_IN_CTIME_NANOS);
        at("setattr_in", "mode", Layout.SETATTR_IN_MODE);
        at("setattr_in", "uid", Layout.SETATTR_IN_UID);
        at("setattr_in", "gid", Layout.SETATTR_IN_GID);

        size("mknod_in", Layout.MKNOD_IN_BYTES);
        at("mknod_in", "mode", Layout.MKNOD_IN_MODE);
        at("mknod_in", "rdev", Layout.MKNOD_IN_DEVICE);
        at("mknod_in", "umask", Layout.MKNOD_IN_UMASK);
        size("mkdir_in", Layout.MKDIR_IN_BYTES);
        at("mkdir_in", "mode", Layout.MKDIR_IN_MODE);
        at("mkdir_in", "umask", Layout.MKDIR_IN_UMASK);
        size("rename_in", Layout.RENAME_IN_BYTES);
        size("rename2_in", Layout.RENAME2_IN_BYTES);
        at("rename2_in", "newdir", Layout.RENAME_IN_NEW_DIRECTORY);
        at("rename2_in", "flags", Layout.RENAME2_IN_FLAGS);
        size("link_in", Layout.LINK_IN_BYTES);
        at("link_in", "oldnodeid", Layout.LINK_IN_OLD_NODE);

        size("open_in", Layout.OPEN_IN_BYTES);
        at("open_in", "flags", Layout.OPEN_IN_FLAGS);
        at("open_in", "open_flags", Layout.OPEN_IN_OPEN_FLAGS);
        size("create_in", Layout.CREATE_IN_BYTES);
        at("create_in", "flags", Layout.CREATE_IN_FLAGS);
        at("create_in", "mode", Layout.CREATE_IN_MODE);
        at("create_in", "umask", Layout.CREATE_IN_UMASK);
        at("create_in", "open_flags", Layout.CREATE_IN_OPEN_FLAGS);
        size("release_in", Layout.RELEASE_IN_BYTES);
        at("release_in", "fh", Layout.RELEASE_IN_HANDLE);
        at("release_in", "flags", Layout.RELEASE_IN_FLAGS);
        at("release_in", "release_flags", Layout.RELEASE_IN_RELEASE_FLAGS);
        at("release_in", "lock_owner", Layout.RELEASE_IN_LOCK_OWNER);
        size("flush_in", Layout.FLUSH_IN_BYTES);
        at("flush_in", "fh", Layout.FLUSH_IN_HANDLE);
        at("flush_in", "lock_owner", Layout.FLUSH_IN_LOCK_OWNER);
        size("fsync_in", Layout.FSYNC_IN_BYTES);
        at("fsync_in", "fh", Layout.FSYNC_IN_HANDLE);
        at("fsync_in", "fsync_flags", Layout.FSYNC_IN_FLAGS);

        size("read_in", Layout.READ_IN_BYTES);
        at("read_in", "fh", Layout.READ_IN_HANDLE);
        at("read_in", "offset", Layout.READ_IN_OFFSET);
        at("read_in", "size", Layout.READ_IN_SIZE);
        at("read_in", "read_flags", Layout.READ_IN_READ_FLAGS);
        at("read_in", "lock_owner", Layout.READ_IN_LOCK_OWNER);
        at("read_in", "flags", Layout.READ_IN_FLAGS);
        size("write_in", Layout.WRITE_IN_BYTES);
        at("write_in", "fh", Layout.WRITE_IN_HANDLE);
        at("write_in", "offset", Layout.WRITE_IN_OFFSET);
        at("write_in", "size", Layout.WRITE_IN_SIZE);
        at("write_in", "write_flags", Layout.WRITE_IN_WRITE_FLAGS);
        at("write_in", "lock_owner", Layout.WRITE_IN_LOCK_OWNER);
        at("write_in", "flags", Layout.WRITE_IN_FLAGS);
        size("write_out", Layout.WRITE_OUT_BYTES);

        size("statfs_out", Layout.STATFS_OUT_BYTES);
        at("statfs_out", "st.blocks", Layout.STATFS_OUT_BLOCKS);
        at("statfs_out", "st.bfree", Layout.STATFS_OUT_FREE);
        at("statfs_out", "st.bavail", Layout.STATFS_OUT_AVAILABLE);
        at("statfs_out", "st.files", Layout.STATFS_OUT_FILES);
        at("statfs_out", "st.ffree", Layout.STATFS_OUT_FILES_FREE);
        at("statfs_out", "st.bsize", Layout.STATFS_OUT_BLOCK_SIZE);
        at("statfs_out", "st.namelen", Layout.STATFS_OUT_NAME_LENGTH);
        at("statfs_out", "st.frsize", Layout.STATFS_OUT_FRAGMENT_SIZE);

        size("setxattr_in", Layout.SETXATTR_IN_BYTES);
        at("setxattr_in", "size", Layout.SETXATTR_IN_SIZE);
        at("setxattr_in", "flags", Layout.SETXATTR_IN_FLAGS);
        at("setxattr_in", "setxattr_flags", Layout.SETXATTR_IN_SETXATTR_FLAGS);
        expected.put("FUSE_COMPAT_SETXATTR_IN_SIZE", (long) Layout.SETXATTR_IN_COMPAT_BYTES);
        size("getxattr_in", Layout.GETXATTR_IN_BYTES);
        at("getxattr_in", "size", Layout.GETXATTR_IN_SIZE);
        size("getxattr_out", Layout.GETXATTR_OUT_BYTES);

        size("lk_in", Layout.LK_IN_BYTES);
        at("lk_in", "fh", Layout.LK_IN_HANDLE);
        at("lk_in", "owner", Layout.LK_IN_OWNER);
        at("lk_in", "lk.start", Layout.LK_IN_START);
        at("lk_in", "lk.end", Layout.LK_IN_END);
        at("lk_in", "lk.type", Layout.LK_IN_TYPE);
        at("lk_in", "lk.pid", Layout.LK_IN_PID);
        at("lk_in", "lk_flags", Layout.LK_IN_FLAGS);
        size("lk_out", Layout.LK_OUT_BYTES);
        at("lk_out", "lk.start", Layout.LK_OUT_START);
        at("lk_out", "lk.end", Layout.LK_OUT_END);
        at("lk_out", "lk.type", Layout.LK_OUT_TYPE);
        at("lk_out", "lk.pid", Layout.LK_OUT_PID);

        size("access_in", Layout.ACCESS_IN_BYTES);
        at("access_in", "mask", Layout.ACCESS_IN_MASK);
        size("bmap_in", Layout.BMAP_IN_BYTES);
        at("bmap_in", "block", Layout.BMAP_IN_BLOCK);
        at("bmap_in", "blocksize", Layout.BMAP_IN_BLOCK_SIZE);
        size("bmap_out", Layout.BMAP_OUT_BYTES);
        size("ioctl_in", Layout.IOCTL_IN_BYTES);
        at("ioctl_in", "fh", Layout.IOCTL_IN_HANDLE);
        at("ioctl_in", "flags", Layout.IOCTL_IN_FLAGS);
        at("ioctl_in", "cmd", Layout.IOCTL_IN_COMMAND);
        at("ioctl_in", "arg", Layout.IOCTL_IN_ARGUMENT);
        at("ioctl_in", "in_size", Layout.IOCTL_IN_IN_SIZE);
        at("ioctl_in", "out_size", Layout.IOCTL_IN_OUT_SIZE);
        size("ioctl_out", Layout.IOCTL_OUT_BYTES);
        size("poll_in", Layout.POLL_IN_BYTES);
        at("poll_in", "fh", Layout.POLL_IN_HANDLE);
        at("poll_in", "kh", Layout.POLL_IN_KERNEL_HANDLE);
        at("poll_in", "flags", Layout.POLL_IN_FLAGS);
        at("poll_in", "events", Layout.POLL_IN_EVENTS);
        size("poll_out", Layout.POLL_OUT_BYTES);
        size("fallocate_in", Layout.FALLOCATE_IN_BYTES);
        at("fallocate_in", "fh", Layout.FALLOCATE_IN_HANDLE);
        at("fallocate_in", "offset", Layout.FALLOCATE_IN_OFFSET);
        at("fallocate_in", "length", Layout.FALLOCATE_IN_LENGTH);
        at("fallocate_in", "mode", Layout.FALLOCATE_IN_MODE);
        size("lseek_in", Layout.LSEEK_IN_BYTES);
        at("lseek_in", "fh", Layout.LSEEK_IN_HANDLE);
        at("lseek_in", "offset", Layout.LSEEK_IN_OFFSET);
        at("lseek_in", "whence", Layout.LSEEK_IN_WHENCE);
        size("lseek_out", Layout.LSEEK_OUT_BYTES);
        size("copy_file_range_in", Layout.COPY_IN_BYTES);
        at("copy_file_range_in", "fh_in", Layout.COPY_IN_HANDLE_IN);
        at("copy_file_range_in", "off_in", Layout.COPY_IN_OFFSET_IN);
        at("copy_file_range_in", "nodeid_out", Layout.COPY_IN_NODE_OUT);
        at("copy_file_range_in", "fh_out", Layout.COPY_IN_HANDLE_OUT);
        at("copy_file_range_in", "off_out", Layout.COPY_IN_OFFSET_OUT);
        at("copy_file_range_in", "len", Layout.COPY_IN_LENGTH);
        at("copy_file_range_in", "flags", Layout.COPY_IN_FLAGS);
        size("syncfs_in", Layout.SYNCFS_IN_BYTES);

        size("dirent", Layout.DIRENT_BYTES);
        at("dirent", "ino", Layout.DIRENT_INODE);
        at("dirent", "off", Layout.DIRENT_OFFSET);
        at("dirent", "namelen", Layout.DIRENT_NAME_LENGTH);
        at("dirent", "type", Layout.DIRENT_TYPE);
        at("direntplus", "dirent", Layout.ENTRY_OUT_BYTES);

        size("notify_inval_inode_out", Layout.INVAL_INODE_OUT_BYTES);
        at("notify_inval_inode_out", "ino", Layout.INVAL_INODE_OUT_NODE);
        at("notify_inval_inode_out", "off", Layout.INVAL_INODE_OUT_OFFSET);
        at("notify_inval_inode_out", "len", Layout.INVAL_INODE_OUT_LENGTH);
        size("notify_inval_entry_out", Layout.INVAL_ENTRY_OUT_BYTES);
        at("notify_inval_entry_out", "parent", Layout.INVAL_ENTRY_OUT_PARENT);
        at("notify_inval_entry_out", "namelen", Layout.INVAL_ENTRY_OUT_NAME_LENGTH);
        at("notify_inval_entry_out", "flags", Layout.INVAL_ENTRY_OUT_FLAGS);
        size("notify_delete_out", Layout.DELETE_OUT_BYTES);
        at("notify_delete_out", "parent", Layout.DELETE_OUT_PARENT);
        at("notify_delete_out", "child", Layout.DELETE_OUT_CHILD);
        at("notify_delete_out", "namelen", Layout.DELETE_OUT_NAME_LENGTH);
        size("notify_store_out", Layout.STORE_OUT_BYTES);
        at("notify_store_out", "nodeid", Layout.STORE_OUT_NODE);
        at("notify_store_out", "offset", Layout.STORE_OUT_OFFSET);
        at("notify_store_out", "size", Layout.STORE_OUT_SIZE);
    }

    private void numbers() {
        for (Opcode opcode : Opcode.values()) {
            if (opcode.number() <= Opcode.TMPFILE.number()) { // later ones are not in older headers
                number(opcode.name(), opcode.number());
            }
        }
        number("FORGET", Control.FORGET);
        number("INIT", Control.INIT);
        number("INTERRUPT", Control.INTERRUPT);
        number("DESTROY", Control.DESTROY);
        number("NOTIFY_REPLY", Control.NOTIFY_REPLY);
        number("BATCH_FORGET", Control.BATCH_FORGET);
        number("DEV_IOC_CLONE", Layout.IOCTL_CLONE);
        number("ASYNC_READ", InitFlags.ASYNC_READ);
        number("POSIX_LOCKS", InitFlags.POSIX_LOCKS);
        number("ATOMIC_O_TRUNC", InitFlags.ATOMIC_O_TRUNC);
        number("EXPORT_SUPPORT", InitFlags.EXPORT_SUPPORT);
        number("BIG_WRITES", InitFlags.BIG_WRITES);
        number("DONT_MASK", InitFlags.DONT_MASK);
        number("FLOCK_LOCKS", InitFlags.FLOCK_LOCKS);
        number("DO_READDIRPLUS", InitFlags.DO_READDIRPLUS);
        number("READDIRPLUS_AUTO", InitFlags.READDIRPLUS_AUTO);
        number("ASYNC_DIO", InitFlags.ASYNC_DIO);
        number("PARALLEL_DIROPS", InitFlags.PARALLEL_DIROPS);
        number("POSIX_ACL", InitFlags.POSIX_ACL);
        number("ABORT_ERROR", InitFlags.ABORT_ERROR);
        number("MAX_PAGES", InitFlags.MAX_PAGES);
        number("CACHE_SYMLINKS", InitFlags.CACHE_SYMLINKS);
        number("EXPLICIT_INVAL_DATA", InitFlags.EXPLICIT_INVAL_DATA);
        number("HANDLE_KILLPRIV_V2", InitFlags.HANDLE_KILLPRIV_V2);
        number("SETXATTR_EXT", InitFlags.SETXATTR_EXT);
        number("INIT_EXT", InitFlags.INIT_EXT);
        number("HAS_EXPIRE_ONLY", InitFlags.HAS_EXPIRE_ONLY);
        expected.put("FOPEN_DIRECT_IO", (long) OpenFlags.DIRECT_IO);
        expected.put("FOPEN_KEEP_CACHE", (long) OpenFlags.KEEP_CACHE);
        expected.put("FOPEN_CACHE_DIR", (long) OpenFlags.CACHE_DIR);
        expected.put("FOPEN_NOFLUSH", (long) OpenFlags.NOFLUSH);
        expected.put("FOPEN_PARALLEL_DIRECT_WRITES", (long) OpenFlags.PARALLEL_DIRECT_WRITES);
    }
}
