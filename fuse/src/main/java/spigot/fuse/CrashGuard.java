package spigot.fuse;

import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicBoolean;
import spigot.linux.Libc;
import spigot.linux.Memory;
import spigot.linux.Processes;
import spigot.linux.SystemCallException;

/**
 * A small shell beside this process that waits for the end of a socket: if this process dies without having said "done" (SIGKILL, out of memory), it
 * unmounts what would be left behind. It has no file, directory or descriptor on the mount. Any thread.
 */
final class CrashGuard {
    private static final String SCRIPT =
            "trap '' HUP INT TERM QUIT; cd /; read -r word; [ \"$word\" = done ] && exit 0; "
                    + "grep -q \"^[0-9]* [0-9]* $1 \" /proc/self/mountinfo && exec umount -l \"$2\"; exit 0";
    private static final String[] ENVIRONMENT = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};

    private final int socket;
    private final int process;
    private final AtomicBoolean dismissed = new AtomicBoolean();

    private CrashGuard(int socket, int process) {
        this.socket = socket;
        this.process = process;
    }

    /** @param device of the mount, as in {@link MountTable.Mount#device}: if something else is mounted there by then, it stays */
    static CrashGuard start(String device, String mountPoint) throws SystemCallException {
        int[] pair = Processes.socketPair();
        int nothing = Libc.open("/dev/null", 2, 0);
        try {
            int process = Processes.spawn(
                    "/bin/sh",
                    new String[] {"spigot-crash-guard", "-c", SCRIPT, "spigot-crash-guard", device, mountPoint},
                    ENVIRONMENT,
                    new int[] {pair[1], nothing, nothing});
            return new CrashGuard(pair[0], process);
        } catch (SystemCallException e) {
            Libc.close(pair[0]);
            throw e;
        } finally {
            Libc.close(pair[1]);
            Libc.close(nothing);
        }
    }

    void dismiss() {
        if (!dismissed.compareAndSet(false, true)) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            Libc.write(socket, Memory.cString(arena, "done\n"), 5);
        }
        Libc.close(socket);
        Processes.waitFor(process);
    }
}
