package spigot.replica;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryEntries;
import spigot.linux.DirectoryEntries.Renaming;
import spigot.linux.Errno;
import spigot.linux.FileStatus;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.transport.Messages;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.OperationReply;

/** Moves a name within a publication, over another one or in exchange for it if that is asked for. */
final class RenameEntry extends TreeOperation {
    private final Operation.Rename rename;
    private @Nullable OpenDirectory from;
    private @Nullable OpenDirectory to;
    private OpenDirectory.Entry source = new OpenDirectory.Entry(null, null);
    private OpenDirectory.Entry target = new OpenDirectory.Entry(null, null);
    private @Nullable Descriptor moved;
    private @Nullable Victim victim;
    private @Nullable FileStatus after;
    private @Nullable FileStatus otherAfter;

    RenameEntry(Parts parts, PublishedTree tree, Operation.Rename rename) {
        super(parts, tree);
        this.rename = rename;
    }

    private OpenDirectory from() {
        return Objects.requireNonNull(from, "not prepared");
    }

    private OpenDirectory to() {
        return Objects.requireNonNull(to, "not prepared");
    }

    private IndexedFile row() {
        return Objects.requireNonNull(source.row(), "there is a source");
    }

    private boolean isExchange() {
        return rename.renaming() == Renaming.EXCHANGE;
    }

    @Override
    Set<FileId> directories() throws IOException {
        Set<FileId> directories = new LinkedHashSet<>(List.of(rename.directory(), rename.toDirectory()));
        FileId there = parts.index().child(tree.number(), rename.toDirectory(), rename.toName());
        IndexedFile row = there == null ? null : parts.index().file(there);
        if (row != null && row.attributes().isDirectory()) {
            directories.add(row.id());
        }
        return directories;
    }

    @Override
    void prepare() throws IOException {
        from = openDirectory(rename.directory());
        IndexedFile toRow = parts.index().file(rename.toDirectory());
        if (toRow != null && toRow.publication() != tree.number()) {
            throw new SystemCallException("rename", "to another publication", Errno.EXDEV);
        }
        to = openDirectory(rename.toDirectory());
        source = from().look(rename.name());
        target = to().look(rename.toName());
        IndexedFile row = source.row();
        IndexedFile there = target.row();
        if (row != null) {
            Descriptor located = toClose(from().locate(rename.name()));
            moved = located;
            if (!row.attributes().isDirectory()) {
                requireSettled(row, statusOf(located));
            }
        }
        if (there != null && !isSame()) {
            victim = new Victim(this, there, toClose(to().locate(rename.toName())));
        }
    }

    /** Two names of one file: there is nothing to be done, rename(2). */
    private boolean isSame() {
        IndexedFile row = source.row();
        IndexedFile there = target.row();
        return row != null && there != null && row.id().equals(there.id());
    }

    @Override
    @Nullable
    FileId answeredBy() {
        return isSame() && rename.renaming() != Renaming.NO_REPLACE ? row().id() : null;
    }

    @Override
    List<ServedFile> files() throws IOException {
        List<ServedFile> files = new ArrayList<>();
        IndexedFile row = source.row();
        if (row != null && !row.attributes().isDirectory()) {
            files.add(served(row));
        }
        if (victim != null && !victim.isDirectory()) {
            files.add(served(victim.row()));
        }
        files.sort(Comparator.comparing(ServedFile::id));
        return files;
    }

    @Override
    Noted noted() {
        FileStatus status = source.status();
        return status == null ? Noted.NOTHING : Noted.of(status);
    }

    @Override
    boolean wasDone(Noted then) {
        return then.inode() != 0 && then.is(target.status()) && !then.is(source.status());
    }

    @Override
    @Nullable
    FileId subject() {
        IndexedFile row = target.row();
        return row == null ? null : row.id();
    }

    @Override
    void perform() throws IOException {
        Descriptor located = moved;
        if (located == null) {
            throw new SystemCallException("rename", rename.name().toString(), Errno.ENOENT);
        }
        Victim there = victim;
        boolean replaces = there != null && rename.renaming() == Renaming.REPLACE;
        boolean done = false;
        try {
            if (there != null && replaces && !row().attributes().isDirectory()) {
                there.keepForReaders();
            }
            DirectoryEntries.rename(
                    from().descriptor(),
                    rename.name().toArray(),
                    to().descriptor(),
                    rename.toName().toArray(),
                    rename.renaming());
            done = true;
        } finally {
            if (!done && there != null) {
                there.stays();
            }
        }
        after = statusOf(located);
        if (there != null) {
            there.lookAfterwards();
            otherAfter = there.status();
        }
    }

    private Attributes attributes() {
        return FileAttributes.of(
                Objects.requireNonNull(after, "not performed"),
                row().attributes().xattrs());
    }

    private Victim victim() {
        return Objects.requireNonNull(victim, "there is something to exchange");
    }

    private Attributes otherAttributes() {
        return FileAttributes.of(
                Objects.requireNonNull(otherAfter, "not performed"),
                victim().row().attributes().xattrs());
    }

    /** In this order: the move, the moved file, the directories, what is left of the other one. */
    @Override
    List<Mutation> mutations() throws IOException {
        List<Mutation> mutations = new ArrayList<>();
        mutations.add(isExchange() ? exchange() : move());
        mutations.add(setFile(row().id(), attributes(), false));
        mutations.add(from().changed());
        mutations.add(to().changed());
        if (isExchange()) {
            mutations.add(setFile(victim().id(), otherAttributes(), false));
        } else if (victim != null) {
            mutations.addAll(victim.mutations());
        }
        return mutations;
    }

    private Mutation move() {
        Mutation.Move.Builder move = Mutation.Move.newBuilder()
                .setDirectory(Messages.bytes(rename.directory()))
                .setName(Messages.bytes(rename.name()))
                .setId(Messages.bytes(row().id()))
                .setToDirectory(Messages.bytes(rename.toDirectory()))
                .setToName(Messages.bytes(rename.toName()));
        if (victim != null) {
            move.setReplaces(Messages.bytes(victim.id()));
        }
        return Mutation.newBuilder().setMove(move).build();
    }

    private Mutation exchange() {
        return Mutation.newBuilder()
                .setExchange(Mutation.Exchange.newBuilder()
                        .setDirectory(Messages.bytes(rename.directory()))
                        .setName(Messages.bytes(rename.name()))
                        .setId(Messages.bytes(row().id()))
                        .setToDirectory(Messages.bytes(rename.toDirectory()))
                        .setToName(Messages.bytes(rename.toName()))
                        .setToId(Messages.bytes(victim().id())))
                .build();
    }

    private @Nullable FileRecord other(NamespaceReply reply) {
        return reply.getRecordsCount() > 4 ? reply.getRecords(4) : null;
    }

    @Override
    void apply(NamespaceReply reply) throws IOException {
        if (isExchange()) {
            parts.index()
                    .exchange(
                            tree.number(),
                            new IndexedName(rename.directory(), rename.name(), row().id()),
                            new IndexedName(rename.toDirectory(), rename.toName(), victim().id()));
            took(
                    victim().row(),
                    Objects.requireNonNull(otherAfter, "not performed"),
                    otherAttributes(),
                    reply.getRecords(4),
                    false);
        } else {
            if (victim != null) {
                victim.apply(rename.toDirectory(), rename.toName(), other(reply));
            }
            parts.index()
                    .move(
                            tree.number(),
                            rename.directory(),
                            rename.name(),
                            rename.toDirectory(),
                            rename.toName(),
                            row().id());
        }
        took(row(), Objects.requireNonNull(after, "not performed"), attributes(), reply.getRecords(1), false);
        from().told(Messages.attributes(reply.getRecords(2).getAttributes()));
        to().told(Messages.attributes(reply.getRecords(3).getAttributes()));
    }

    @Override
    OperationReply.Builder reply(NamespaceReply reply) {
        OperationReply.Builder answer = OperationReply.newBuilder()
                .setRecord(reply.getRecords(1))
                .addDirectories(reply.getRecords(2))
                .addDirectories(reply.getRecords(3));
        if (isExchange()) {
            answer.setReplaced(reply.getRecords(4));
        } else if (victim != null) {
            answer.setReplaced(victim.record(other(reply)));
        }
        return answer;
    }

    @Override
    List<IndexedName> places() {
        List<IndexedName> places = names(rename.directory(), rename.name());
        places.addAll(names(rename.toDirectory(), rename.toName()));
        return places;
    }
}
