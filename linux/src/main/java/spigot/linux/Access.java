package spigot.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Whether this process may read something: faccessat(2) with its effective ids. */
public final class Access {
    private static final int R_OK = 4;
    private static final int AT_EACCESS = 0x200;

    private static final MethodHandle FACCESSAT =
            Downcall.of("faccessat", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT);

    private Access() {}

    /**
     * @param name in the directory, no symbolic link
     * @return 0 when it may be read, else the error number
     */
    public static int reading(int directory, byte[] name) throws SystemCallException {
        long path = Scratch.path(name);
        MemorySegment state = Libc.state();
        try {
            int result = (int) FACCESSAT.invokeExact(state, directory, path, R_OK, AT_EACCESS);
            return result == 0 ? 0 : state.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw Downcall.impossible(e);
        }
    }
}
