package spigot.catalog.client;

import java.util.List;
import spigot.model.FileRecord;
import spigot.model.Replica;

/**
 * A file and where its data are.
 *
 * @param replicas those that serve it: the home first, if its server is alive, then the verified ones
 */
public record Located(FileRecord record, List<Replica> replicas) {
    public Located {
        replicas = List.copyOf(replicas);
    }
}
