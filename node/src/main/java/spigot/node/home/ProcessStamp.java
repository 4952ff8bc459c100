package spigot.node.home;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One life of a process: its id and when it began, as ids are used again.
 *
 * @param startTicks since the boot, field 22 of /proc/PID/stat (proc(5))
 */
public record ProcessStamp(long pid, long startTicks) {
    private static final int START_TIME = 22;

    public static ProcessStamp ofThisProcess() throws IOException {
        long pid = ProcessHandle.current().pid();
        return of(pid).orElseThrow(() -> new IOException("/proc/" + pid + "/stat can't be read: is /proc mounted?"));
    }

    /** Empty when there is no such process. */
    public static Optional<ProcessStamp> of(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            // The second field, the program's name in parentheses, may itself hold spaces and parentheses.
            String[] afterName = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            boolean dead = afterName[0].equals("Z") || afterName[0].equals("X");
            return dead
                    ? Optional.empty()
                    : Optional.of(new ProcessStamp(pid, Long.parseLong(afterName[START_TIME - 3])));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    public boolean isAlive() {
        return of(pid).filter(this::equals).isPresent();
    }
}
