package spigot.linux;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** Reads the names in a directory as raw bytes: getdents64(2), {@code struct linux_dirent64}. */
public final class DirectoryReader {
    private static final int BUFFER_BYTES = 64 << 10;
    private static final int RECORD_LENGTH = 16;
    private static final int NAME = 19;

    private DirectoryReader() {}

    /**
     * All names but "." and "..", in no order.
     *
     * @param directory open for reading, at its start; its position moves
     * @param shown for the message of an error
     */
    public static List<byte[]> names(int directory, String shown) throws SystemCallException {
        List<byte[]> names = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            long buffer = Memory.allocate(arena, BUFFER_BYTES, 8);
            while (true) {
                long length = Libc.syscall(Machine.SYS_GETDENTS64, directory, buffer, BUFFER_BYTES, 0, 0, 0);
                if (length < 0) {
                    throw new SystemCallException("read the directory", shown, (int) -length);
                }
                if (length == 0) {
                    return names;
                }
                for (long at = buffer; at < buffer + length; at += Memory.getShort(at + RECORD_LENGTH)) {
                    int limit = Memory.getShort(at + RECORD_LENGTH) - NAME;
                    byte[] name = Memory.bytes(at + NAME, Memory.stringLength(at + NAME, limit));
                    if (!isDotOrDotDot(name)) {
                        names.add(name);
                    }
                }
            }
        }
    }

    private static boolean isDotOrDotDot(byte[] name) {
        return name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
    }
}
