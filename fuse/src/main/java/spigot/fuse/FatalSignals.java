package spigot.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Whether a thread is being killed: the kernel says INTERRUPT at any signal, as a timer's or that of a child that has ended, and not again when a fatal one
 * comes later. Of a file of a local disk only a fatal one ends a wait. Any thread.
 */
final class FatalSignals {
    /** SIGKILL, which the kernel adds to each thread of a process that any signal ends (complete_signal in kernel/signal.c). */
    private static final long KILL = 1 << 8;

    private FatalSignals() {}

    /** @param thread as in the header of a request. @return also when nothing can be known of it, or it is gone */
    static boolean isPending(int thread) {
        if (thread <= 0) {
            return true;
        }
        try {
            for (String line :
                    Files.readAllLines(Path.of("/proc/" + thread + "/status"), StandardCharsets.ISO_8859_1)) {
                boolean pending = line.startsWith("SigPnd:") || line.startsWith("ShdPnd:");
                if (pending && (Long.parseUnsignedLong(line.substring(7).strip(), 16) & KILL) != 0) {
                    return true;
                }
            }
            return false;
        } catch (IOException | NumberFormatException e) {
            return true;
        }
    }
}
