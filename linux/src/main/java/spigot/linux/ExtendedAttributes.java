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
 * Lists and reads extended attributes, xattr(7), of what a descriptor leads to. It may be opened with O_PATH, and may be a
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
