package spigot.replica;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.Errno;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileSettings;
import spigot.linux.FileStatus;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.RawBytes;
import spigot.model.XattrKinds;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.OperationReply;

/** Sets attributes or one extended attribute of a file or directory. Done twice it does the same, so that nothing need be noted. */
final class ChangeFile extends TreeOperation {
    private static final int SET_GROUP = 02000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final FileId id;
    private final Operation.Who who;
    private final Operation.@Nullable Set set;
    private final Operation.@Nullable SetXattr xattr;
    private @Nullable IndexedFile row;
    private @Nullable Descriptor located;
    private @Nullable FileStatus before;
    private @Nullable FileStatus after;
    private XattrKinds xattrs = XattrKinds.NONE;
    private boolean again;

    ChangeFile(
            Parts parts,
            PublishedTree tree,
            FileId id,
            Operation.Who who,
            Operation.@Nullable Set set,
            Operation.@Nullable SetXattr xattr) {
        super(parts, tree);
        this.id = id;
        this.who = who;
        this.set = set;
        this.xattr = xattr;
    }

    private IndexedFile row() {
        return Objects.requireNonNull(row, "not prepared");
    }

    private Descriptor located() {
        return Objects.requireNonNull(located, "not prepared");
    }

    @Override
    Set<FileId> directories() throws IOException {
        Set<FileId> directories = new LinkedHashSet<>();
        IndexedName name = parts.index().anyName(id);
        if (name != null) {
            directories.add(name.directory());
        }
        IndexedFile known = parts.index().file(id);
        if (name == null || (known != null && known.attributes().isDirectory())) {
            directories.add(id);
        }
        return directories;
    }

    @Override
    void prepare() throws IOException {
        IndexedFile known = parts.index().file(id);
        byte @Nullable [] path = known == null ? null : parts.index().path(id, tree.rootId());
        if (known == null || path == null) {
            throw new SystemCallException("change", "file " + id, Errno.ENOENT);
        }
        row = known;
        Descriptor file;
        try {
            file = toClose(tree.locate(path));
        } catch (SystemCallException e) {
            throw TreeErrors.isAbsence(e.errno()) ? OpenDirectory.behindTheBack(parts.index(), id) : e;
        }
        located = file;
        FileStatus status = statusOf(file);
        before = status;
        if (known.attributes().isDirectory()) {
            boolean same = status.isDirectory()
                    && (known.inode() == IndexedFile.NOT_LOOKED_INTO || known.inode() == status.inode());
            if (!same) {
                throw OpenDirectory.behindTheBack(parts.index(), id);
            }
        } else {
            if (FileChange.between(known, status) == FileChange.OTHER_FILE) {
                throw OpenDirectory.behindTheBack(parts.index(), id);
            }
            requireSettled(known, status);
        }
    }

    @Override
    List<ServedFile> files() throws IOException {
        return row().attributes().isDirectory() ? List.of() : List.of(served(row()));
    }

    @Override
    @Nullable
    FileId changesContentOf() {
        return set != null && set.size() >= 0 ? id : null;
    }

    @Override
    Noted noted() {
        return Noted.justNow();
    }

    @Override
    boolean wasDone(Noted then) {
        again = true;
        return false;
    }

    @Override
    FileId subject() {
        return id;
    }

    @Override
    void perform() throws IOException {
        if (set != null) {
            performSet(set);
        } else if (xattr != null) {
            performXattr(xattr);
        }
        after = statusOf(located());
        xattrs = XattrKinds.of(ExtendedAttributes.names(located()));
    }

    /** The size first: it is what may be refused, and nothing has been changed then. */
    private void performSet(Operation.Set wanted) throws IOException {
        if (wanted.size() >= 0) {
            if (!row().attributes().isRegular()) {
                int errno = row().attributes().isDirectory() ? Errno.EISDIR : Errno.EINVAL;
                throw new SystemCallException("change the size of", "what has none, " + id, errno);
            }
            if (parts.written().isWritten(id)) {
                parts.written().commit(id, new spigot.replica.commit.Mutation.Resize(wanted.size()), now());
            } else {
                FileSettings.setSize(located(), wanted.size());
            }
        }
        if (wanted.uid() != FileSettings.UNCHANGED || wanted.gid() != FileSettings.UNCHANGED) {
            FileSettings.setOwner(located(), wanted.uid(), wanted.gid());
        }
        if (wanted.mode() >= 0) {
            int group = statusOf(located()).gid();
            boolean keepsGroup =
                    who.uid() == 0 || who.isIn(group) || !row().attributes().isRegular();
            FileSettings.setMode(located(), keepsGroup ? wanted.mode() : wanted.mode() & ~SET_GROUP);
        }
        if (wanted.accessedNanos() != FileSettings.OMIT || wanted.modifiedNanos() != FileSettings.OMIT) {
            boolean written = parts.written().isWritten(id);
            if (written && wanted.modifiedNanos() != FileSettings.OMIT) {
                long modified = wanted.modifiedNanos() == FileSettings.NOW ? now() : wanted.modifiedNanos();
                parts.written().commit(id, new spigot.replica.commit.Mutation.Write(List.of()), modified);
            }
            FileSettings.setTimes(
                    located(), wanted.accessedNanos(), written ? FileSettings.OMIT : wanted.modifiedNanos());
        }
    }

    private static long now() {
        return System.currentTimeMillis() * NANOS_PER_MILLI;
    }

    private void performXattr(Operation.SetXattr wanted) throws IOException {
        byte[] name = wanted.name().toArray();
        RawBytes value = wanted.value();
        try {
            if (value == null) {
                ExtendedAttributes.remove(located(), name);
            } else {
                ExtendedAttributes.set(located(), name, value.toArray(), wanted.setting());
            }
        } catch (SystemCallException e) {
            // Done in an earlier life, of which only the intent is left.
            boolean done = again
                    && (value == null
                            ? e.errno() == Errno.ENODATA
                            : e.errno() == Errno.EEXIST
                                    && value.equals(RawBytes.copyOf(ExtendedAttributes.value(located(), name))));
            if (!done) {
                throw e;
            }
        }
    }

    private FileStatus after() {
        return Objects.requireNonNull(after, "not performed");
    }

    private boolean changesContent() {
        return changesContentOf() != null;
    }

    private Attributes attributes() {
        return FileAttributes.of(after(), xattrs);
    }

    @Override
    List<Mutation> mutations() {
        return List.of(
                row().attributes().isDirectory()
                        ? set(id, attributes(), changesContent())
                        : setFile(id, attributes(), changesContent()));
    }

    @Override
    void apply(NamespaceReply reply) throws IOException {
        IndexedFile known = row();
        if (known.attributes().isDirectory()) {
            IndexedFile now = parts.index().file(id);
            FileStatus then = Objects.requireNonNull(before, "not prepared");
            if (now != null && now.inode() == then.inode() && now.attributes().changedNanos() == then.changedNanos()) {
                parts.index().update(now.seen(after(), attributes()));
            }
        } else {
            // Times that were set are not a change by others.
            boolean timesSet = set != null && set.modifiedNanos() != FileSettings.OMIT;
            took(known, after(), attributes(), reply.getRecords(0), changesContent() || timesSet);
        }
    }

    @Override
    OperationReply.Builder reply(NamespaceReply reply) {
        return OperationReply.newBuilder().setRecord(reply.getRecords(0));
    }

    @Override
    List<IndexedName> places() {
        try {
            IndexedName name = parts.index().anyName(id);
            return name == null ? names(id, RawBytes.EMPTY) : names(name.directory(), name.name());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException("the index of published files can't be read", e);
        }
    }
}
