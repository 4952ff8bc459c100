package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * statx(2). From any thread. Never follows a symbolic link at the end of a path and never triggers an automount. The layout is
 * that of {@code struct statx} in include/uapi/linux/stat.h, equal on all processors.
 */
public final class Statx {
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_NO_AUTOMOUNT = 0x800;
    private static final int AT_EMPTY_PATH = 0x1000;

    private static final int BASIC_AND_BIRTH_AND_MOUNT = 0x7ff | 0x800 | 0x1000;
    private static final int HAS_BIRTH = 0x800;
    private static final int HAS_MOUNT = 0x1000;

    private static final int MASK = 0;
    private static final int LINKS = 16;
    private static final int UID = 20;
    private static final int GID = 24;
    private static final int MODE = 28;
    private static final int INODE = 32;
    private static final int SIZE = 40;
    private static final int BLOCKS = 48;
    private static final int ACCESSED = 64;
    private static final int BORN = 80;
    private static final int CHANGED = 96;
    private static final int MODIFIED = 112;
    private static final int DEVICE_NODE = 128;
    private static final int DEVICE = 136;
    private static final int MOUNT = 144;

    private static final int BLOCK_BYTES = 512;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final byte[] EMPTY = {};

    private static final MethodHandle STATX =
            Downcall.of("statx", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);

    private Statx() {}

    /** Of what is open, also when it has no name any more or was opened with O_PATH. */
    public static FileStatus of(int descriptor) throws SystemCallException {
        return statx(descriptor, EMPTY, AT_EMPTY_PATH);
    }

    /** @param name one component, or a path, from the directory */
    public static FileStatus at(int directory, byte[] name) throws SystemCallException {
        return statx(directory, name, AT_SYMLINK_NOFOLLOW);
    }

    private static FileStatus statx(int directory, byte[] name, int flags) throws SystemCallException {
        long path = Scratch.path(name);
        long struct = Scratch.struct();
        MemorySegment state = Libc.state();
        int result;
        try {
            result = (int) STATX.invokeExact(
                    state, directory, path, flags | AT_NO_AUTOMOUNT, BASIC_AND_BIRTH_AND_MOUNT, struct);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
        if (result < 0) {
            throw new SystemCallException("look at", Names.show(name), state.get(JAVA_INT, 0));
        }
        return read(struct);
    }

    private static FileStatus read(long struct) {
        int mask = Memory.getInt(struct + MASK);
        return new FileStatus(
                Memory.getShort(struct + MODE),
                Memory.getInt(struct + LINKS),
                Memory.getInt(struct + UID),
                Memory.getInt(struct + GID),
                Memory.getLong(struct + INODE),
                Memory.getLong(struct + SIZE),
                Memory.getLong(struct + BLOCKS) * BLOCK_BYTES,
                nanos(struct + ACCESSED),
                nanos(struct + MODIFIED),
                nanos(struct + CHANGED),
                (mask & HAS_BIRTH) == 0 ? 0 : nanos(struct + BORN),
                device(struct + DEVICE),
                device(struct + DEVICE_NODE),
                (mask & HAS_MOUNT) == 0 ? 0 : Memory.getLong(struct + MOUNT));
    }

    private static long nanos(long timestamp) {
        return Memory.getLong(timestamp) * NANOS_PER_SECOND + Memory.getUnsignedInt(timestamp + 8);
    }

    /** As {@code gnu_dev_makedev}: for numbers that fit, the 32-bit encoding that FUSE and stat use. */
    private static long device(long numbers) {
        long major = Memory.getUnsignedInt(numbers);
        long minor = Memory.getUnsignedInt(numbers + 4);
        return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
    }
}
