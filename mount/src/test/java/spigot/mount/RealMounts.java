package spigot.mount;

import java.nio.file.Files;
import java.nio.file.Path;
import spigot.linux.Processes;

/** Whether this machine lets tests mount. */
final class RealMounts {
    private RealMounts() {}

    static boolean arePossible() {
        boolean possible = Processes.effectiveUserId() == 0
                && Files.isReadable(Path.of("/dev/fuse"))
                && Files.isWritable(Path.of("/dev/fuse"));
        if (!possible) {
            System.out.println("skipped: real mounts need root and /dev/fuse");
        }
        return possible;
    }
}
