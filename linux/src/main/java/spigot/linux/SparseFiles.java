package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Finds data and holes: lseek(2) with SEEK_DATA and SEEK_HOLE. Moves the descriptor's position, which positional reads do not use. */
public final class SparseFiles {
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    private static final MethodHandle LSEEK = Downcall.of("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);

    private SparseFiles() {}

    /** @return the first offset at or behind {@code offset} with data; {@code -ENXIO} when there is none; else {@code -errno} */
    public static long nextData(int descriptor, long offset) {
        return seek(descriptor, offset, SEEK_DATA);
    }

    /** @return the first offset at or behind {@code offset} in a hole, the end of the file counting as one; else {@code -errno} */
    public static long nextHole(int descriptor, long offset) {
        return seek(descriptor, offset, SEEK_HOLE);
    }

    private static long seek(int descriptor, long offset, int whence) {
        MemorySegment state = Libc.state();
        try {
            long result = (long) LSEEK.invokeExact(state, descriptor, offset, whence);
            return result == -1 ? -state.get(JAVA_INT, 0) : result;
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }
}
