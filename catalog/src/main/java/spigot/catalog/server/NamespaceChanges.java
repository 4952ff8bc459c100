package spigot.catalog.server;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.state.AnsweredNames;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.PublicationEntry;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.NamespaceRequest;
import spigot.transport.wire.Registration;

/**
 * The command that tells what one operation did to a tree: all of it or nothing. Its server has done it already, so there is nothing
 * to decide but whether the tables are as the server takes them to be. What they show already is no change; where they show something
 * else, because the server's tree was changed behind its back, the command is refused with CONFLICT, and a look at the tree
 * puts things right. For one thread.
 */
final class NamespaceChanges {
    /** So many of a server's latest answers are kept; the number of a request says in which place. */
    static final int PLACES = 1024;

    static final int MAX_MUTATIONS = 16;

    private final Transaction rows;
    private final Records records;
    private final Links links;
    private final FreshIds ids;
    private final NodeId server;

    NamespaceChanges(Transaction rows, Records records, Links links, FreshIds ids, NodeId server) {
        this.rows = rows;
        this.records = records;
        this.links = links;
        this.ids = ids;
        this.server = server;
    }

    NamespaceReply apply(NamespaceRequest request) throws IOException {
        byte[] place = Keys.answered(server, (int) Long.remainderUnsigned(request.getNumber(), PLACES));
        AnsweredNames answered = answered(rows.get(Table.ANSWERED, place));
        int order = Long.compareUnsigned(answered.getNumber(), request.getNumber());
        if (order == 0) {
            return answered.getReply();
        }
        if (order > 0) {
            throw new FailureException(
                    Failure.Code.BAD_REQUEST,
                    "the answer to request " + Long.toUnsignedString(request.getNumber())
                            + " is not kept any more: more than " + PLACES + " came after it");
        }
        Registrar registrar = registrar(Messages.fileId(request.getPublication()));
        List<FileId> touched = new ArrayList<>();
        for (Mutation mutation : request.getMutationsList()) {
            touched.add(
                    switch (mutation.getMutationCase()) {
                        case ADD -> add(registrar, mutation.getAdd());
                        case REMOVE -> remove(mutation.getRemove());
                        case MOVE -> move(registrar, mutation.getMove());
                        case EXCHANGE -> exchange(registrar, mutation.getExchange());
                        case SET -> set(mutation.getSet());
                        case MUTATION_NOT_SET -> throw Messages.bad("mutation", "none");
                    });
        }
        NamespaceReply.Builder reply = NamespaceReply.newBuilder();
        for (FileId id : touched) {
            Inode inode = records.inode(id);
            reply.addRecords(inode == null ? FileRecord.getDefaultInstance() : inode.getRecord());
        }
        rows.put(
                Table.ANSWERED,
                place,
                AnsweredNames.newBuilder()
                        .setNumber(request.getNumber())
                        .setReply(reply)
                        .build()
                        .toByteArray());
        return reply.build();
    }

    private static AnsweredNames answered(byte @Nullable [] value) throws IOException {
        try {
            return value == null ? AnsweredNames.getDefaultInstance() : AnsweredNames.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("the catalog's table of answered requests is damaged", e);
        }
    }

    private Registrar registrar(FileId root) throws IOException {
        PublicationEntry publication = records.publication(server, root);
        if (publication == null) {
            throw new FailureException(Failure.Code.NOT_FOUND, "this server has no publication " + root);
        }
        if (publication.getReadOnly() || publication.getReplica()) {
            throw new FailureException(
                    Failure.Code.DENIED,
                    "publication " + root + (publication.getReadOnly() ? " is read only" : " is a further copy"));
        }
        return new Registrar(records, links, ids, new Registrar.Publication(server, root, false, false));
    }

    // ---- the mutations; each tells whose record belongs into the answer

    private FileId add(Registrar registrar, Mutation.Add add) throws IOException {
        FileId directory = directory(add.getDirectory());
        FileName name = Messages.name(add.getName());
        FileId id = Messages.fileId(add.getId());
        FileId current = records.child(directory, name.toArray());
        if (id.equals(current)) {
            return id;
        }
        if (current != null) {
            throw conflict(name, "leads to " + current);
        }
        if (add.getExisting()) {
            Inode inode = records.existing(id);
            requireOwner(id, inode);
            if (Records.isDirectory(inode)) {
                throw Messages.bad("further name of a directory", name.toString());
            }
            links.add(id, directory, name.toArray(), server);
            return id;
        }
        Registration entry = Registration.newBuilder()
                .setAttributes(add.getAttributes())
                .setSymlinkTarget(add.getSymlinkTarget())
                .setId(add.getId())
                .build();
        FileId made =
                Messages.fileId(registrar.register(directory, name, entry, null).getId());
        if (!made.equals(id)) {
            throw conflict(name, "can't lead to " + id + ", which is another file");
        }
        return id;
    }

    private FileId remove(Mutation.Remove remove) throws IOException {
        FileId directory = directory(remove.getDirectory());
        FileName name = Messages.name(remove.getName());
        FileId id = Messages.fileId(remove.getId());
        FileId current = records.child(directory, name.toArray());
        if (current == null) {
            return id;
        }
        detach(directory, name, current, id);
        return id;
    }

    private void detach(FileId directory, FileName name, FileId current, FileId expected) throws IOException {
        if (!current.equals(expected)) {
            throw conflict(name, "leads to " + current + ", not to " + expected);
        }
        Inode inode = records.existing(current);
        requireOwner(current, inode);
        if (Records.isDirectory(inode) && !records.isEmpty(current)) {
            throw conflict(name, "is a directory that is not empty");
        }
        links.detach(current, directory, name.toArray());
    }

    private FileId move(Registrar registrar, Mutation.Move move) throws IOException {
        FileId directory = directory(move.getDirectory());
        FileName name = Messages.name(move.getName());
        FileId toDirectory = directory(move.getToDirectory());
        FileName toName = Messages.name(move.getToName());
        FileId id = Messages.fileId(move.getId());
        FileId from = records.child(directory, name.toArray());
        FileId to = records.child(toDirectory, toName.toArray());
        if (from == null && id.equals(to)) {
            return id;
        }
        requireLeadsTo(name, from, id);
        requireNotBelow(registrar, id, toDirectory);
        if (to != null) {
            if (move.getReplaces().isEmpty()) {
                throw conflict(toName, "leads to " + to);
            }
            detach(toDirectory, toName, to, Messages.fileId(move.getReplaces()));
        }
        links.move(id, directory, name.toArray(), toDirectory, toName.toArray(), server);
        return id;
    }

    private FileId exchange(Registrar registrar, Mutation.Exchange exchange) throws IOException {
        FileId directory = directory(exchange.getDirectory());
        FileName name = Messages.name(exchange.getName());
        FileId toDirectory = directory(exchange.getToDirectory());
        FileName toName = Messages.name(exchange.getToName());
        FileId id = Messages.fileId(exchange.getId());
        FileId toId = Messages.fileId(exchange.getToId());
        FileId from = records.child(directory, name.toArray());
        FileId to = records.child(toDirectory, toName.toArray());
        if (id.equals(to) && toId.equals(from)) {
            return id;
        }
        requireLeadsTo(name, from, id);
        requireLeadsTo(toName, to, toId);
        requireNotBelow(registrar, id, toDirectory);
        requireNotBelow(registrar, toId, directory);
        records.deleteName(id, directory, name.toArray());
        records.deleteName(toId, toDirectory, toName.toArray());
        records.putName(id, toDirectory, toName.toArray(), List.of(server));
        records.putName(toId, directory, name.toArray(), List.of(server));
        return id;
    }

    private FileId set(Mutation.Set set) throws IOException {
        FileId id = Messages.fileId(set.getId());
        Inode inode = records.inode(id);
        if (inode == null) {
            return id;
        }
        requireOwner(id, inode);
        FileRecord known = inode.getRecord();
        Messages.attributes(set.getAttributes());
        if (known.getAttributes().getKind() != set.getAttributes().getKind()) {
            throw Messages.bad("kind of " + id, set.getAttributes().getKind().name());
        }
        if (set.getContentChanged() || !Versions.same(known.getAttributes(), set.getAttributes())) {
            Inode.Builder next = inode.toBuilder();
            next.getRecordBuilder().setAttributes(set.getAttributes());
            Registrar.changed(records, id, next.build(), set.getContentChanged(), server);
        }
        return id;
    }

    // ---- checks

    private FileId directory(com.google.protobuf.ByteString wire) throws IOException {
        FileId id = Messages.fileId(wire);
        Inode inode = records.existing(id);
        if (!Records.isDirectory(inode)) {
            throw new FailureException(Failure.Code.NOT_DIRECTORY, id + " is not a directory");
        }
        requireOwner(id, inode);
        return id;
    }

    private void requireOwner(FileId id, Inode inode) throws FailureException {
        if (!Messages.nodeIdOrNone(inode.getOwner()).equals(server)) {
            throw new FailureException(Failure.Code.DENIED, "this server is not the one that publishes " + id);
        }
    }

    private void requireLeadsTo(FileName name, @Nullable FileId current, FileId id) throws IOException {
        if (!id.equals(current)) {
            throw conflict(name, current == null ? "is not there" : "leads to " + current + ", not to " + id);
        }
        requireOwner(id, records.existing(id));
    }

    private void requireNotBelow(Registrar registrar, FileId id, FileId directory) throws IOException {
        if (Records.isDirectory(records.existing(id)) && registrar.isBelow(directory, id)) {
            throw new FailureException(Failure.Code.CONFLICT, id + " can't be moved below itself");
        }
    }

    private static FailureException conflict(FileName name, String why) {
        return new FailureException(Failure.Code.CONFLICT, "'" + name + "' " + why + " at the catalog");
    }
}
