package spigot.node.mount;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
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
        Found found = BoundedTask.within(LOOK, "looking at " + path, () -> look(directory));
        return switch (found) {
            case NOTHING -> throw new NodeException("there is no directory " + path + ": make it first");
            case NO_DIRECTORY -> throw new NodeException(path + " is not a directory");
            case NOT_EMPTY ->
                throw new NodeException(
                        path + " is not empty, and what lies there would be hidden: choose an empty directory");
            case EMPTY, NOT_READABLE -> path;
        };
    }

    private enum Found {
        NOTHING,
        NO_DIRECTORY,
        NOT_EMPTY,
        EMPTY,
        NOT_READABLE
    }

    private static Found look(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return Files.exists(directory) ? Found.NO_DIRECTORY : Found.NOTHING;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            return entries.iterator().hasNext() ? Found.NOT_EMPTY : Found.EMPTY;
        } catch (AccessDeniedException e) {
            // Whether it may be mounted on is for the kernel, or fusermount3, to say.
            return Found.NOT_READABLE;
        }
    }
}
