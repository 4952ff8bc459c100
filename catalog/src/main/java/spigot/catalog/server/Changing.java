package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.Nominate;
import spigot.catalog.server.state.ReplicaEntry;
import spigot.catalog.server.state.Withdraw;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Attributes;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.ReplicaState;
import spigot.transport.wire.ReplicaStateRequest;
import spigot.transport.wire.UpdateRequest;
import spigot.transport.wire.Version;
import spigot.transport.wire.WithdrawRequest;

/** The commands that change what is published already. For one thread. */
final class Changing {
    private final Records records;
    private final Links links;
    private final NodeId server;

    Changing(Records records, Links links, NodeId server) {
        this.records = records;
        this.links = links;
        this.server = server;
    }

    void withdraw(Withdraw request) throws IOException {
        for (WithdrawRequest.Name name : request.getNamesList()) {
            FileId directory = Messages.fileId(name.getDirectory());
            byte[] bytes = Messages.name(name.getName()).toArray();
            FileId id = records.child(directory, bytes);
            if (id != null) {
                links.withdraw(id, directory, bytes, server);
            }
        }
        for (ByteString wire : request.getIdsList()) {
            FileId id = Messages.fileId(wire);
            for (Records.Name name : records.names(id)) {
                if (name.publishers().contains(server) && records.child(name.directory(), name.name()) != null) {
                    links.withdraw(id, name.directory(), name.name(), server);
                }
            }
            if (id.equals(FileId.ROOT)) {
                withdrawRoot();
            }
        }
        if (!request.getPublication().isEmpty()) {
            records.deletePublication(server, Messages.fileId(request.getPublication()));
        }
    }

    /** The root of the grid has no name that could be withdrawn. */
    private void withdrawRoot() throws IOException {
        records.deleteReplica(FileId.ROOT, server);
        Inode root = records.existing(FileId.ROOT);
        if (Messages.nodeIdOrNone(root.getOwner()).equals(server)) {
            Inode.Builder next = root.toBuilder().clearOwner();
            for (Records.Copy copy : records.copies(FileId.ROOT)) {
                next.setOwner(Messages.bytes(copy.server()));
            }
            records.put(FileId.ROOT, next.build());
        }
    }

    void replicaStates(ReplicaStateRequest request) throws IOException {
        for (ReplicaStateRequest.State state : request.getStatesList()) {
            FileId id = Messages.fileId(state.getId());
            Inode inode = records.inode(id);
            ReplicaEntry copy = records.replica(id, server);
            boolean isOutcome = state.getState() == ReplicaState.VERIFIED
                    || state.getState() == ReplicaState.DIFFERS
                    || state.getState() == ReplicaState.UNVERIFIED;
            if (!isOutcome) {
                throw new FailureException(
                        Failure.Code.BAD_REQUEST,
                        "a comparison ends VERIFIED, UNVERIFIED or DIFFERS, not " + state.getState());
            }
            if (inode != null
                    && copy != null
                    && copy.getState() != ReplicaState.HOME
                    && state.getVersion().equals(inode.getRecord().getVersion())) {
                records.putReplica(
                        id,
                        server,
                        copy.toBuilder()
                                .setState(state.getState())
                                .setVersion(state.getVersion())
                                .setDetail(state.getDetail())
                                .build());
            }
        }
    }

    /** A repeated request has the attributes that are known already, and changes nothing. */
    FileRecord update(UpdateRequest request) throws IOException {
        FileId id = Messages.fileId(request.getId());
        Attributes seen = request.getAttributes();
        Messages.attributes(seen);
        Inode inode = records.existing(id);
        FileRecord known = inode.getRecord();
        if (!Messages.nodeIdOrNone(inode.getOwner()).equals(server) || known.getHomeEpoch() != request.getHomeEpoch()) {
            throw new FailureException(
                    Failure.Code.NOT_HOME,
                    "this server is not the home of " + id + " in epoch " + request.getHomeEpoch() + ", which is "
                            + known.getHomeEpoch());
        }
        if (known.getAttributes().getKind() != seen.getKind()) {
            throw new FailureException(
                    Failure.Code.BAD_REQUEST,
                    id + " is a " + known.getAttributes().getKind() + ": a file of another kind is another file");
        }
        // Reads that overlapped a write show in nothing but the contents: the attributes are the same, the version is
        // another one.
        boolean next = request.getContentChanged() && request.getBasedOn().equals(known.getVersion());
        if (request.hasVersion()) {
            return updateWritten(request, inode);
        }
        if (next || !Versions.same(known.getAttributes(), seen)) {
            Inode.Builder changed = inode.toBuilder();
            changed.getRecordBuilder().setAttributes(seen);
            boolean content =
                    request.getContentChanged() || Versions.contentDiffers(known, seen, known.getSymlinkTarget());
            Registrar.changed(records, id, changed.build(), content, server);
        }
        return records.existing(id).getRecord();
    }

    /** The home counts the commits, and tells what they have come to. */
    private FileRecord updateWritten(UpdateRequest request, Inode inode) throws IOException {
        FileId id = Messages.fileId(request.getId());
        FileRecord known = inode.getRecord();
        Version version = request.getVersion();
        boolean newer = Messages.version(version).compareTo(Messages.version(known.getVersion())) > 0;
        if (newer || !Versions.same(known.getAttributes(), request.getAttributes())) {
            Inode.Builder changed = inode.toBuilder();
            changed.getRecordBuilder().setAttributes(request.getAttributes());
            Registrar.changed(records, id, changed.build(), newer ? version : null, server);
        }
        return records.existing(id).getRecord();
    }

    /** Another server becomes home, if the epoch is still the one whose home has died and its copy is known to be the same. */
    FileRecord nominate(Nominate request) throws IOException {
        FileId id = Messages.fileId(request.getId());
        NodeId home = Messages.nodeId(request.getHome());
        Inode inode = records.existing(id);
        ReplicaEntry copy = records.replica(id, home);
        if (inode.getRecord().getHomeEpoch() == request.getHomeEpoch()
                && copy != null
                && copy.getState() == ReplicaState.VERIFIED) {
            links.makeHome(id, inode, home);
        }
        return records.existing(id).getRecord();
    }
}
