package spigot.node.home;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import spigot.node.NodeException;
import spigot.transport.identity.Identity;

/** Who this user's mounts are in each grid that they have joined: {@code grids/GRID/identity.pem}, and where the grid was met. */
public final class GridIdentities {
    private static final String ADDRESSES = "addresses";
    private static final int MAX_ADDRESSES = 100;

    private final SpigotHome home;

    public GridIdentities(SpigotHome home) {
        this.home = home;
    }

    /** @param directory where the identity is stored, and renewed */
    public record Known(Path directory, Identity identity, List<String> addresses) {
        public Known {
            addresses = List.copyOf(addresses);
        }
    }

    /** Stores a new identity; one that was there for the same grid is replaced. */
    public Known store(Identity identity, String address) throws NodeException, IOException {
        Path directory = home.grids().resolve(identity.self().grid());
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        identity.store(directory);
        remember(directory, address);
        return load(directory);
    }

    /** The grid has been met at this address: the next time its identity is tried first there. */
    public void remember(Path directory, String address) throws IOException {
        List<String> known = addresses(directory);
        if (!known.contains(address)) {
            List<String> all = new ArrayList<>(known);
            all.add(address);
            Files.write(
                    directory.resolve(ADDRESSES),
                    all.subList(Math.max(0, all.size() - MAX_ADDRESSES), all.size()),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING);
        }
    }

    /** Those of grids that have been met at the address first, then the others. */
    public List<Known> candidates(String address) throws NodeException, IOException {
        List<Known> all = new ArrayList<>();
        if (home.exists()) {
            try (DirectoryStream<Path> directories = Files.newDirectoryStream(home.grids())) {
                for (Path directory : directories) {
                    if (Identity.exists(directory)) {
                        all.add(load(directory));
                    }
                }
            }
        }
        all.sort(Comparator.comparing((Known known) -> !known.addresses().contains(address))
                .thenComparing(known -> known.identity().self().grid()));
        return all;
    }

    private Known load(Path directory) throws IOException {
        return new Known(directory, Identity.load(directory), addresses(directory));
    }

    private static List<String> addresses(Path directory) throws IOException {
        Path file = directory.resolve(ADDRESSES);
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }
}
