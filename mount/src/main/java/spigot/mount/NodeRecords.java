package spigot.mount;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import spigot.catalog.client.CachedLookup;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.DirectoryListing;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * Finds what the grid knows of a node: through the name under which it was seen last, as names are what leases cover. Safe
 * for any thread; only {@link #record} blocks.
 */
final class NodeRecords {
    private final CatalogClient catalog;
    private final NodeTable nodes;
    private final OpenFiles open;
    private final RecentRecords recent = new RecentRecords();

    NodeRecords(CatalogClient catalog, NodeTable nodes, OpenFiles open) {
        this.catalog = catalog;
        this.nodes = nodes;
        this.open = open;
    }

    /** @throws ErrorNumbers.StaleNodeException when the node is not known */
    FileId file(long node) throws ErrorNumbers.StaleNodeException {
        FileId file = nodes.file(node);
        if (file == null) {
            throw new ErrorNumbers.StaleNodeException(node);
        }
        return file;
    }

    /** A program was told of this file, and may open it next. */
    void lookedUp(FileRecord record) {
        recent.lookedUp(record);
    }

    /** The directory whose lease covers the node's attributes: the root covers its own. */
    FileId covering(long node) {
        NodeTable.Place place = nodes.place(node);
        return place == null ? FileId.ROOT : place.directory();
    }

    /** The record without asking; null when the catalog must be asked. */
    @Nullable
    FileRecord cached(long node, FileId file) {
        NodeTable.Place place = nodes.place(node);
        if (place == null) {
            DirectoryListing root = file.equals(FileId.ROOT) ? catalog.cachedListing(file) : null;
            return root == null ? null : root.own();
        }
        return catalog.cachedLookup(place.directory(), place.name()) instanceof CachedLookup.Present(FileRecord record)
                        && record.id().equals(file)
                ? record
                : null;
    }

    /** The record, from the cache or by asking the catalog. A file that has no name any more but is open has no links. */
    FileRecord record(long node, FileId file) throws IOException, InterruptedException {
        FileRecord cached = cached(node, file);
        if (cached != null) {
            return cached;
        }
        try {
            NodeTable.Place place = nodes.place(node);
            if (place != null) {
                Optional<FileRecord> named = catalog.lookup(place.directory(), place.name());
                if (named.isPresent() && named.get().id().equals(file)) {
                    return named.get();
                }
            }
            return file.equals(FileId.ROOT) ? catalog.list(file).own() : catalog.record(file);
        } catch (FailureException e) {
            FileRecord seen = open.seenByHome(file);
            if (e.code() == Failure.Code.NOT_FOUND && seen != null) {
                return withoutLinks(seen);
            }
            FileRecord lookedUp = recent.get(file);
            if (e.code() == Failure.Code.NOT_FOUND && lookedUp != null) {
                return withoutLinks(lookedUp);
            }
            throw e;
        }
    }

    /** The newer of what the catalog says and what the home said at the last open, which may be ahead for a moment. */
    static FileRecord newer(FileRecord catalog, @Nullable FileRecord home) {
        return home != null && isAhead(home, catalog) ? home : catalog;
    }

    static boolean isAhead(FileRecord home, FileRecord catalog) {
        int order = home.version().compareTo(catalog.version());
        return order > 0
                || (order == 0
                        && home.attributes().changedNanos()
                                > catalog.attributes().changedNanos());
    }

    private static FileRecord withoutLinks(FileRecord record) {
        Attributes last = record.attributes();
        return new FileRecord(
                record.id(),
                new Attributes(
                        last.kind(),
                        last.mode(),
                        last.uid(),
                        last.gid(),
                        last.size(),
                        last.allocatedBytes(),
                        0,
                        last.modifiedNanos(),
                        last.changedNanos(),
                        last.accessedNanos(),
                        last.bornNanos(),
                        last.device(),
                        last.xattrs()),
                record.version(),
                record.fragmentBytes(),
                record.home(),
                record.homeEpoch(),
                record.symlinkTarget(),
                record.readOnly());
    }
}
