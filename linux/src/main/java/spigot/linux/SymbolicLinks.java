package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Reads the targets of symbolic links as raw bytes: readlinkat(2). */
public final class SymbolicLinks {
    private static final int TARGET_BYTES = 4096;

    private static final MethodHandle READLINKAT =
            Downcall.of("readlinkat", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private SymbolicLinks() {}

    /** @param name of the link in the directory; empty when {@code directory} is the link itself, opened with O_PATH */
    public static byte[] target(int directory, byte[] name) throws SystemCallException {
        long path = Scratch.path(name);
        MemorySegment state = Libc.state();
        try (Arena arena = Arena.ofConfined()) {
            long buffer = Memory.allocate(arena, TARGET_BYTES, 1);
            long length;
            try {
                length = (long) READLINKAT.invokeExact(state, directory, path, buffer, (long) TARGET_BYTES);
            } catch (Throwable e) {
                throw Downcall.impossible(e);
            }
            if (length < 0) {
                throw new SystemCallException("read the symbolic link", Names.show(name), state.get(JAVA_INT, 0));
            }
            return Memory.bytes(buffer, (int) length);
        }
    }
}
