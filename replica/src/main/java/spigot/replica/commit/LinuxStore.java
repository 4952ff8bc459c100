package spigot.replica.commit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import spigot.linux.Descriptor;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.SystemCallException;

/** A directory of the local file system; made when it is not there. Safe for any thread. */
public final class LinuxStore implements Store {
    private static final int OWNER_ONLY = 0600;

    private final Path directory;

    public LinuxStore(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory.toAbsolutePath());
    }

    @Override
    public String name() {
        return directory.toString();
    }

    @Override
    public List<String> list() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Override
    public StoredFile create(String name) throws IOException {
        return open(directory.resolve(name), Machine.O_RDWR | Machine.O_CREAT | Machine.O_TRUNC);
    }

    @Override
    public StoredFile open(String name) throws IOException {
        return open(directory.resolve(name), Machine.O_RDWR);
    }

    /** Any file, for reading and writing. */
    public static StoredFile openFile(Path path) throws IOException {
        return open(path, Machine.O_RDWR);
    }

    /** As {@link #openFile(Path)}, with a name for messages. */
    public static StoredFile openFile(Path path, String name) throws IOException {
        return open(path, name, Machine.O_RDWR);
    }

    private static LinuxFile open(Path path, int flags) throws SystemCallException {
        return open(path, path.toString(), flags);
    }

    private static LinuxFile open(Path path, String name, int flags) throws SystemCallException {
        int number = Libc.open(path.toString(), flags, OWNER_ONLY);
        if (number < 0) {
            throw new SystemCallException("open for writing", name, -number);
        }
        return new LinuxFile(new Descriptor(number), name);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.deleteIfExists(directory.resolve(name));
    }

    @Override
    public void syncNames() throws IOException {
        try (LinuxFile open = open(directory, Machine.O_RDONLY | Machine.O_DIRECTORY)) {
            open.syncAll();
        }
    }
}
