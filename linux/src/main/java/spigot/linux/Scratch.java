package spigot.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A little memory of each thread for arguments of one system call; valid until the same thread's next call that uses it. */
final class Scratch {
    /** Behind the struct at the start there is room for a path of PATH_MAX bytes. */
    static final int STRUCT_BYTES = 512;

    static final int PATH_BYTES = 4096;

    private static final ThreadLocal<MemorySegment> MEMORY =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STRUCT_BYTES + PATH_BYTES, 8));

    private Scratch() {}

    /** The address of {@link #STRUCT_BYTES} bytes, not cleared. */
    static long struct() {
        return MEMORY.get().address();
    }

    /**
     * Puts a C string behind the struct.
     *
     * @return its address
     * @throws SystemCallException ENAMETOOLONG when it has more than PATH_MAX bytes with its NUL
     */
    static long path(byte[] path) throws SystemCallException {
        if (path.length >= PATH_BYTES) {
            throw new SystemCallException("use the path of", path.length + " bytes", Errno.ENAMETOOLONG);
        }
        long address = MEMORY.get().address() + STRUCT_BYTES;
        Memory.copy(path, 0, address, path.length);
        Memory.putByte(address + path.length, 0);
        return address;
    }
}
