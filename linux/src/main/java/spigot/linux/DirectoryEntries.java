package spigot.linux;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;

/**
 * Makes, moves and removes names in open directories: mkdirat(2) and its like. A name is one component, raw bytes; a symbolic link in
 * its place is never followed. Directories may be opened with O_PATH. The process's umask applies as always. From any thread; blocks
 * as long as the file system does.
 */
public final class DirectoryEntries {
    private static final int AT_REMOVEDIR = 0x200;
    private static final int AT_SYMLINK_FOLLOW = 0x400;

    /** What rename does with a name that is there, renameat2(2). */
    public enum Renaming {
        REPLACE(0),
        /** EEXIST when it is there. */
        NO_REPLACE(1),
        /** Both names are there and take each other's place. */
        EXCHANGE(2);

        private final int flags;

        Renaming(int flags) {
            this.flags = flags;
        }
    }

    private DirectoryEntries() {}

    /** Makes a regular file, EEXIST when the name is there, and opens it for reading and writing. */
    public static Descriptor createFile(Descriptor directory, byte[] name, int mode) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            int flags = Machine.O_RDWR | Machine.O_CREAT | Machine.O_EXCL | Machine.O_NOFOLLOW | Machine.O_CLOEXEC;
            int descriptor = Libc.openat(directory.number(), path(arena, name), flags, mode);
            if (descriptor < 0) {
                throw new SystemCallException("create the file", Names.show(name), -descriptor);
            }
            return new Descriptor(descriptor);
        }
    }

    /** A regular file without a name (O_TMPFILE), which {@link #link(Descriptor, Descriptor, byte[])} may give one. */
    public static Descriptor createNameless(Descriptor directory, int mode) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            int flags = Machine.O_RDWR | Machine.O_TMPFILE | Machine.O_CLOEXEC;
            long path = Memory.cString(arena, directory.procPath());
            int descriptor = Libc.openat(Machine.AT_FDCWD, path, flags, mode);
            if (descriptor < 0) {
                throw new SystemCallException("create", "a file without a name", -descriptor);
            }
            return new Descriptor(descriptor);
        }
    }

    public static void makeDirectory(Descriptor directory, byte[] name, int mode) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            check(
                    "make the directory",
                    name,
                    Libc.syscall(Machine.SYS_MKDIRAT, directory.number(), path(arena, name), mode, 0, 0, 0));
        }
    }

    /**
     * @param fullMode type and permission bits
     * @param device of a device node as {@code makedev} packs it, else 0
     */
    public static void makeNode(Descriptor directory, byte[] name, int fullMode, long device)
            throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            check(
                    "make the node",
                    name,
                    Libc.syscall(Machine.SYS_MKNODAT, directory.number(), path(arena, name), fullMode, device, 0, 0));
        }
    }

    public static void makeSymbolicLink(byte[] target, Descriptor directory, byte[] name) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            check(
                    "make the symbolic link",
                    name,
                    Libc.syscall(
                            Machine.SYS_SYMLINKAT,
                            path(arena, target),
                            directory.number(),
                            path(arena, name),
                            0,
                            0,
                            0));
        }
    }

    /** A further name for what is there by another one. */
    public static void link(Descriptor fromDirectory, byte[] from, Descriptor toDirectory, byte[] to)
            throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            check(
                    "link",
                    to,
                    Libc.syscall(
                            Machine.SYS_LINKAT,
                            fromDirectory.number(),
                            path(arena, from),
                            toDirectory.number(),
                            path(arena, to),
                            0,
                            0));
        }
    }

    /** A name for what is open, be it without one (O_TMPFILE) or located with O_PATH; it needs /proc. */
    public static void link(Descriptor file, Descriptor toDirectory, byte[] to) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            check(
                    "link",
                    to,
                    Libc.syscall(
                            Machine.SYS_LINKAT,
                            Machine.AT_FDCWD,
                            path(arena, file.procPath().getBytes(StandardCharsets.US_ASCII)),
                            toDirectory.number(),
                            path(arena, to),
                            AT_SYMLINK_FOLLOW,
                            0));
        }
    }

    /** Removes the name of anything but a directory. */
    public static void unlink(Descriptor directory, byte[] name) throws SystemCallException {
        remove(directory, name, 0);
    }

    public static void removeDirectory(Descriptor directory, byte[] name) throws SystemCallException {
        remove(directory, name, AT_REMOVEDIR);
    }

    private static void remove(Descriptor directory, byte[] name, int flags) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            check(
                    "remove",
                    name,
                    Libc.syscall(Machine.SYS_UNLINKAT, directory.number(), path(arena, name), flags, 0, 0, 0));
        }
    }

    public static void rename(
            Descriptor fromDirectory, byte[] from, Descriptor toDirectory, byte[] to, Renaming renaming)
            throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            check(
                    "rename",
                    from,
                    Libc.syscall(
                            Machine.SYS_RENAMEAT2,
                            fromDirectory.number(),
                            path(arena, from),
                            toDirectory.number(),
                            path(arena, to),
                            renaming.flags,
                            0));
        }
    }

    private static long path(Arena arena, byte[] name) throws SystemCallException {
        if (name.length >= Scratch.PATH_BYTES) {
            throw new SystemCallException("use the path of", name.length + " bytes", Errno.ENAMETOOLONG);
        }
        return Memory.cString(arena, name);
    }

    private static void check(String call, byte[] name, long result) throws SystemCallException {
        if (result < 0) {
            throw new SystemCallException(call, Names.show(name), (int) -result);
        }
    }
}
