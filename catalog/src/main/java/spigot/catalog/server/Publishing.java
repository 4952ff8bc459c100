package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.PublicationEntry;
import spigot.catalog.server.state.ReplicaEntry;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.Fragments;
import spigot.model.LogicalPath;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Attributes;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Kind;
import spigot.transport.wire.PublishReply;
import spigot.transport.wire.PublishRequest;
import spigot.transport.wire.RegisterReply;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registered;
import spigot.transport.wire.Registration;

/** The commands by which a server publishes: the root of a tree, then its entries in batches. For one thread. */
final class Publishing {
    private static final int SYNTHETIC_MODE = 0755;

    private final Records records;
    private final Links links;
    private final FreshIds ids;
    private final NodeId server;
    private final long nowNanos;

    Publishing(Records records, Links links, FreshIds ids, NodeId server, long nowNanos) {
        this.records = records;
        this.links = links;
        this.ids = ids;
        this.server = server;
        this.nowNanos = nowNanos;
    }

    PublishReply publish(PublishRequest request) throws IOException {
        LogicalPath path = Messages.path(request.getPath());
        Registration entry = Registration.newBuilder()
                .setAttributes(request.getAttributes())
                .setSymlinkTarget(request.getSymlinkTarget())
                .setId(request.getId())
                .build();
        Registrar registrar = registrar(null, request.getReplica(), request.getReadOnly());
        FileId root;
        if (path.isRoot()) {
            root = FileId.ROOT;
            publishRoot(registrar, entry, request.getReplica());
        } else {
            List<FileName> names = path.names();
            FileId directory = FileId.ROOT;
            for (FileName name : names.subList(0, names.size() - 1)) {
                directory = step(path, directory, name, request.getReplica());
            }
            FileName last = names.getLast();
            requireOwnPublication(path, directory, last);
            if (request.getReplica() && records.child(directory, last.toArray()) == null) {
                throw nothingToCopy(path);
            }
            root = Messages.fileId(
                    registrar.register(directory, last, entry, null).getId());
        }
        records.putPublication(
                server,
                root,
                PublicationEntry.newBuilder()
                        .setPath(request.getPath())
                        .setReplica(request.getReplica())
                        .setReadOnly(request.getReadOnly())
                        .build());
        return PublishReply.newBuilder()
                .setRoot(records.existing(root).getRecord())
                .build();
    }

    private void publishRoot(Registrar registrar, Registration entry, boolean replica) throws IOException {
        if (entry.getAttributes().getKind() != Kind.DIRECTORY) {
            throw new FailureException(Failure.Code.NOT_DIRECTORY, "only a directory can be published at '/'");
        }
        Inode inode = records.existing(FileId.ROOT);
        NodeId owner = Messages.nodeIdOrNone(inode.getOwner());
        if (owner.equals(server)) {
            registrar.update(FileId.ROOT, inode, entry);
        } else if (owner.equals(NodeId.NONE)) {
            registrar.adopt(FileId.ROOT, null, new byte[0], inode, entry);
        } else if (replica) {
            registrar.copy(FileId.ROOT, inode, entry);
        } else {
            throw new FailureException(
                    Failure.Code.CONFLICT,
                    "'/' is published already by " + records.serverName(owner)
                            + ": choose another path, or publish a further copy with --replica");
        }
    }

    /** One directory on the way to a publication; it is made, without an owner, if it does not exist. */
    private FileId step(LogicalPath path, FileId directory, FileName name, boolean replica) throws IOException {
        FileId child = records.child(directory, name.toArray());
        if (child != null) {
            if (!Records.isDirectory(records.existing(child))) {
                throw new FailureException(
                        Failure.Code.NOT_DIRECTORY,
                        "'" + path + "' can't be published: '" + name + "' on the way is not a directory");
            }
            return child;
        }
        if (replica) {
            throw nothingToCopy(path);
        }
        FileId made = ids.next();
        FileRecord record = FileRecord.newBuilder()
                .setId(Messages.bytes(made))
                .setAttributes(synthetic(nowNanos))
                .setFragmentBytes(Fragments.DEFAULT_BYTES)
                .build();
        records.put(made, Inode.newBuilder().setRecord(record).build());
        records.putName(made, directory, name.toArray(), List.of());
        return made;
    }

    /** One link, as of a directory whose file system does not count its subdirectories. */
    static Attributes synthetic(long nowNanos) {
        return Attributes.newBuilder()
                .setKind(Kind.DIRECTORY)
                .setMode(SYNTHETIC_MODE)
                .setLinks(1)
                .setModifiedNanos(nowNanos)
                .setChangedNanos(nowNanos)
                .setAccessedNanos(nowNanos)
                .setBornNanos(nowNanos)
                .build();
    }

    private void requireOwnPublication(LogicalPath path, FileId directory, FileName name) throws IOException {
        FileId current = records.child(directory, name.toArray());
        if (current == null) {
            return;
        }
        ReplicaEntry own = records.replica(current, server);
        if (own != null && !own.getPublication().equals(Messages.bytes(current))) {
            throw new FailureException(
                    Failure.Code.CONFLICT,
                    "'" + path + "' is already part of another publication of this server: choose another path");
        }
    }

    private static FailureException nothingToCopy(LogicalPath path) {
        return new FailureException(
                Failure.Code.NOT_FOUND,
                "no server publishes '" + path + "' yet: a further copy needs a home, publish it there first");
    }

    RegisterReply register(RegisterRequest request) throws IOException {
        FileId root = Messages.fileId(request.getPublication());
        if (records.publication(server, root) == null) {
            throw new FailureException(
                    Failure.Code.NOT_FOUND, "this server has no publication " + root + ": publish its root first");
        }
        Registrar registrar = registrar(root, request.getReplica(), request.getReadOnly());
        List<Registered> done = new ArrayList<>(request.getEntriesCount());
        for (Registration entry : request.getEntriesList()) {
            try {
                FileId directory = directory(entry, done);
                done.add(registrar.register(directory, Messages.name(entry.getName()), entry, linked(entry, done)));
            } catch (FailureException e) {
                done.add(Registered.newBuilder().setFailure(e.failure()).build());
            }
        }
        return RegisterReply.newBuilder().addAllEntries(done).build();
    }

    private FileId directory(Registration entry, List<Registered> done) throws IOException {
        FileId directory = entry.getParent().isEmpty()
                ? inBatch(entry.getParentIndex(), done, "directory")
                : Messages.fileId(entry.getParent());
        if (!Records.isDirectory(records.existing(directory))) {
            throw new FailureException(Failure.Code.NOT_DIRECTORY, directory + " is not a directory");
        }
        requireServed(directory, "directory");
        return directory;
    }

    private @Nullable FileId linked(Registration entry, List<Registered> done) throws IOException {
        ByteString same = entry.getSameAs();
        if (same.isEmpty() && entry.getSameAsIndex() == 0) {
            return null;
        }
        FileId id = same.isEmpty() ? inBatch(entry.getSameAsIndex() - 1, done, "hard link") : Messages.fileId(same);
        if (Records.isDirectory(records.existing(id))) {
            throw new FailureException(Failure.Code.BAD_REQUEST, "a directory has no hard links: " + id);
        }
        requireServed(id, "file");
        return id;
    }

    private static FileId inBatch(int index, List<Registered> done, String what) throws FailureException {
        if (index < 0 || index >= done.size()) {
            throw new FailureException(
                    Failure.Code.BAD_REQUEST, "entry " + done.size() + " refers to a later entry " + index);
        }
        if (done.get(index).hasFailure()) {
            throw new FailureException(
                    Failure.Code.NOT_FOUND, "the " + what + " that it belongs to, entry " + index + ", was refused");
        }
        return Messages.fileId(done.get(index).getId());
    }

    private void requireServed(FileId id, String what) throws IOException {
        if (records.replica(id, server) == null) {
            throw new FailureException(Failure.Code.DENIED, "this server does not publish the " + what + " " + id);
        }
    }

    private Registrar registrar(@Nullable FileId root, boolean replica, boolean readOnly) {
        return new Registrar(records, links, ids, new Registrar.Publication(server, root, replica, readOnly));
    }
}
