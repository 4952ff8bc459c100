package spigot.catalog.client;

import java.util.List;
import spigot.model.NodeId;

/**
 * The grid as a whole.
 *
 * @param id 32 hexadecimal digits
 * @param bytes sum of the sizes of all files
 * @param clients computing nodes with a session at the catalog
 */
public record Grid(String id, List<Server> servers, long files, long directories, long bytes, int clients) {
    public Grid {
        servers = List.copyOf(servers);
    }

    /**
     * A replica server.
     *
     * @param address HOST:PORT
     * @param capacityBytes of the file systems that it publishes from
     */
    public record Server(
            NodeId id,
            String name,
            String site,
            String address,
            boolean alive,
            long files,
            long capacityBytes,
            long freeBytes) {}
}
