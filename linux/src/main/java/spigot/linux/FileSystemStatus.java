package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The room on a file system: fstatfs(2), {@code struct statfs} of 64-bit Linux.
 *
 * @param type the magic number of the file system (include/uapi/linux/magic.h)
 * @param availableBytes for ordinary users
 */
public record FileSystemStatus(long type, long totalBytes, long availableBytes, long files, long freeFiles) {
    private static final int BLOCKS = 16;
    private static final int AVAILABLE = 32;
    private static final int FILES = 40;
    private static final int FREE_FILES = 48;
    private static final int FRAGMENT_BYTES = 72;

    private static final MethodHandle FSTATFS = Downcall.of("fstatfs", JAVA_INT, JAVA_INT, JAVA_LONG);

    public static FileSystemStatus of(int descriptor) throws SystemCallException {
        MemorySegment state = Libc.state();
        long struct = Scratch.struct();
        int result;
        try {
            result = (int) FSTATFS.invokeExact(state, descriptor, struct);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
        if (result < 0) {
            throw new SystemCallException("look at the file system of", "a descriptor", state.get(JAVA_INT, 0));
        }
        long unit = Memory.getLong(struct + FRAGMENT_BYTES);
        return new FileSystemStatus(
                Memory.getLong(struct),
                Memory.getLong(struct + BLOCKS) * unit,
                Memory.getLong(struct + AVAILABLE) * unit,
                Memory.getLong(struct + FILES),
                Memory.getLong(struct + FREE_FILES));
    }
}
