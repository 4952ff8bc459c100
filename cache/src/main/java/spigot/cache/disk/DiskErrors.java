package spigot.cache.disk;

import java.io.IOException;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/** Tells a full disk from a broken one. */
final class DiskErrors {
    /** Disk quota exceeded (include/uapi/asm-generic/errno.h). */
    private static final int EDQUOT = 122;

    private DiskErrors() {}

    static boolean isNoSpace(IOException e) {
        if (e instanceof SystemCallException call) {
            return call.errno() == Errno.ENOSPC || call.errno() == EDQUOT;
        }
        String message = String.valueOf(e.getMessage());
        return message.contains("No space left on device") || message.contains("Disk quota exceeded");
    }
}
