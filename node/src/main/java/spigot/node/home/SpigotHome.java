package spigot.node.home;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import spigot.node.NodeException;
import spigot.node.control.ControlSocket;

/**
 * The directory of a user's state, {@code $SPIGOT_HOME} or {@code ~/.spigot}; only its owner may look into it.
 *
 * <pre>
 * grids/GRID/          identity in the grid, and the servers at which it was met
 * run/MOUNT.json       a mount: its daemon's process, its control socket
 * logs/MOUNT.log       what its daemon has to say
 * cache/GRID-MOUNT/    its cached fragments, unless told otherwise
 * </pre>
 *
 * GRID is the grid's id, MOUNT a hash of the mount point's path.
 */
public record SpigotHome(Path root) {
    /** From the environment of this process. */
    public static SpigotHome fromEnvironment() {
        return of(System.getenv(), System.getProperty("user.home"));
    }

    static SpigotHome of(Map<String, String> environment, String userHome) {
        String set = environment.getOrDefault("SPIGOT_HOME", "");
        Path root = set.isEmpty() ? Path.of(userHome, ".spigot") : Path.of(set);
        return new SpigotHome(root.toAbsolutePath().normalize());
    }

    public Path grids() throws NodeException {
        return directory("grids");
    }

    public Path run() throws NodeException {
        return directory("run");
    }

    public Path logs() throws NodeException {
        return directory("logs");
    }

    public Path cache() throws NodeException {
        return directory("cache");
    }

    /** What files that belong to a mount point or a server's directory are named after. */
    public static String nameOf(String path) {
        return ControlSocket.shortHash(path);
    }

    /** Whether there is anything at all; reading verbs make nothing. */
    public boolean exists() {
        return Files.isDirectory(root);
    }

    private Path directory(String name) throws NodeException {
        Path directory = root.resolve(name);
        try {
            return Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new NodeException(
                    "the directory " + directory + " can't be made: " + NodeException.reason(e)
                            + "; set SPIGOT_HOME to a directory that may be written",
                    e);
        }
    }
}
