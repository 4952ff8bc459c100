package spigot.replica;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.Errno;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.RawBytes;
import spigot.transport.Messages;
import spigot.transport.wire.Mutation;

/**
 * A published directory that an operation works in, open, and the same that the index knows. To be used in its turn, on an I/O
 * thread; what the tree shows and the index does not is {@link BehindTheBackException}.
 */
final class OpenDirectory implements AutoCloseable {
    private final PublicationIndex index;
    private final PublishedTree tree;
    private final IndexedFile row;
    private final Descriptor descriptor;
    private final FileStatus before;

    /** The tree was changed by others: the publication has to look first. */
    static final class BehindTheBackException extends IOException {
        private static final long serialVersionUID = 1L;
        private final transient FileId directory;
        private final transient RawBytes name;

        BehindTheBackException(FileId directory, RawBytes name) {
            super("'" + name + "' was changed behind the server's back");
            this.directory = directory;
            this.name = name;
        }

        FileId directory() {
            return directory;
        }

        RawBytes name() {
            return name;
        }
    }

    /** What a name leads to; nothing where both are null. */
    record Entry(@Nullable IndexedFile row, @Nullable FileStatus status) {
        boolean isThere() {
            return status != null;
        }
    }

    private OpenDirectory(
            PublicationIndex index, PublishedTree tree, IndexedFile row, Descriptor descriptor, FileStatus before) {
        this.index = index;
        this.tree = tree;
        this.row = row;
        this.descriptor = descriptor;
        this.before = before;
    }

    /** @throws SystemCallException ENOENT when it is gone, ENOTDIR when it is none */
    static OpenDirectory open(PublicationIndex index, PublishedTree tree, FileId id) throws IOException {
        IndexedFile row = index.file(id);
        byte @Nullable [] path = row == null ? null : index.path(id, tree.rootId());
        if (row == null || path == null || row.publication() != tree.number()) {
            throw new SystemCallException("open", "directory " + id, Errno.ENOENT);
        }
        if (!row.attributes().isDirectory()) {
            throw new SystemCallException("open", "directory " + id, Errno.ENOTDIR);
        }
        Descriptor descriptor;
        try {
            descriptor = tree.locate(path);
        } catch (SystemCallException e) {
            if (TreeErrors.isAbsence(e.errno())) {
                throw behindTheBack(index, id);
            }
            throw e;
        }
        FileStatus status = Statx.of(descriptor.number());
        boolean same = status.isDirectory()
                && (row.inode() == IndexedFile.NOT_LOOKED_INTO
                        || (row.inode() == status.inode() && row.device() == status.device()));
        if (!same) {
            descriptor.close();
            throw behindTheBack(index, id);
        }
        return new OpenDirectory(index, tree, row, descriptor, status);
    }

    static BehindTheBackException behindTheBack(PublicationIndex index, FileId id) throws IOException {
        IndexedName name = index.anyName(id);
        return name == null
                ? new BehindTheBackException(id, RawBytes.EMPTY)
                : new BehindTheBackException(name.directory(), name.name());
    }

    FileId id() {
        return row.id();
    }

    Descriptor descriptor() {
        return descriptor;
    }

    /** As it was when it was opened. */
    FileStatus before() {
        return before;
    }

    /** @throws SystemCallException EACCES when the name is the server's own */
    Entry look(RawBytes name) throws IOException {
        byte[] raw = name.toArray();
        if (row.id().equals(tree.rootId()) && Orphans.isTheirs(raw)) {
            throw new SystemCallException("use the name", name.toString(), Errno.EACCES);
        }
        FileId known = index.child(tree.number(), row.id(), name);
        IndexedFile there = known == null ? null : index.file(known);
        FileStatus status = null;
        try {
            status = Statx.at(descriptor.number(), raw);
        } catch (SystemCallException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
        if ((there == null) != (status == null) || (there != null && status != null && isAnother(there, status))) {
            throw new BehindTheBackException(row.id(), name);
        }
        return new Entry(there, status);
    }

    private static boolean isAnother(IndexedFile row, FileStatus status) {
        if (row.attributes().isDirectory()) {
            return !status.isDirectory()
                    || (row.inode() != IndexedFile.NOT_LOOKED_INTO
                            && (row.inode() != status.inode() || row.device() != status.device()));
        }
        return FileChange.between(row, status) == FileChange.OTHER_FILE;
    }

    /** The place of an entry, which is not followed. */
    Descriptor locate(RawBytes name) throws SystemCallException {
        return RootDirectory.borrowed(descriptor).locate(name.toArray());
    }

    Attributes attributes() throws SystemCallException {
        return FileAttributes.of(Statx.of(descriptor.number()), row.attributes().xattrs());
    }

    /** Its attributes, which change with its names. */
    Mutation changed() throws SystemCallException {
        return Mutation.newBuilder()
                .setSet(Mutation.Set.newBuilder()
                        .setId(Messages.bytes(row.id()))
                        .setAttributes(Messages.wire(attributes())))
                .build();
    }

    /**
     * The catalog has been told these attributes. If they had been changed by others before, the index goes on to show the old ones: so
     * the next look finds that something is new.
     */
    void told(Attributes attributes) throws IOException {
        IndexedFile now = index.file(row.id());
        boolean seenBefore = now != null
                && now.inode() == before.inode()
                && now.attributes().changedNanos() == before.changedNanos()
                && now.attributes().modifiedNanos() == before.modifiedNanos();
        if (now != null && seenBefore) {
            index.update(new IndexedFile(
                    now.id(),
                    now.publication(),
                    now.device(),
                    now.inode(),
                    attributes,
                    now.version(),
                    now.homeEpoch(),
                    now.fragmentBytes(),
                    now.state()));
        }
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
