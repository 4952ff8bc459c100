package spigot.fuse;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.Memory;
import spigot.linux.Processes;
import spigot.linux.SystemCallException;

/**
 * A small shell beside this process that waits for the end of a socket: if this process dies without having said "done" (SIGKILL, out of memory), it
 * unmounts what would be left behind. It has no file, directory or descriptor on the mount. Any thread.
 */
final class CrashGuard {
    private static final Logger LOG = LoggerFactory.getLogger(CrashGuard.class);

    /** $1 is the mount's device number, the rest the command that unmounts. */
    private static final String SCRIPT = """
            trap '' HUP INT TERM QUIT; cd /; read -r word; [ "$word" = done ] && exit 0
            device=$1; shift
            grep -q "^[0-9]* [0-9]* $device " /proc/self/mountinfo && exec "$@"; exit 0""";

    private static final String[] ENVIRONMENT = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};

    private final int socket;
    private final int process;
    private final AtomicBoolean dismissed = new AtomicBoolean();

    private CrashGuard(int socket, int process) {
        this.socket = socket;
        this.process = process;
    }

    /**
     * Starts a guard; without one, after a warning, when no shell can be started.
     *
     * @param device of the mount, as in {@link MountTable.Mount#device}: if something else is mounted there by then, it stays
     * @param unmount the command that takes the mount away
     */
    static @Nullable CrashGuard start(String device, String... unmount) {
        try {
            return started(device, unmount);
        } catch (SystemCallException e) {
            LOG.warn("event=fuse-crash-guard-missing device={} reason=\"{}\"", device, e.getMessage());
            return null;
        }
    }

    private static CrashGuard started(String device, String[] unmount) throws SystemCallException {
        int[] pair = Processes.socketPair();
        int nothing = Libc.open("/dev/null", Machine.O_RDWR, 0);
        List<String> arguments = new ArrayList<>(List.of("fuse-crash-guard", "-c", SCRIPT, "fuse-crash-guard", device));
        arguments.addAll(List.of(unmount));
        try {
            int process = Processes.spawn(
                    "/bin/sh", arguments.toArray(String[]::new), ENVIRONMENT, new int[] {pair[1], nothing, nothing});
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
