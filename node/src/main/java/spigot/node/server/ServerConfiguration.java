package spigot.node.server;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import spigot.node.Address;

/**
 * A replica server as the command line describes it.
 *
 * @param data its directory
 * @param listen for the grid; port 0 takes any that is free
 * @param advertised what others are told to connect to; empty: where it listens
 * @param http for metrics, health and status; empty: none
 * @param name for people; empty: the host's name, or what it was called before
 * @param site empty: "default", or what it was before
 * @param join the server with the catalog, and the token, of the grid that an empty directory joins; empty: a new grid, or the same
 *     as before
 */
public record ServerConfiguration(
        Path data,
        Address listen,
        Optional<Address> advertised,
        Optional<Address> http,
        Optional<String> name,
        Optional<String> site,
        List<Publication> publications,
        Optional<Join> join) {
    /** The usual port of a server. */
    public static final int DEFAULT_PORT = 7440;

    private static final int MAX_NAME = 64;

    public ServerConfiguration {
        data = data.toAbsolutePath().normalize();
        publications = List.copyOf(publications);
        name.ifPresent(value -> checkName("name", value));
        site.ifPresent(value -> checkName("site", value));
    }

    /** How to enter a grid. */
    public record Join(Address address, Optional<String> token) {}

    private static void checkName(String what, String value) {
        if (value.isBlank() || value.length() > MAX_NAME || !value.matches("[\\p{L}\\p{N}._ -]+")) {
            throw new IllegalArgumentException("a " + what + " has 1 to " + MAX_NAME
                    + " letters, digits, spaces, '.', '_' or '-', unlike '" + value + "'");
        }
    }
}
