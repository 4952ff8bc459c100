package spigot.replica;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.DirectoryEntries;
import spigot.linux.Errno;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileSettings;
import spigot.linux.FileStatus;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.Fragments;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.transport.Messages;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.OperationReply;

/**
 * Makes a file, directory, node or symbolic link, owned by the caller as far as this process may give it away. A directory with the
 * bit for set-group-ID hands its group on, and to directories the bit, too; a default access list is inherited, and the umask does not
 * count then: inode(7), acl(5).
 */
final class MakeEntry extends TreeOperation {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int PERMISSIONS = 0777;
    private static final int SET_GROUP = 02000;
    private static final int SPECIAL = 07000;

    /** Clocks of file systems tick coarsely. */
    private static final long TICK_NANOS = 20_000_000L;

    private final Operation.Make make;
    private final Operation.Who who;
    private final FileId id = FileId.random(RANDOM);
    private @Nullable OpenDirectory directory;
    private OpenDirectory.Entry found = new OpenDirectory.Entry(null, null);
    private @Nullable FileStatus made;
    private XattrKinds xattrs = XattrKinds.NONE;
    private @Nullable Attributes directoryAfter;

    MakeEntry(Parts parts, PublishedTree tree, Operation.Make make, Operation.Who who) {
        super(parts, tree);
        this.make = make;
        this.who = who;
    }

    private OpenDirectory directory() {
        OpenDirectory open = directory;
        if (open == null) {
            throw new IllegalStateException("not prepared");
        }
        return open;
    }

    @Override
    Set<FileId> directories() {
        return Set.of(make.directory());
    }

    @Override
    void prepare() throws IOException {
        OpenDirectory open = openDirectory(make.directory());
        directory = open;
        found = open.look(make.name());
    }

    @Override
    @Nullable
    FileId answeredBy() {
        IndexedFile row = found.row();
        return row != null && !make.exclusive() ? row.id() : null;
    }

    @Override
    Noted noted() {
        return Noted.justNow();
    }

    @Override
    boolean wasDone(Noted then) {
        FileStatus there = found.status();
        return there != null
                && (there.fullMode() & ~Operation.MODE) == make.kind().typeBits()
                && Math.max(there.bornNanos(), there.changedNanos()) >= then.nanos() - TICK_NANOS;
    }

    @Override
    @Nullable
    FileId subject() {
        IndexedFile row = found.row();
        return row == null ? null : row.id();
    }

    @Override
    void perform() throws IOException {
        if (found.isThere()) {
            throw new SystemCallException("make", make.name().toString(), Errno.EEXIST);
        }
        Descriptor parent = directory().descriptor();
        byte[] name = make.name().toArray();
        boolean inherits =
                make.kind() != FileKind.SYMLINK && ExtendedAttributes.has(parent, ExtendedAttributes.DEFAULT_LIST);
        int permissions = inherits ? make.mode() & PERMISSIONS : make.mode() & PERMISSIONS & ~who.umask();
        try (Descriptor entry = make(parent, name, permissions)) {
            boolean whole = false;
            try {
                give(entry, inherits, permissions);
                made = statusOf(entry);
                xattrs = XattrKinds.of(ExtendedAttributes.names(entry));
                whole = true;
            } finally {
                if (!whole) {
                    removeAgain(parent, name);
                }
            }
        }
    }

    private Descriptor make(Descriptor parent, byte[] name, int permissions) throws SystemCallException {
        int type = make.kind().typeBits();
        switch (make.kind()) {
            case REGULAR -> {
                return DirectoryEntries.createFile(parent, name, permissions);
            }
            case DIRECTORY -> DirectoryEntries.makeDirectory(parent, name, permissions);
            case SYMLINK -> DirectoryEntries.makeSymbolicLink(make.target().toArray(), parent, name);
            case FIFO, SOCKET -> DirectoryEntries.makeNode(parent, name, type | permissions, 0);
            case CHARACTER_DEVICE, BLOCK_DEVICE ->
                DirectoryEntries.makeNode(parent, name, type | permissions, make.device());
        }
        return within(parent).locate(name);
    }

    private void give(Descriptor entry, boolean inherits, int permissions) throws SystemCallException {
        boolean groupFromParent = (directory().before().fullMode() & SET_GROUP) != 0;
        FileStatus status = statusOf(entry);
        int gid = groupFromParent ? status.gid() : who.gid();
        if (status.uid() != who.uid() || status.gid() != gid) {
            try {
                FileSettings.setOwner(entry, who.uid(), gid);
            } catch (SystemCallException e) {
                // A server without the right to give files away owns what is made through it.
                if (e.errno() != Errno.EPERM) {
                    throw e;
                }
            }
        }
        if (make.kind() == FileKind.SYMLINK) {
            return;
        }
        int special = make.mode() & SPECIAL;
        if (make.kind() == FileKind.DIRECTORY && groupFromParent) {
            special |= SET_GROUP;
        } else if (make.kind() == FileKind.REGULAR && who.uid() != 0 && !who.isIn(gid)) {
            special &= ~SET_GROUP;
        }
        int mode = special | (inherits ? status.fullMode() & PERMISSIONS : permissions);
        if ((statusOf(entry).fullMode() & Operation.MODE) != mode) {
            FileSettings.setMode(entry, mode);
        }
    }

    private void removeAgain(Descriptor parent, byte[] name) throws SystemCallException {
        if (make.kind() == FileKind.DIRECTORY) {
            DirectoryEntries.removeDirectory(parent, name);
        } else {
            DirectoryEntries.unlink(parent, name);
        }
    }

    @Override
    boolean undo() throws IOException {
        removeAgain(directory().descriptor(), make.name().toArray());
        return true;
    }

    private FileStatus made() {
        FileStatus status = made;
        if (status == null) {
            throw new IllegalStateException("not performed");
        }
        return status;
    }

    @Override
    List<Mutation> mutations() throws IOException {
        Mutation.Add.Builder add = Mutation.Add.newBuilder()
                .setDirectory(Messages.bytes(make.directory()))
                .setName(Messages.bytes(make.name()))
                .setId(Messages.bytes(id))
                .setAttributes(Messages.wire(FileAttributes.of(made(), xattrs)));
        if (make.kind() == FileKind.SYMLINK) {
            add.setSymlinkTarget(Messages.bytes(make.target()));
        }
        directoryAfter = directory().attributes();
        return List.of(Mutation.newBuilder().setAdd(add).build(), set(make.directory(), directoryAfter, false));
    }

    @Override
    FileRecord early() {
        FileRecord.Builder record = FileRecord.newBuilder()
                .setId(Messages.bytes(id))
                .setAttributes(Messages.wire(FileAttributes.of(made(), xattrs)))
                .setFragmentBytes(Fragments.DEFAULT_BYTES);
        if (make.kind() == FileKind.SYMLINK) {
            record.setSymlinkTarget(Messages.bytes(make.target()));
        }
        if (make.kind() != FileKind.DIRECTORY) {
            record.setHome(Messages.bytes(parts.server())).setHomeEpoch(1).setVersion(Messages.wire(new Version(1, 1)));
        }
        return record.build();
    }

    @Override
    void apply(NamespaceReply reply) throws IOException {
        FileRecord record = reply.getRecords(0);
        boolean isDirectory = make.kind() == FileKind.DIRECTORY;
        IndexedFile row = new IndexedFile(
                id,
                tree.number(),
                made().device(),
                isDirectory ? IndexedFile.NOT_LOOKED_INTO : made().inode(),
                FileAttributes.of(made(), xattrs),
                Messages.version(record.getVersion()),
                record.getHomeEpoch(),
                record.getFragmentBytes() == 0 ? Fragments.DEFAULT_BYTES : record.getFragmentBytes(),
                ReplicaState.HOME);
        parts.index().add(tree.number(), List.of(new PublicationIndex.Addition(make.directory(), make.name(), row)));
        if (directoryAfter != null) {
            directory().told(directoryAfter);
        }
        if (isDirectory) {
            // It is watched from the first look on.
            tree.lookAtDirectory(id);
        }
    }

    @Override
    OperationReply.Builder reply(NamespaceReply reply) {
        return OperationReply.newBuilder()
                .setRecord(reply.getRecords(0))
                .setCreated(true)
                .addDirectories(reply.getRecords(1));
    }

    @Override
    List<IndexedName> places() {
        return names(make.directory(), make.name());
    }
}
