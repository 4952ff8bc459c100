package spigot.node.mount;

import java.io.IOException;
import spigot.catalog.client.CatalogClient;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.node.NodeException;

/** Walks logical paths in the catalog, through the client's cache. Blocks; safe for any thread. */
final class PathLookup {
    private final CatalogClient catalog;

    PathLookup(CatalogClient catalog) {
        this.catalog = catalog;
    }

    /** @throws NodeException when there is no such name */
    FileRecord find(String path) throws NodeException, IOException, InterruptedException {
        LogicalPath names;
        try {
            names = LogicalPath.parse(path);
        } catch (IllegalArgumentException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
        if (names.isRoot()) {
            return catalog.record(FileId.ROOT);
        }
        FileRecord at = null;
        for (FileName name : names.names()) {
            FileId directory = at == null ? FileId.ROOT : at.id();
            at = catalog.lookup(directory, name)
                    .orElseThrow(() ->
                            new NodeException("there is no " + path + " in the grid ('" + name + "' is missing)"));
        }
        return java.util.Objects.requireNonNull(at);
    }
}
