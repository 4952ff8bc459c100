package spigot.cache;

import java.util.List;
import spigot.model.FileRecord;
import spigot.model.Replica;

/** Where a file's bytes are, as the catalog says. The home comes first; copies that may not be served are ignored. */
public record Located(FileRecord record, List<Replica> replicas) {
    public Located {
        replicas = List.copyOf(replicas);
    }
}
