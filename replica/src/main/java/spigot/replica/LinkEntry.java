package spigot.replica;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryEntries;
import spigot.linux.Errno;
import spigot.linux.FileStatus;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.transport.Messages;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.OperationReply;

/** Gives a file a further name. */
final class LinkEntry extends TreeOperation {
    private final Operation.MakeLink link;
    private @Nullable OpenDirectory directory;
    private OpenDirectory.Entry found = new OpenDirectory.Entry(null, null);
    private @Nullable IndexedFile row;
    private @Nullable Descriptor located;
    private @Nullable FileStatus after;
    private @Nullable Attributes directoryAfter;

    LinkEntry(Parts parts, PublishedTree tree, Operation.MakeLink link) {
        super(parts, tree);
        this.link = link;
    }

    private OpenDirectory directory() {
        return java.util.Objects.requireNonNull(directory, "not prepared");
    }

    private IndexedFile row() {
        return java.util.Objects.requireNonNull(row, "not prepared");
    }

    @Override
    Set<FileId> directories() throws IOException {
        Set<FileId> directories = new LinkedHashSet<>(Set.of(link.directory()));
        IndexedName name = parts.index().anyName(link.file());
        if (name != null) {
            directories.add(name.directory());
        }
        return directories;
    }

    @Override
    void prepare() throws IOException {
        IndexedFile known = parts.index().file(link.file());
        if (known != null && known.publication() != tree.number()) {
            throw new SystemCallException("link", "file " + link.file(), Errno.EXDEV);
        }
        byte @Nullable [] path = known == null ? null : parts.index().path(link.file(), tree.rootId());
        if (known == null || path == null) {
            throw new SystemCallException("link", "file " + link.file(), Errno.ENOENT);
        }
        if (known.attributes().isDirectory()) {
            throw new SystemCallException("link", "directory " + link.file(), Errno.EPERM);
        }
        row = known;
        OpenDirectory open = openDirectory(link.directory());
        directory = open;
        found = open.look(link.name());
        Descriptor file;
        try {
            file = toClose(tree.locate(path));
        } catch (SystemCallException e) {
            throw TreeErrors.isAbsence(e.errno()) ? OpenDirectory.behindTheBack(parts.index(), link.file()) : e;
        }
        located = file;
        FileStatus status = statusOf(file);
        if (FileChange.between(known, status) == FileChange.OTHER_FILE) {
            throw OpenDirectory.behindTheBack(parts.index(), link.file());
        }
        requireSettled(known, status);
    }

    private Descriptor located() {
        return java.util.Objects.requireNonNull(located, "not prepared");
    }

    @Override
    List<ServedFile> files() throws IOException {
        return List.of(served(row()));
    }

    @Override
    Noted noted() throws IOException {
        return Noted.of(statusOf(located()));
    }

    @Override
    boolean wasDone(Noted then) {
        return then.is(found.status());
    }

    @Override
    FileId subject() {
        return link.file();
    }

    @Override
    void perform() throws IOException {
        DirectoryEntries.link(located(), directory().descriptor(), link.name().toArray());
        after = statusOf(located());
    }

    private Attributes attributes() {
        return FileAttributes.of(
                java.util.Objects.requireNonNull(after, "not performed"),
                row().attributes().xattrs());
    }

    @Override
    List<Mutation> mutations() throws IOException {
        Mutation add = Mutation.newBuilder()
                .setAdd(Mutation.Add.newBuilder()
                        .setDirectory(Messages.bytes(link.directory()))
                        .setName(Messages.bytes(link.name()))
                        .setId(Messages.bytes(link.file()))
                        .setExisting(true))
                .build();
        directoryAfter = directory().attributes();
        return List.of(add, setFile(link.file(), attributes(), false), set(link.directory(), directoryAfter, false));
    }

    @Override
    void apply(NamespaceReply reply) throws IOException {
        parts.index().add(tree.number(), List.of(new PublicationIndex.Addition(link.directory(), link.name(), row())));
        took(row(), java.util.Objects.requireNonNull(after, "not performed"), attributes(), reply.getRecords(1), false);
        if (directoryAfter != null) {
            directory().told(directoryAfter);
        }
    }

    @Override
    OperationReply.Builder reply(NamespaceReply reply) {
        return OperationReply.newBuilder().setRecord(reply.getRecords(1)).addDirectories(reply.getRecords(2));
    }

    @Override
    List<IndexedName> places() {
        return names(link.directory(), link.name());
    }
}
