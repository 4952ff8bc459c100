package spigot.fuse;

import java.lang.foreign.Arena;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.Memory;

/** The kernel's control file system for FUSE connections, used where it is mounted, or else by a mount that no path leads to. Any thread. */
final class Fusectl {
    private static final String PLACE = "/sys/fs/fuse/connections/";
    private static final long CMD_CREATE = 6;
    private static final long CLOEXEC = 1;

    private Fusectl() {}

    /** Cuts a connection: all its requests end with an error. Nothing happens if there is no such connection any more. */
    static void abort(int connection) throws FuseException {
        try (Arena arena = Arena.ofConfined()) {
            long one = Memory.cString(arena, "1");
            int file = Libc.open(PLACE + connection + "/abort", Machine.O_WRONLY, 0);
            if (file == -Errno.ENOENT) {
                file = openPrivately(arena, connection + "/abort");
            }
            if (file == -Errno.ENOENT) {
                return;
            }
            if (file < 0) {
                throw new FuseException("cannot abort FUSE connection " + connection + " (" + Errno.describe(-file)
                        + "): as root, write 1 to " + PLACE + connection
                        + "/abort after: mount -t fusectl none /sys/fs/fuse/connections");
            }
            long written = Libc.write(file, one, 1);
            Libc.close(file);
            if (written < 0) {
                throw new FuseException(
                        "cannot abort FUSE connection " + connection + ": " + Errno.describe((int) -written));
            }
        }
    }

    private static int openPrivately(Arena arena, String path) {
        long context = Libc.syscall(Machine.SYS_FSOPEN, Memory.cString(arena, "fusectl"), CLOEXEC, 0, 0, 0, 0);
        if (context < 0) {
            return (int) context;
        }
        long result = Libc.syscall(Machine.SYS_FSCONFIG, context, CMD_CREATE, 0, 0, 0, 0);
        long mount = result < 0 ? result : Libc.syscall(Machine.SYS_FSMOUNT, context, CLOEXEC, 0, 0, 0, 0);
        Libc.close((int) context);
        if (mount < 0) {
            return (int) mount;
        }
        int file = Libc.openat((int) mount, Memory.cString(arena, path), Machine.O_WRONLY | Machine.O_CLOEXEC, 0);
        Libc.close((int) mount);
        return file;
    }
}
