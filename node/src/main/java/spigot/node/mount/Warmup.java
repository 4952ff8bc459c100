package spigot.node.mount;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import spigot.cache.ByteRange;
import spigot.cache.FileClient;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.DirectoryListing;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileRecord;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.control.ControlHandler;

/**
 * Fetches, looks at, drops or pins files, and all files below directories. One file at a time: the cache fetches several pieces of it
 * at once. Files that fail are told of and left out.
 */
final class Warmup {
    private static final int MAX_ERRORS = 20;

    private final CatalogClient catalog;
    private final FileClient files;
    private final PathLookup lookup;

    Warmup(CatalogClient catalog, FileClient files, PathLookup lookup) {
        this.catalog = catalog;
        this.files = files;
        this.lookup = lookup;
    }

    private enum Mode {
        FETCH,
        CHECK,
        EVICT,
        PIN
    }

    /** What has been done so far; of one request. */
    private static final class Tally {
        long files;
        long bytes;
        long cached;
        long pinned;
        long failed;
        final List<String> errors = new ArrayList<>();

        ObjectNode json() {
            ObjectNode json = Json.object()
                    .put("files", files)
                    .put("bytes", bytes)
                    .put("cached_bytes", cached)
                    .put("pinned_files", pinned)
                    .put("failed", failed);
            ArrayNode list = json.putArray("errors");
            errors.forEach(list::add);
            return json;
        }
    }

    JsonNode run(ObjectNode request, ControlHandler.Progress progress)
            throws NodeException, IOException, InterruptedException {
        Mode mode = switch (request.path("mode").asText()) {
            case "fetch" -> Mode.FETCH;
            case "check" -> Mode.CHECK;
            case "evict" -> Mode.EVICT;
            case "pin" -> Mode.PIN;
            default ->
                throw new NodeException("warmup knows fetch, check, evict and pin, not '"
                        + request.path("mode").asText() + "'");
        };
        FileRecord start = lookup.find(request.path("path").asText());
        Tally tally = new Tally();
        Deque<FileId> directories = new ArrayDeque<>();
        take(start, directories, mode, tally, progress);
        while (!directories.isEmpty()) {
            DirectoryListing listing = catalog.list(directories.pop());
            for (int i = 0; i < listing.size(); i++) {
                take(listing.record(i), directories, mode, tally, progress);
            }
        }
        return tally.json();
    }

    private void take(
            FileRecord file, Deque<FileId> directories, Mode mode, Tally tally, ControlHandler.Progress progress)
            throws IOException, InterruptedException {
        if (file.attributes().kind() == FileKind.DIRECTORY) {
            directories.push(file.id());
            return;
        }
        if (file.attributes().kind() != FileKind.REGULAR) {
            return;
        }
        tally.files++;
        tally.bytes += file.attributes().size();
        long before = tally.cached;
        progress.report(tally.json());
        try {
            carryOut(file, mode, tally, before, progress);
            tally.cached = before + cachedBytes(file);
            tally.pinned += files.isPinned(file.id()) ? 1 : 0;
        } catch (IOException e) {
            tally.failed++;
            if (tally.errors.size() < MAX_ERRORS) {
                tally.errors.add(NodeException.reason(e));
            }
        }
    }

    private void carryOut(FileRecord file, Mode mode, Tally tally, long before, ControlHandler.Progress progress)
            throws IOException, InterruptedException {
        switch (mode) {
            case CHECK -> {}
            case EVICT -> {
                files.pin(file.id(), false);
                files.evict(file.id());
            }
            case FETCH -> fetch(file, tally, before, progress);
            case PIN -> {
                files.pin(file.id(), true);
                fetch(file, tally, before, progress);
            }
        }
    }

    private void fetch(FileRecord file, Tally tally, long before, ControlHandler.Progress progress)
            throws IOException, InterruptedException {
        Listener listener = new Listener(tally, before, progress);
        files.warmup(file, new ByteRange(0, file.attributes().size()), listener::cached);
        listener.check();
    }

    /** Passes progress on; that nobody listens any more is told after the file. */
    private static final class Listener {
        private final Tally tally;
        private final long before;
        private final ControlHandler.Progress progress;
        private volatile @org.jspecify.annotations.Nullable IOException gone;

        Listener(Tally tally, long before, ControlHandler.Progress progress) {
            this.tally = tally;
            this.before = before;
            this.progress = progress;
        }

        void cached(long bytes) {
            tally.cached = before + bytes;
            try {
                progress.report(tally.json());
            } catch (IOException e) {
                gone = e;
            }
        }

        void check() throws IOException {
            if (gone != null) {
                throw new IOException("stopped: who asked for it is gone", gone);
            }
        }
    }

    private long cachedBytes(FileRecord file) throws IOException {
        return files.cachedRanges(file).stream().mapToLong(ByteRange::length).sum();
    }
}
