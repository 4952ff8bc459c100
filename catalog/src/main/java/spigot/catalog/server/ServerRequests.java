package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.state.Outcome;
import spigot.catalog.server.state.Withdraw;
import spigot.coherence.GrantorEvent;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.NamespaceRequest;
import spigot.transport.wire.OwnChange;
import spigot.transport.wire.PublishReply;
import spigot.transport.wire.PublishRequest;
import spigot.transport.wire.RegisterReply;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.ReplicaState;
import spigot.transport.wire.ReplicaStateRequest;
import spigot.transport.wire.ServedPart;
import spigot.transport.wire.ServedRequest;
import spigot.transport.wire.ServerInfo;
import spigot.transport.wire.UpdateRequest;
import spigot.transport.wire.WithdrawRequest;

/**
 * Answers what replica servers ask. Each may change only what it publishes itself: the commands carry the id out of its
 * certificate. Safe for any thread; blocks.
 */
final class ServerRequests {
    /** A publication may be of any size: so many batches of it are withdrawn in one call. */
    private static final int WITHDRAWN_BATCHES = 2;

    private static final int MAX_BATCH = 1000;
    private static final int FIRST_COPY_MILLIS = 10_000;
    private static final int ENTRIES_IN_A_PART = 4000;

    private final CatalogLog log;
    private final Proposer proposer;
    private final Servers servers;
    private final Map<Asked, CompletableFuture<Void>> underWay = new ConcurrentHashMap<>();
    private final OwnChanges ownChanges = new OwnChanges();

    ServerRequests(CatalogLog log, Proposer proposer, Servers servers) {
        this.log = log;
        this.proposer = proposer;
        this.servers = servers;
    }

    /** A heartbeat. It is written down only when another address, name or site is told. */
    void hello(PeerIdentity peer, ServerInfo told) throws IOException, InterruptedException {
        ServerInfo info = told.toBuilder()
                .setId(Messages.bytes(peer.id()))
                .setName(told.getName().isEmpty() ? peer.name() : told.getName())
                .setSite(told.getSite().isEmpty() ? peer.site() : told.getSite())
                .build();
        ServerInfo lasting = info.toBuilder()
                .clearAlive()
                .clearFiles()
                .clearBytes()
                .clearFreeBytes()
                .build();
        servers.hello(peer.id(), info);
        ServerInfo known;
        try (View view = log.read()) {
            known = Records.server(view, peer.id());
        }
        if (!lasting.equals(known)) {
            proposer.propose(proposer.command(peer.id()).setServerInfo(lasting).build());
        }
    }

    PublishReply publish(NodeId server, PublishRequest request) throws IOException, InterruptedException {
        return proposer.propose(proposer.command(server).setPublish(request).build())
                .getPublished();
    }

    RegisterReply register(NodeId server, RegisterRequest request) throws IOException, InterruptedException {
        requireBounded(request.getEntriesCount(), "registration");
        return proposer.propose(proposer.command(server).setRegister(request).build())
                .getRegistered();
    }

    void replicaStates(NodeId server, ReplicaStateRequest request) throws IOException, InterruptedException {
        requireBounded(request.getStatesCount(), "list of replica states");
        proposer.propose(proposer.command(server).setReplicaStates(request).build());
    }

    FileRecord update(NodeId server, UpdateRequest request) throws IOException, InterruptedException {
        Outcome outcome =
                proposer.propose(proposer.command(server).setUpdate(request).build());
        return outcome.getRecord();
    }

    void withdraw(NodeId server, WithdrawRequest request) throws IOException, InterruptedException {
        if (request.getNamesCount() > 0) {
            requireBounded(request.getNamesCount(), "withdrawal");
            try (View view = log.read()) {
                Withdrawal withdrawal = new Withdrawal(server, view);
                for (WithdrawRequest.Name name : request.getNamesList()) {
                    withdrawal.add(
                            Messages.fileId(name.getDirectory()),
                            Messages.name(name.getName()).toArray());
                }
                withdrawal.finish();
            }
        } else {
            withdrawPublication(server, Messages.fileId(request.getPublication()));
        }
    }

    /** As much as a call may take; who asks again has less to wait for. */
    private void withdrawPublication(NodeId server, FileId root) throws IOException, InterruptedException {
        int batches = 0;
        for (List<ByteString> ids = served(server, root, MAX_BATCH);
                !ids.isEmpty();
                ids = served(server, root, MAX_BATCH)) {
            if (batches++ == WITHDRAWN_BATCHES) {
                throw new FailureException(Failure.newBuilder()
                        .setCode(Failure.Code.NOT_READY)
                        .setMessage("publication " + root + " is being withdrawn: ask again")
                        .setRetryAfterMillis(10)
                        .build());
            }
            proposer.propose(proposer.command(server)
                    .setWithdraw(Withdraw.newBuilder().addAllIds(ids).addAllAlive(alive()))
                    .build());
        }
        proposer.propose(proposer.command(server)
                .setWithdraw(Withdraw.newBuilder().setPublication(Messages.bytes(root)))
                .build());
    }

    private List<ByteString> served(NodeId server, FileId root, int most) throws IOException, InterruptedException {
        List<ByteString> ids = new ArrayList<>();
        try (View view = log.read()) {
            view.scan(Table.SERVED, Keys.publication(server, root), (key, _) -> {
                ids.add(Messages.bytes(Keys.fileAt(key, 2 * Keys.ID)));
                return ids.size() < most;
            });
        }
        return ids;
    }

    /** What an operation did; to its actor's answer belongs, also when it is repeated, what the actor has to acknowledge. */
    NamespaceReply names(NodeId server, NamespaceRequest request) throws IOException, InterruptedException {
        if (request.getMutationsCount() > NamespaceChanges.MAX_MUTATIONS) {
            throw new FailureException(
                    Failure.Code.TOO_MANY,
                    "a change of names has at most " + NamespaceChanges.MAX_MUTATIONS + " mutations, not "
                            + request.getMutationsCount());
        }
        Optional<GrantorEvent.Actor> actor = request.getActor().isEmpty()
                ? Optional.empty()
                : Optional.of(new GrantorEvent.Actor(Messages.nodeId(request.getActor()), request.getActorSession()));
        Asked asked = new Asked(server, request.getNumber());
        CompletableFuture<Void> mine = beginNames(asked);
        try {
            Proposer.Done done =
                    proposer.propose(proposer.command(server).setNames(request).build(), actor);
            OwnChange own = ownChanges.noted(asked, done.own());
            NamespaceReply reply = done.outcome().getNames();
            return own == null ? reply : reply.toBuilder().setOwn(own).build();
        } finally {
            underWay.remove(asked, mine);
            mine.complete(null);
        }
    }

    /** A repeated request would wait behind the change of its first copy, which may wait for the answer that was lost. */
    private CompletableFuture<Void> beginNames(Asked asked) throws FailureException, InterruptedException {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        for (var other = underWay.putIfAbsent(asked, mine); other != null; other = underWay.putIfAbsent(asked, mine)) {
            try {
                other.get(FIRST_COPY_MILLIS, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                throw new IllegalStateException("a change never ends with an exception", e);
            } catch (TimeoutException e) {
                throw new FailureException(
                        Failure.Code.NOT_READY, "an earlier copy of request " + asked.number() + " is under way");
            }
        }
        return mine;
    }

    private record Asked(NodeId server, long number) {}

    /** What the actors of the latest requests were told: a bounded memory, for requests that are repeated. */
    private static final class OwnChanges {
        private static final int MOST = 4096;
        private final ReentrantLock lock = new ReentrantLock();
        private final SequencedMap<Asked, OwnChange> latest = new LinkedHashMap<>();

        @Nullable
        OwnChange noted(Asked asked, Optional<OwnChange> own) {
            lock.lock();
            try {
                if (own.isPresent()) {
                    latest.putLast(asked, own.get());
                    if (latest.size() > MOST) {
                        latest.pollFirstEntry();
                    }
                }
                return latest.get(asked);
            } finally {
                lock.unlock();
            }
        }
    }

    private List<ByteString> alive() {
        return servers.alive().stream().sorted().map(Messages::bytes).toList();
    }

    void served(NodeId server, ServedRequest request, Responder responder) throws IOException, InterruptedException {
        FileId root = Messages.fileId(request.getPublication());
        ReplicaState wanted = request.getState();
        ServedPart.Builder[] part = {ServedPart.newBuilder()};
        try (View view = log.read()) {
            view.scan(Table.SERVED, Keys.publication(server, root), (key, _) -> {
                FileId id = Keys.fileAt(key, 2 * Keys.ID);
                byte[] copy = view.get(Table.REPLICAS, Keys.replica(id, server));
                byte[] inode = view.get(Table.INODES, id.bytes());
                if (copy == null || inode == null) {
                    throw new IOException("the catalog's tables are damaged: " + id + " is served but not there");
                }
                ReplicaState state = Records.parseReplica(copy).getState();
                if (wanted == ReplicaState.REPLICA_UNKNOWN || wanted == state) {
                    part[0].addEntries(Registrar.registered(Records.record(inode), state));
                }
                if (part[0].getEntriesCount() == ENTRIES_IN_A_PART) {
                    responder.part(Envelope.newBuilder().setServedPart(part[0]).build());
                    part[0] = ServedPart.newBuilder();
                }
                return true;
            });
        }
        responder.reply(
                Envelope.newBuilder().setServedPart(part[0].setLast(true)).build());
    }

    private static void requireBounded(int entries, String what) throws FailureException {
        if (entries > MAX_BATCH) {
            throw new FailureException(
                    Failure.Code.TOO_MANY, "a " + what + " has at most " + MAX_BATCH + " entries, not " + entries);
        }
    }

    /** Withdraws names with all that is below them, what lies deepest first, in batches. */
    private final class Withdrawal {
        private final NodeId server;
        private final View view;
        private final List<WithdrawRequest.Name> batch = new ArrayList<>();

        Withdrawal(NodeId server, View view) {
            this.server = server;
            this.view = view;
        }

        void add(FileId directory, byte[] name) throws IOException, InterruptedException {
            byte[] value = view.get(Table.ENTRIES, Keys.entry(directory, name));
            if (value == null) {
                return;
            }
            FileId id = FileId.of(value);
            byte[] inode = view.get(Table.INODES, value);
            if (view.get(Table.REPLICAS, Keys.replica(id, server)) == null || inode == null) {
                return;
            }
            if (Records.isDirectory(Records.parseInode(inode))) {
                List<byte[]> names = new ArrayList<>();
                view.scan(Table.ENTRIES, id.bytes(), (key, _) -> names.add(Keys.from(key, Keys.ID)));
                for (byte[] below : names) {
                    add(id, below);
                }
            }
            batch.add(WithdrawRequest.Name.newBuilder()
                    .setDirectory(Messages.bytes(directory))
                    .setName(ByteString.copyFrom(name))
                    .build());
            if (batch.size() == MAX_BATCH) {
                finish();
            }
        }

        void finish() throws IOException, InterruptedException {
            if (!batch.isEmpty()) {
                proposer.propose(proposer.command(server)
                        .setWithdraw(Withdraw.newBuilder().addAllNames(batch).addAllAlive(alive()))
                        .build());
                batch.clear();
            }
        }
    }
}
