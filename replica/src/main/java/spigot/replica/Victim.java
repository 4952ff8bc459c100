package spigot.replica;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryReader;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.RawBytes;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Mutation;

/** What an operation takes a name from: a file, of which something may be left, or an empty directory. */
final class Victim {
    private static final byte[] ITSELF = {};

    private final TreeOperation operation;
    private final IndexedFile row;
    private final Descriptor located;
    private boolean hidden;
    private @Nullable FileStatus after;

    /** @param located what the name leads to; closed by the operation */
    Victim(TreeOperation operation, IndexedFile row, Descriptor located) throws IOException {
        this.operation = operation;
        this.row = row;
        this.located = located;
        FileStatus status = TreeOperation.statusOf(located);
        if (row.attributes().isDirectory()) {
            requireLookedInto();
        } else {
            operation.requireSettled(row, status);
        }
    }

    FileId id() {
        return row.id();
    }

    boolean isDirectory() {
        return row.attributes().isDirectory();
    }

    IndexedFile row() {
        return row;
    }

    FileStatus status() throws IOException {
        return TreeOperation.statusOf(located);
    }

    /** What others have removed from a directory has to leave the catalog before the directory does. */
    private void requireLookedInto() throws IOException {
        List<IndexedName> known = operation.parts.index().children(operation.tree.number(), row.id());
        if (known.isEmpty()) {
            return;
        }
        try (Descriptor listed = RootDirectory.borrowed(located).openDirectory(ITSELF)) {
            if (DirectoryReader.names(listed.number(), "a directory").isEmpty()) {
                throw new OpenDirectory.BehindTheBackException(
                        row.id(), known.getFirst().name());
            }
        }
    }

    /** To be called right before its name goes: whoever has it open keeps it. */
    void keepForReaders() throws IOException {
        if (!isDirectory() && status().links() == 1) {
            hidden = operation.parts.orphans().keep(operation.tree, row, located);
        }
    }

    /** Its name did not go. */
    void stays() throws IOException {
        if (hidden) {
            operation.parts.orphans().release(operation.tree, row.id());
        }
    }

    void lookAfterwards() throws IOException {
        after = status();
    }

    private FileStatus after() {
        return java.util.Objects.requireNonNull(after, "not performed");
    }

    Attributes attributes() {
        return TreeOperation.attributes(after(), row.attributes().xattrs(), hidden ? 1 : 0);
    }

    /** Its other names show that one is gone. */
    List<Mutation> mutations() {
        return isDirectory() || attributes().links() == 0
                ? new ArrayList<>()
                : new ArrayList<>(List.of(operation.setFile(row.id(), attributes(), false)));
    }

    /** @param record the catalog's, when {@link #mutations} had one */
    void apply(FileId directory, RawBytes name, @Nullable FileRecord record) throws IOException {
        TreeOperation.Parts parts = operation.parts;
        for (FileId nameless : parts.index().remove(operation.tree.number(), directory, name)) {
            if (hidden) {
                IndexedFile kept = row.seen(after(), attributes());
                parts.index().putNameless(kept);
                ServedFile served = parts.files().inUse(nameless);
                if (served != null) {
                    served.setRow(kept);
                }
            }
            parts.files().nameless(nameless);
            parts.watcher().unwatch(nameless);
        }
        if (record != null && !TreeOperation.isGone(record)) {
            operation.took(row, after(), attributes(), record, false);
        }
    }

    FileRecord record(@Nullable FileRecord record) {
        return record != null && !TreeOperation.isGone(record) ? record : operation.gone(row, attributes());
    }
}
