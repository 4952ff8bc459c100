package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Lists, reads and changes extended attributes, xattr(7), of what a descriptor leads to. It may be opened with O_PATH, and may be a
 * symbolic link, which is not followed: the calls go through /proc/self/fd, whose links the kernel resolves to the very inode.
 */
public final class ExtendedAttributes {
    /** XATTR_LIST_MAX and XATTR_SIZE_MAX of include/uapi/linux/limits.h. */
    private static final int MAX_BYTES = 64 << 10;

    private static final MethodHandle LISTXATTR = Downcall.of("listxattr", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle LLISTXATTR =
            Downcall.of("llistxattr", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle GETXATTR =
            Downcall.of("getxattr", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    /** The access list of a file, and the one that what is made in a directory begins with: acl(5) as extended attributes. */
    public static final String ACCESS_LIST = "system.posix_acl_access";

    public static final String DEFAULT_LIST = "system.posix_acl_default";

    /** When an extended attribute is set, setxattr(2). */
    public enum Setting {
        ALWAYS(0),
        /** EEXIST when it is there. */
        ONLY_NEW(1),
        /** ENODATA when it is not. */
        ONLY_EXISTING(2);

        private final int flags;

        Setting(int flags) {
            this.flags = flags;
        }
    }

    private ExtendedAttributes() {}

    /** The names; empty where the file system has no extended attributes. */
    public static List<byte[]> names(Descriptor file) throws SystemCallException {
        return list(LISTXATTR, file.procPath().getBytes(StandardCharsets.US_ASCII));
    }

    /** The names that an entry of a directory has, which is not followed if it is a symbolic link. */
    public static List<byte[]> names(Descriptor directory, byte[] name) throws SystemCallException {
        ByteArrayOutputStream path = new ByteArrayOutputStream();
        path.writeBytes(directory.procPath().getBytes(StandardCharsets.US_ASCII));
        path.write('/');
        path.writeBytes(name);
        return list(LLISTXATTR, path.toByteArray());
    }

    /** @throws SystemCallException ENODATA when it has no such attribute */
    public static byte[] value(Descriptor file, byte[] name) throws SystemCallException {
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            long path = Memory.cString(arena, file.procPath());
            long attribute = Memory.cString(arena, name);
            long buffer = Memory.allocate(arena, MAX_BYTES, 1);
            long length;
            try {
                length = (long) GETXATTR.invokeExact(state, path, attribute, buffer, (long) MAX_BYTES);
            } catch (Throwable e) {
                throw Downcall.impossible(e);
            }
            if (length < 0) {
                throw new SystemCallException("read the extended attribute", Names.show(name), state.get(JAVA_INT, 0));
            }
            return Memory.bytes(buffer, (int) length);
        }
    }

    /** Whether it has the attribute; false too where the file system has none. */
    public static boolean has(Descriptor file, String name) throws SystemCallException {
        try {
            byte[] _ = value(file, name.getBytes(StandardCharsets.US_ASCII));
            return true;
        } catch (SystemCallException e) {
            if (e.errno() == Errno.ENODATA || e.errno() == Errno.EOPNOTSUPP) {
                return false;
            }
            throw e;
        }
    }

    public static void set(Descriptor file, byte[] name, byte[] value, Setting setting) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            long bytes = Memory.allocate(arena, Math.max(1, value.length), 1);
            Memory.copy(value, 0, bytes, value.length);
            long result = Libc.syscall(
                    Machine.SYS_SETXATTR,
                    Memory.cString(arena, file.procPath()),
                    Memory.cString(arena, name),
                    bytes,
                    value.length,
                    setting.flags,
                    0);
            if (result < 0) {
                throw new SystemCallException("set the extended attribute", Names.show(name), (int) -result);
            }
        }
    }

    /** @throws SystemCallException ENODATA when it has no such attribute */
    public static void remove(Descriptor file, byte[] name) throws SystemCallException {
        try (Arena arena = Arena.ofConfined()) {
            long result = Libc.syscall(
                    Machine.SYS_REMOVEXATTR,
                    Memory.cString(arena, file.procPath()),
                    Memory.cString(arena, name),
                    0,
                    0,
                    0,
                    0);
            if (result < 0) {
                throw new SystemCallException("remove the extended attribute", Names.show(name), (int) -result);
            }
        }
    }

    private static List<byte[]> list(MethodHandle call, byte[] path) throws SystemCallException {
        MemorySegment state = Libc.state();
        long address = Scratch.path(path);
        long needed = list(call, state, address, 0, 0);
        if (needed == 0 || needed == -Errno.EOPNOTSUPP) {
            return List.of();
        }
        if (needed < 0) {
            throw new SystemCallException("list the extended attributes of", Names.show(path), (int) -needed);
        }
        try (Arena arena = Arena.ofConfined()) {
            long buffer = Memory.allocate(arena, MAX_BYTES, 1);
            long length = list(call, state, address, buffer, MAX_BYTES);
            if (length < 0) {
                throw new SystemCallException("list the extended attributes of", Names.show(path), (int) -length);
            }
            return split(Memory.bytes(buffer, (int) length));
        }
    }

    private static long list(MethodHandle call, MemorySegment state, long path, long buffer, long bytes) {
        try {
            long result = (long) call.invokeExact(state, path, buffer, bytes);
            return result == -1 ? -state.get(JAVA_INT, 0) : result;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }

    private static List<byte[]> split(byte[] list) {
        List<byte[]> names = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < list.length; i++) {
            if (list[i] == 0) {
                names.add(java.util.Arrays.copyOfRange(list, start, i));
                start = i + 1;
            }
        }
        return names;
    }
}
