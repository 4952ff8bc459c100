package spigot.node.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import spigot.node.BoundedTask;
import spigot.node.NodeException;

/** Where a grid is to be mounted. */
public final class MountPoint {
    private static final Duration LOOK = Duration.ofSeconds(5);

    private MountPoint() {}

    /**
     * @return the absolute path, symbolic links resolved
     * @throws NodeException when nothing can be mounted there
     */
    public static String check(String given) throws NodeException, IOException {
        String path = MountedPath.absolute(given);
        Optional<MountTable.Entry> mounted = MountTable.read().at(path);
        if (mounted.isPresent()) {
            throw new NodeException(
                    mounted.get().type().equals(MountTable.TYPE)
                            ? path + " is in use: a grid is mounted there; 'spigot umount " + path + "' ends that"
                            : path + " is in use: a file system of type "
                                    + mounted.get().type() + " is mounted there; choose another directory");
        }
        Path directory = Path.of(path);
        boolean[] found = BoundedTask.within(LOOK, "looking at " + path, () ->
                new boolean[] {Files.exists(directory), Files.isDirectory(directory)});
        if (!found[0]) {
            throw new NodeException("there is no directory " + path + ": make it first");
        }
        if (!found[1]) {
            throw new NodeException(path + " is not a directory");
        }
        return path;
    }
}
