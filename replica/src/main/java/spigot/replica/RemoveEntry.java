package spigot.replica;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.linux.DirectoryEntries;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.transport.Messages;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.OperationReply;

/** Removes a name, or an empty directory. */
final class RemoveEntry extends TreeOperation {
    private final Operation.Remove remove;
    private @Nullable OpenDirectory directory;
    private OpenDirectory.Entry found = new OpenDirectory.Entry(null, null);
    private @Nullable Victim victim;
    private @Nullable Attributes directoryAfter;

    RemoveEntry(Parts parts, PublishedTree tree, Operation.Remove remove) {
        super(parts, tree);
        this.remove = remove;
    }

    private OpenDirectory directory() {
        return Objects.requireNonNull(directory, "not prepared");
    }

    private Victim victim() {
        return Objects.requireNonNull(victim, "not prepared");
    }

    @Override
    Set<FileId> directories() throws IOException {
        Set<FileId> directories = new LinkedHashSet<>(Set.of(remove.directory()));
        FileId child = parts.index().child(tree.number(), remove.directory(), remove.name());
        if (child != null && remove.kindIsDirectory()) {
            directories.add(child);
        }
        return directories;
    }

    @Override
    void prepare() throws IOException {
        OpenDirectory open = openDirectory(remove.directory());
        directory = open;
        found = open.look(remove.name());
        IndexedFile row = found.row();
        if (row != null) {
            victim = new Victim(this, row, toClose(open.locate(remove.name())));
        }
    }

    @Override
    List<ServedFile> files() throws IOException {
        Victim there = victim;
        return there == null || there.isDirectory() ? List.of() : List.of(served(there.row()));
    }

    @Override
    Noted noted() throws IOException {
        Victim there = victim;
        return there == null ? Noted.NOTHING : Noted.of(there.status());
    }

    @Override
    boolean wasDone(Noted then) {
        return then.inode() != 0 && !then.is(found.status());
    }

    @Override
    @Nullable
    FileId subject() {
        return null;
    }

    @Override
    void perform() throws IOException {
        if (victim == null) {
            throw new SystemCallException("remove", remove.name().toString(), Errno.ENOENT);
        }
        byte[] name = remove.name().toArray();
        boolean done = false;
        try {
            if (remove.kindIsDirectory()) {
                DirectoryEntries.removeDirectory(directory().descriptor(), name);
            } else {
                victim().keepForReaders();
                DirectoryEntries.unlink(directory().descriptor(), name);
            }
            done = true;
        } finally {
            if (!done) {
                victim().stays();
            }
        }
        victim().lookAfterwards();
    }

    @Override
    List<Mutation> mutations() throws IOException {
        List<Mutation> mutations = victim().mutations();
        directoryAfter = directory().attributes();
        mutations.addFirst(set(remove.directory(), directoryAfter, false));
        mutations.addFirst(Mutation.newBuilder()
                .setRemove(Mutation.Remove.newBuilder()
                        .setDirectory(Messages.bytes(remove.directory()))
                        .setName(Messages.bytes(remove.name()))
                        .setId(Messages.bytes(victim().id())))
                .build());
        return mutations;
    }

    private static @Nullable FileRecord left(NamespaceReply reply) {
        return reply.getRecordsCount() > 2 ? reply.getRecords(2) : null;
    }

    @Override
    void apply(NamespaceReply reply) throws IOException {
        victim().apply(remove.directory(), remove.name(), left(reply));
        if (directoryAfter != null) {
            directory().told(directoryAfter);
        }
    }

    @Override
    OperationReply.Builder reply(NamespaceReply reply) {
        return OperationReply.newBuilder()
                .addDirectories(reply.getRecords(1))
                .setReplaced(victim().record(left(reply)));
    }

    @Override
    List<IndexedName> places() {
        return names(remove.directory(), remove.name());
    }
}
