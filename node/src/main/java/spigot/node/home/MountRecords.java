package spigot.node.home;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import spigot.node.Json;
import spigot.node.NodeException;

/** The mounts of this user, one file each below run/. A daemon writes its own and removes it when it ends. */
public final class MountRecords {
    private static final String SUFFIX = ".json";

    private final SpigotHome home;

    public MountRecords(SpigotHome home) {
        this.home = home;
    }

    public void write(MountRecord mount) throws NodeException, IOException {
        Json.write(file(mount.mountPoint()), mount.json());
    }

    /** Removes the record and what else the daemon left, unless another daemon has taken its place. */
    public void remove(MountRecord mount) throws NodeException, IOException {
        Optional<MountRecord> present = at(mount.mountPoint());
        if (present.isPresent() && present.get().daemon().equals(mount.daemon())) {
            Files.deleteIfExists(mount.socket());
            Files.deleteIfExists(file(mount.mountPoint()));
        }
    }

    public Optional<MountRecord> at(String mountPoint) throws NodeException, IOException {
        if (!home.exists()) {
            return Optional.empty();
        }
        return read(file(mountPoint));
    }

    /** In the order of their mount points; a file that is no record is an error that names it. */
    public List<MountRecord> all() throws NodeException, IOException {
        List<MountRecord> mounts = new ArrayList<>();
        if (home.exists()) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(home.run(), "*" + SUFFIX)) {
                for (Path file : files) {
                    read(file).ifPresent(mounts::add);
                }
            }
        }
        mounts.sort(Comparator.comparing(MountRecord::mountPoint));
        return mounts;
    }

    private Optional<MountRecord> read(Path file) throws IOException {
        try {
            return Optional.of(MountRecord.of(Json.read(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private Path file(String mountPoint) throws NodeException {
        return home.run().resolve(SpigotHome.nameOf(mountPoint) + SUFFIX);
    }
}
