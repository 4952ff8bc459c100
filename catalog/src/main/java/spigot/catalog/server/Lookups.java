package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.Nominate;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.session.LeaseGrantor;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.Responder;
import spigot.transport.wire.Entry;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Grant;
import spigot.transport.wire.GridReply;
import spigot.transport.wire.ListPart;
import spigot.transport.wire.ListRequest;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;
import spigot.transport.wire.RecordReply;
import spigot.transport.wire.RecordRequest;
import spigot.transport.wire.ReplicaInfo;
import spigot.transport.wire.ReplicaState;
import spigot.transport.wire.ReplicasReply;
import spigot.transport.wire.ReplicasRequest;
import spigot.transport.wire.Want;

/** Answers what any member of the grid may ask. Safe for any thread; blocks. */
final class Lookups {
    /** Encoded bytes after which a part of a listing is sent; a frame takes 1 MiB. */
    private static final int PART_BYTES = 192 << 10;

    /** Inodes that are read at a time. */
    private static final int READ_AHEAD = 256;

    private static final Duration LISTING_TURN = Duration.ofSeconds(30);

    private final CatalogLog log;
    private final LeaseGrantor grantor;
    private final Servers servers;
    private final Proposer proposer;
    private final Duration patience;
    private final Semaphore listings;
    private final ByteString grid;
    private final long epoch;

    /** @param epoch of the versions of directories: another one when the tables have been lost and were made again */
    Lookups(
            CatalogLog log,
            LeaseGrantor grantor,
            Servers servers,
            Proposer proposer,
            CatalogConfiguration configuration,
            ByteString grid,
            long epoch) {
        this.log = log;
        this.grantor = grantor;
        this.servers = servers;
        this.proposer = proposer;
        this.patience = configuration.recallPatience();
        this.listings = new Semaphore(configuration.listings());
        this.grid = grid;
        this.epoch = epoch;
    }

    LookupReply lookup(Link from, LookupRequest request) throws IOException, InterruptedException {
        FileId directory = Messages.fileId(request.getDirectory());
        byte[] name = Messages.name(request.getName()).toArray();
        Optional<Grant> grant = lease(from, request.getWant(), directory);
        try (View view = log.read()) {
            requireShown(grant, request.getWant(), directory);
            requireDirectory(view, directory);
            LookupReply.Builder reply = LookupReply.newBuilder();
            grant.ifPresent(reply::setGrant);
            byte[] id = view.get(Table.ENTRIES, Keys.entry(directory, name));
            if (id != null) {
                reply.setRecord(record(view, id));
            }
            return reply.build();
        }
    }

    void list(Link from, ListRequest request, Responder responder) throws IOException, InterruptedException {
        FileId directory = Messages.fileId(request.getDirectory());
        if (!listings.tryAcquire(LISTING_TURN.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new FailureException(
                    Failure.Code.NOT_READY, "the catalog streams as many listings as it may: try again");
        }
        try {
            Optional<Grant> grant = lease(from, request.getWant(), directory);
            try (View view = log.read()) {
                requireShown(grant, request.getWant(), directory);
                FileRecord own = requireDirectory(view, directory);
                ListPart.Builder last =
                        ListPart.newBuilder().setLast(true).setDirectory(own).setParent(parent(view, directory));
                grant.ifPresent(last::setGrant);
                if (request.hasHave() && request.getHave().equals(Messages.wire(version(view, directory)))) {
                    last.setUnchanged(true);
                } else {
                    new Listing(view, responder).send(directory, last);
                }
                responder.reply(Envelope.newBuilder().setListPart(last).build());
            }
        } finally {
            listings.release();
        }
    }

    /** Sends one directory in parts, out of one view. */
    private static final class Listing {
        private final View view;
        private final Responder responder;
        private final List<byte[]> names = new ArrayList<>();
        private final List<byte[]> ids = new ArrayList<>();
        private ListPart.Builder part = ListPart.newBuilder();
        private int bytes;

        Listing(View view, Responder responder) {
            this.view = view;
            this.responder = responder;
        }

        /** @param last receives the entries that were not sent before */
        void send(FileId directory, ListPart.Builder last) throws IOException {
            view.scan(Table.ENTRIES, directory.bytes(), (key, id) -> {
                names.add(Keys.from(key, Keys.ID));
                ids.add(id);
                if (names.size() == READ_AHEAD) {
                    addAll();
                }
                return true;
            });
            addAll();
            last.addAllEntries(part.getEntriesList());
        }

        private void addAll() throws IOException {
            List<byte @Nullable []> inodes = view.get(Table.INODES, ids);
            for (int i = 0; i < names.size(); i++) {
                byte[] inode = inodes.get(i);
                if (inode == null) {
                    throw new IOException("the catalog's tables are damaged: a name leads to no file");
                }
                Entry entry = Entry.newBuilder()
                        .setName(ByteString.copyFrom(names.get(i)))
                        .setRecord(Records.record(inode))
                        .build();
                part.addEntries(entry);
                bytes += entry.getSerializedSize();
                if (bytes >= PART_BYTES) {
                    responder.part(Envelope.newBuilder().setListPart(part).build());
                    part = ListPart.newBuilder();
                    bytes = 0;
                }
            }
            names.clear();
            ids.clear();
        }
    }

    /** The record, and where its data are; another server becomes home when that was asked for and the home is dead. */
    RecordReply record(Link from, RecordRequest request) throws IOException, InterruptedException {
        FileId id = Messages.fileId(request.getId());
        FileRecord record;
        List<ReplicaInfo> replicas;
        try (View view = log.read()) {
            record = existing(view, id);
            replicas = servers.replicas(Records.copies(view, id));
        }
        if (request.getLocate() && replicas.stream().noneMatch(replica -> replica.getState() == ReplicaState.HOME)) {
            Optional<NodeId> home = candidate(replicas, from.peer().site());
            if (home.isPresent()) {
                record = proposer.propose(proposer.command(NodeId.NONE)
                                .setNominate(Nominate.newBuilder()
                                        .setId(request.getId())
                                        .setHomeEpoch(record.getHomeEpoch())
                                        .setHome(Messages.bytes(home.get())))
                                .build())
                        .getRecord();
                try (View view = log.read()) {
                    replicas = servers.replicas(Records.copies(view, id));
                }
            }
        }
        return RecordReply.newBuilder()
                .setRecord(record)
                .addAllReplicas(replicas.stream().filter(Servers::serves).toList())
                .build();
    }

    /** A living server with a verified copy, at the asker's site if there is one. */
    private static Optional<NodeId> candidate(List<ReplicaInfo> replicas, String site) throws FailureException {
        List<ReplicaInfo> verified = replicas.stream()
                .filter(replica -> replica.getState() == ReplicaState.VERIFIED)
                .toList();
        Optional<ReplicaInfo> chosen = Stream.concat(
                        verified.stream().filter(replica -> replica.getSite().equals(site)), verified.stream())
                .findFirst();
        return chosen.isPresent() ? Optional.of(Messages.nodeId(chosen.get().getServer())) : Optional.empty();
    }

    ReplicasReply replicas(ReplicasRequest request) throws IOException, InterruptedException {
        FileId id = Messages.fileId(request.getId());
        try (View view = log.read()) {
            return ReplicasReply.newBuilder()
                    .setRecord(existing(view, id))
                    .addAllReplicas(servers.replicas(Records.copies(view, id)))
                    .build();
        }
    }

    GridReply grid() throws IOException, InterruptedException {
        try (View view = log.read()) {
            return GridReply.newBuilder()
                    .setGrid(grid)
                    .addAllServers(servers.all(view))
                    .setFiles(Records.number(view, Records.FILES))
                    .setDirectories(Records.number(view, Records.DIRECTORIES))
                    .setBytes(Records.number(view, Records.BYTES))
                    .setClients(grantor.sessions())
                    .build();
        }
    }

    /** The lease comes first: only what is read afterwards may go with it. */
    private Optional<Grant> lease(Link from, Want want, FileId directory) throws IOException, InterruptedException {
        if (want.equals(Want.getDefaultInstance())) {
            return Optional.empty();
        }
        try (View view = log.read()) {
            requireDirectory(view, directory);
        }
        IOException[] unreadable = new IOException[1];
        Optional<Grant> grant = grantor.acquire(
                from,
                want,
                directory,
                () -> {
                    try (View view = log.read()) {
                        return version(view, directory);
                    } catch (IOException e) {
                        unreadable[0] = e;
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        unreadable[0] = new IOException("interrupted while a lease was given", e);
                    }
                    return Version.NONE;
                },
                patience);
        if (unreadable[0] != null) {
            throw unreadable[0];
        }
        return grant;
    }

    /** What is in a view must not be shown to somebody without a lease as long as the actor of a change that is in it does not show it. */
    private void requireShown(Optional<Grant> grant, Want want, FileId directory)
            throws IOException, InterruptedException {
        if (grant.isPresent()) {
            return;
        }
        try {
            grantor.awaitSeen(want, directory, patience);
        } catch (CallTimeoutException e) {
            FailureException failure = new FailureException(Failure.Code.NOT_READY, String.valueOf(e.getMessage()));
            failure.initCause(e);
            throw failure;
        }
    }

    private Version version(View view, FileId directory) throws IOException {
        return new Version(epoch, Namespace.revision(view, directory));
    }

    private static FileRecord requireDirectory(View view, FileId directory) throws IOException {
        byte[] value = view.get(Table.INODES, directory.bytes());
        if (value == null) {
            throw new FailureException(Failure.Code.NOT_FOUND, "there is no directory " + directory);
        }
        Inode inode = Records.parseInode(value);
        if (!Records.isDirectory(inode)) {
            throw new FailureException(Failure.Code.NOT_DIRECTORY, directory + " is not a directory");
        }
        return inode.getRecord();
    }

    private static FileRecord existing(View view, FileId id) throws IOException {
        byte[] value = view.get(Table.INODES, id.bytes());
        if (value == null) {
            throw new FailureException(Failure.Code.NOT_FOUND, "there is no file " + id);
        }
        return Records.record(value);
    }

    private static FileRecord record(View view, byte[] id) throws IOException {
        byte[] value = view.get(Table.INODES, id);
        if (value == null) {
            throw new IOException("the catalog's tables are damaged: a name leads to no file");
        }
        return Records.record(value);
    }

    /** The directory that it lies in; the root lies in itself. */
    private static ByteString parent(View view, FileId directory) throws IOException {
        ByteString[] parent = {Messages.bytes(FileId.ROOT)};
        view.scan(Table.NAMES, directory.bytes(), (key, _) -> {
            parent[0] = Messages.bytes(Keys.fileAt(key, Keys.ID));
            return false;
        });
        return parent[0];
    }
}
