package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.ReplicaEntry;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.Fragments;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Attributes;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Kind;
import spigot.transport.wire.Registered;
import spigot.transport.wire.Registration;
import spigot.transport.wire.ReplicaState;
import spigot.transport.wire.Version;

/**
 * What one server publishes under one name: the file that the name leads to, its version, and the state of the server's copy.
 * An entry that is refused has changed nothing. For one thread.
 */
final class Registrar {
    /** On whose behalf, and how. */
    record Publication(NodeId server, @Nullable FileId root, boolean replica, boolean readOnly) {}

    private final Records records;
    private final Links links;
    private final FreshIds ids;
    private final Publication publication;

    Registrar(Records records, Links links, FreshIds ids, Publication publication) {
        this.records = records;
        this.links = links;
        this.ids = ids;
        this.publication = publication;
    }

    /** @param linked the file that this is another name of; null: see the entry */
    Registered register(FileId directory, FileName fileName, Registration entry, @Nullable FileId linked)
            throws IOException {
        Messages.attributes(entry.getAttributes());
        byte[] name = fileName.toArray();
        FileId current = records.child(directory, name);
        if (current == null) {
            return absent(directory, name, entry, linked);
        }
        Inode inode = records.existing(current);
        List<NodeId> publishers = records.publishers(current, directory, name);
        boolean named = publishers.contains(publication.server());
        if (named && isOwner(inode)) {
            FileId target = target(current, inode, entry, linked);
            if (target == null) {
                return update(current, inode, entry);
            }
            if (Records.isDirectory(inode) && !records.isEmpty(current)) {
                throw new FailureException(
                        Failure.Code.CONFLICT,
                        "'" + fileName + "' is a directory at the catalog that is not empty: withdraw it first");
            }
            links.detach(current, directory, name);
            return lead(directory, name, target, entry);
        }
        if (named) {
            return copy(current, inode, entry);
        }
        if (inode.getOwner().isEmpty() && entry.getAttributes().getKind() == Kind.DIRECTORY && linked == null) {
            return adopt(current, directory, name, inode, entry);
        }
        if (publication.replica()) {
            links.add(current, directory, name, publication.server());
            return copy(current, inode, entry);
        }
        throw conflict(fileName, publishers, inode);
    }

    private Registered absent(FileId directory, byte[] name, Registration entry, @Nullable FileId linked)
            throws IOException {
        if (linked != null) {
            return lead(directory, name, linked, entry);
        }
        if (publication.replica()) {
            throw new FailureException(
                    Failure.Code.NOT_FOUND,
                    "'" + FileName.of(name)
                            + "' is not published by the home of this tree: it is not a copy of anything");
        }
        return lead(directory, name, newId(entry, null), entry);
    }

    /** The file that the name is to lead to from now on; null: the one that it leads to. */
    private @Nullable FileId target(FileId current, Inode inode, Registration entry, @Nullable FileId linked)
            throws IOException {
        if (linked != null) {
            return linked.equals(current) ? null : linked;
        }
        boolean replaced = !entry.getReplaces().isEmpty()
                && Messages.fileId(entry.getReplaces()).equals(current);
        boolean otherKind = inode.getRecord().getAttributes().getKind()
                != entry.getAttributes().getKind();
        if (replaced || otherKind) {
            return newId(entry, current);
        }
        if (!entry.getId().isEmpty()) {
            FileId known = Messages.fileId(entry.getId());
            if (!known.equals(current) && isUsable(known, entry)) {
                return known;
            }
        }
        return null;
    }

    /** The id that the server has for the file, if it is free or the server's own; else a new one. */
    private FileId newId(Registration entry, @Nullable FileId not) throws IOException {
        if (!entry.getId().isEmpty()) {
            FileId known = Messages.fileId(entry.getId());
            if (!known.equals(not) && isUsable(known, entry)) {
                return known;
            }
        }
        FileId fresh = ids.next();
        while (records.inode(fresh) != null) {
            fresh = ids.next();
        }
        return fresh;
    }

    private boolean isUsable(FileId id, Registration entry) throws IOException {
        if (id.equals(FileId.ROOT)) {
            return false;
        }
        Inode inode = records.inode(id);
        return inode == null
                || (isOwner(inode)
                        && inode.getRecord().getAttributes().getKind()
                                == entry.getAttributes().getKind()
                        && records.replica(id, publication.server()) != null);
    }

    /** The name, which is free, leads to a new file, or to one that has other names or had another place. */
    private Registered lead(FileId directory, byte[] name, FileId id, Registration entry) throws IOException {
        Inode inode = records.inode(id);
        if (inode == null) {
            return create(directory, name, id, entry);
        }
        if (Records.isDirectory(inode)) {
            if (isBelow(directory, id)) {
                return create(directory, name, newId(entry, id), entry);
            }
            List<Records.Name> old = records.names(id);
            for (Records.Name place : old) {
                records.deleteName(id, place.directory(), place.name());
            }
            links.add(id, directory, name, publication.server());
            for (Records.Name place : old) {
                links.prune(place.directory());
            }
        } else {
            links.add(id, directory, name, publication.server());
        }
        return isOwner(inode) ? update(id, inode, entry) : copy(id, inode, entry);
    }

    boolean isBelow(FileId directory, FileId ancestor) throws IOException {
        FileId next = directory;
        while (!next.equals(FileId.ROOT)) {
            if (next.equals(ancestor)) {
                return true;
            }
            List<Records.Name> names = records.names(next);
            if (names.isEmpty()) {
                return false;
            }
            next = names.getFirst().directory();
        }
        return false;
    }

    private Registered create(FileId directory, byte[] name, FileId id, Registration entry) throws IOException {
        Attributes attributes = entry.getAttributes();
        ByteString server = Messages.bytes(publication.server());
        FileRecord.Builder record = FileRecord.newBuilder()
                .setId(Messages.bytes(id))
                .setAttributes(attributes)
                .setFragmentBytes(Fragments.DEFAULT_BYTES)
                .setSymlinkTarget(entry.getSymlinkTarget())
                .setReadOnly(publication.readOnly());
        if (attributes.getKind() != Kind.DIRECTORY) {
            record.setHome(server)
                    .setHomeEpoch(1)
                    .setVersion(Version.newBuilder().setEpoch(1).setIndex(Math.max(1, entry.getKnownVersionIndex())));
        }
        Inode inode = Inode.newBuilder().setRecord(record).setOwner(server).build();
        ReplicaEntry copy = home(id, record.getVersion(), attributes);
        records.insert(id, inode, directory, name, publication.server(), copy);
        return registered(inode.getRecord(), ReplicaState.HOME);
    }

    /** A directory that nobody published so far becomes the server's. */
    Registered adopt(FileId id, @Nullable FileId directory, byte[] name, Inode inode, Registration entry)
            throws IOException {
        if (directory != null) {
            links.add(id, directory, name, publication.server());
        }
        Inode.Builder next = inode.toBuilder().setOwner(Messages.bytes(publication.server()));
        next.getRecordBuilder().setAttributes(entry.getAttributes()).setReadOnly(publication.readOnly());
        records.put(id, next.build());
        records.putReplica(id, publication.server(), home(id, inode.getRecord().getVersion(), entry.getAttributes()));
        return registered(next.getRecord(), ReplicaState.HOME);
    }

    /** The owner says again what it publishes: what differs is changed. */
    Registered update(FileId id, Inode inode, Registration entry) throws IOException {
        FileRecord known = inode.getRecord();
        Attributes seen = entry.getAttributes();
        boolean content = Versions.contentDiffers(known, seen, entry.getSymlinkTarget());
        if (content || !Versions.same(known.getAttributes(), seen) || known.getReadOnly() != publication.readOnly()) {
            Inode.Builder next = inode.toBuilder();
            next.getRecordBuilder()
                    .setAttributes(seen)
                    .setSymlinkTarget(entry.getSymlinkTarget())
                    .setReadOnly(publication.readOnly());
            return changed(records, id, next.build(), content, publication.server());
        }
        return registered(known, ReplicaState.HOME);
    }

    /** Stores the home's new attributes; with other content it is a new version, which no further copy has been compared with. */
    static Registered changed(Records records, FileId id, Inode inode, boolean content, NodeId home)
            throws IOException {
        return changed(records, id, inode, content ? Versions.next(inode.getRecord()) : null, home);
    }

    /** @param version that the content has now; null when it is the same as before */
    static Registered changed(Records records, FileId id, Inode inode, @Nullable Version version, NodeId home)
            throws IOException {
        Inode.Builder next = inode.toBuilder();
        if (version != null) {
            next.getRecordBuilder().setVersion(version);
            for (Records.Copy copy : records.copies(id)) {
                if (!copy.server().equals(home)) {
                    records.putReplica(id, copy.server(), Versions.recompared(copy.entry(), next.getRecord()));
                }
            }
        }
        records.put(id, next.build());
        ReplicaEntry own = records.replica(id, home);
        if (own != null) {
            Attributes attributes = next.getRecord().getAttributes();
            records.putReplica(
                    id,
                    home,
                    own.toBuilder()
                            .setSize(attributes.getSize())
                            .setModifiedNanos(attributes.getModifiedNanos())
                            .setVersion(next.getRecord().getVersion())
                            .build());
        }
        return registered(next.getRecord(), ReplicaState.HOME);
    }

    /** A further copy: unchanged it keeps its state, else it has to be compared. */
    Registered copy(FileId id, Inode inode, Registration entry) throws IOException {
        ReplicaEntry known = records.replica(id, publication.server());
        Attributes seen = entry.getAttributes();
        if (known != null
                && known.getSize() == seen.getSize()
                && known.getModifiedNanos() == seen.getModifiedNanos()
                && known.getState() != ReplicaState.HOME) {
            return registered(inode.getRecord(), known.getState());
        }
        ReplicaEntry blank = known != null
                ? known
                : ReplicaEntry.newBuilder()
                        .setPublication(Messages.bytes(Objects.requireNonNullElse(publication.root(), id)))
                        .build();
        ReplicaEntry next = Versions.compared(blank, inode, seen, entry.getSymlinkTarget());
        records.putReplica(id, publication.server(), next);
        return registered(inode.getRecord(), next.getState());
    }

    private ReplicaEntry home(FileId id, Version version, Attributes attributes) {
        return ReplicaEntry.newBuilder()
                .setPublication(Messages.bytes(Objects.requireNonNullElse(publication.root(), id)))
                .setState(ReplicaState.HOME)
                .setSize(attributes.getSize())
                .setModifiedNanos(attributes.getModifiedNanos())
                .setVersion(version)
                .build();
    }

    private boolean isOwner(Inode inode) throws FailureException {
        return Messages.nodeIdOrNone(inode.getOwner()).equals(publication.server());
    }

    private FailureException conflict(FileName name, List<NodeId> publishers, Inode inode) throws IOException {
        StringBuilder message = new StringBuilder("'" + name + "' is published already");
        for (int i = 0; i < publishers.size(); i++) {
            message.append(i == 0 ? " by " : ", ").append(records.serverName(publishers.get(i)));
        }
        if (publishers.isEmpty() && Records.isDirectory(inode)) {
            message.append(" as a directory");
        }
        return new FailureException(
                Failure.Code.CONFLICT, message + ": choose another path, or publish a further copy with --replica");
    }

    /** What a server is told of its copy. */
    static Registered registered(FileRecord record, ReplicaState state) {
        Registered.Builder registered = Registered.newBuilder()
                .setId(record.getId())
                .setVersion(record.getVersion())
                .setState(state)
                .setFragmentBytes(record.getFragmentBytes());
        if (state == ReplicaState.HOME) {
            registered.setHomeEpoch(record.getHomeEpoch());
        }
        return registered.build();
    }
}
