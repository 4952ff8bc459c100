package spigot.catalog.client;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.Peer;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.NamespaceRequest;
import spigot.transport.wire.PublishRequest;
import spigot.transport.wire.RecordRequest;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registered;
import spigot.transport.wire.ReplicaInfo;
import spigot.transport.wire.ReplicaStateRequest;
import spigot.transport.wire.ServedRequest;
import spigot.transport.wire.ServerHello;
import spigot.transport.wire.ServerInfo;
import spigot.transport.wire.UpdateRequest;
import spigot.transport.wire.WithdrawRequest;

/**
 * A replica server's side of the catalog. Each request may be repeated: it has one effect. Safe for any thread; the methods
 * block for up to the patience, then throw {@link CatalogUnreachableException}; {@link FailureException} when refused.
 */
public final class RegistrationClient {
    /** Most entries of one {@link #register} call. */
    public static final int MAX_BATCH_ENTRIES = 1000;

    /** Most encoded bytes of one {@link #register} call; long names and symlink targets make a batch shorter. */
    public static final int MAX_BATCH_BYTES = 192 << 10;

    /** How many times the patience a large publication may take to be withdrawn. */
    private static final int WITHDRAWALS = 100;

    private final CatalogCalls calls;

    public RegistrationClient(Peer catalog, Duration patience, Duration callTimeout) {
        calls = new CatalogCalls(catalog, patience, callTimeout);
    }

    /** Says that this server is alive and where; to be repeated every second, as it counts as dead after five. */
    public void hello(ServerInfo server) throws IOException, InterruptedException {
        call(
                "the server's heartbeat",
                Envelope.newBuilder()
                        .setServerHello(ServerHello.newBuilder().setServer(server))
                        .build());
    }

    /**
     * Publishes a tree, or its root again after a restart: the id stays the same.
     *
     * @param replica a further copy of what another server publishes at the path
     * @param known the id that the root had in an earlier life; kept if the catalog has lost it
     * @return the record of the root
     * @throws FailureException CONFLICT when another server publishes the path; the message names it
     */
    public FileRecord publish(
            LogicalPath path, boolean replica, boolean readOnly, Attributes root, @Nullable FileId known)
            throws IOException, InterruptedException {
        PublishRequest.Builder request = PublishRequest.newBuilder()
                .setPath(Messages.bytes(path))
                .setReplica(replica)
                .setReadOnly(readOnly)
                .setAttributes(Messages.wire(root));
        if (known != null) {
            request.setId(Messages.bytes(known));
        }
        Envelope reply = call(
                "publishing " + path,
                Envelope.newBuilder().setPublishRequest(request).build());
        return Messages.record(reply.getPublishReply().getRoot());
    }

    /**
     * Registers entries of a publication in one transaction; one that is refused does not harm the others.
     *
     * @param request at most {@link #MAX_BATCH_ENTRIES} entries and {@link #MAX_BATCH_BYTES}
     * @return in the order of the request
     */
    public List<Registered> register(RegisterRequest request) throws IOException, InterruptedException {
        if (request.getEntriesCount() > MAX_BATCH_ENTRIES) {
            throw new IllegalArgumentException(
                    "a registration has at most " + MAX_BATCH_ENTRIES + " entries, not " + request.getEntriesCount());
        }
        Envelope reply = call(
                "registering " + request.getEntriesCount() + " entries",
                Envelope.newBuilder().setRegisterRequest(request).build());
        return reply.getRegisterReply().getEntriesList();
    }

    /** A name in a directory. */
    public record Name(FileId directory, FileName name) {}

    /** The names are gone from this server; a directory goes with all that is below it. */
    public void withdraw(FileId publication, List<Name> names) throws IOException, InterruptedException {
        WithdrawRequest.Builder request = WithdrawRequest.newBuilder().setPublication(Messages.bytes(publication));
        for (Name name : names) {
            request.addNames(WithdrawRequest.Name.newBuilder()
                    .setDirectory(Messages.bytes(name.directory()))
                    .setName(Messages.bytes(name.name())));
        }
        if (!names.isEmpty()) {
            call(
                    "withdrawing " + names.size() + " names",
                    Envelope.newBuilder().setWithdrawRequest(request).build());
        }
    }

    /** Ends a publication of this server, however large it is; goes on as long as the catalog does. */
    public void withdraw(FileId publication) throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                call(
                        "withdrawing publication " + publication,
                        Envelope.newBuilder()
                                .setWithdrawRequest(
                                        WithdrawRequest.newBuilder().setPublication(Messages.bytes(publication)))
                                .build());
                return;
            } catch (CatalogUnreachableException e) {
                boolean goesOn = e.getCause() instanceof FailureException failure
                        && failure.code() == Failure.Code.NOT_READY
                        && attempt < WITHDRAWALS;
                if (!goesOn) {
                    throw e;
                }
            }
        }
    }

    /**
     * The outcome of comparing a further copy with the home's.
     *
     * @param comparedWith the home's version; the outcome of a comparison with an older one is ignored
     * @param detail for people: why it differs
     */
    public record Comparison(FileId id, ReplicaState state, Version comparedWith, String detail) {}

    public void replicaStates(List<Comparison> outcomes) throws IOException, InterruptedException {
        ReplicaStateRequest.Builder request = ReplicaStateRequest.newBuilder();
        for (Comparison outcome : outcomes) {
            request.addStates(ReplicaStateRequest.State.newBuilder()
                    .setId(Messages.bytes(outcome.id()))
                    .setState(Messages.wire(outcome.state()))
                    .setVersion(Messages.wire(outcome.comparedWith()))
                    .setDetail(outcome.detail()));
        }
        if (!outcomes.isEmpty()) {
            call(
                    "the state of " + outcomes.size() + " replicas",
                    Envelope.newBuilder().setReplicaStateRequest(request).build());
        }
    }

    /**
     * The home saw a file with other attributes, or other content, than the catalog has.
     *
     * @param basedOn the version that the home had: a repeated request makes no second one of it
     * @return the record afterwards; its version is a new one when the content changed
     * @throws FailureException NOT_HOME when this server is not the file's home in that epoch (any more)
     */
    public FileRecord update(FileId id, Attributes attributes, boolean contentChanged, long homeEpoch, Version basedOn)
            throws IOException, InterruptedException {
        Envelope reply = call(
                "the change of file " + id,
                Envelope.newBuilder()
                        .setUpdateRequest(UpdateRequest.newBuilder()
                                .setId(Messages.bytes(id))
                                .setAttributes(Messages.wire(attributes))
                                .setContentChanged(contentChanged)
                                .setHomeEpoch(homeEpoch)
                                .setBasedOn(Messages.wire(basedOn)))
                        .build());
        return Messages.record(reply.getRecordReply().getRecord());
    }

    /**
     * What the commits of a file that is written through the grid have come to.
     *
     * @param version of the file now
     * @return the record afterwards
     * @throws FailureException NOT_HOME when this server is not the file's home in that epoch (any more)
     */
    public FileRecord written(FileId id, Attributes attributes, long homeEpoch, Version version)
            throws IOException, InterruptedException {
        Envelope reply = call(
                "the commits of file " + id,
                Envelope.newBuilder()
                        .setUpdateRequest(UpdateRequest.newBuilder()
                                .setId(Messages.bytes(id))
                                .setAttributes(Messages.wire(attributes))
                                .setHomeEpoch(homeEpoch)
                                .setVersion(Messages.wire(version)))
                        .build());
        return Messages.record(reply.getRecordReply().getRecord());
    }

    /**
     * What an operation did to this server's tree: names and attributes, all at once.
     *
     * @throws FailureException CONFLICT when the catalog's names are not as the server takes them to be, DENIED when another server
     *     publishes one of the directories first
     */
    public NamespaceReply names(NamespaceRequest request) throws IOException, InterruptedException {
        return call(
                        "the change of " + request.getMutationsCount() + " names and attributes",
                        Envelope.newBuilder().setNamespaceRequest(request).build())
                .getNamespaceReply();
    }

    /**
     * What the catalog knows of a file now: whether this server is its home, and where it can be compared with.
     *
     * @throws FailureException NOT_FOUND when there is no such file (any more)
     */
    public Located located(FileId id) throws IOException, InterruptedException {
        Envelope reply = call(
                "the record of file " + id,
                Envelope.newBuilder()
                        .setRecordRequest(RecordRequest.newBuilder().setId(Messages.bytes(id)))
                        .build());
        List<Replica> replicas = new ArrayList<>();
        for (ReplicaInfo replica : reply.getRecordReply().getReplicasList()) {
            replicas.add(Messages.replica(replica));
        }
        return new Located(Messages.record(reply.getRecordReply().getRecord()), replicas);
    }

    /**
     * All that the catalog thinks this server serves below a publication, in no order.
     *
     * @param state only the copies in this state; null: all entries, the directories too
     */
    public List<Registered> served(FileId publication, @Nullable ReplicaState state)
            throws IOException, InterruptedException {
        ServedRequest.Builder served = ServedRequest.newBuilder().setPublication(Messages.bytes(publication));
        if (state != null) {
            served.setState(Messages.wire(state));
        }
        Envelope request = Envelope.newBuilder().setServedRequest(served).build();
        return calls.answer("what this server serves", (link, timeout) -> {
            List<Registered> all = new ArrayList<>();
            Envelope last = link.stream(
                    request, timeout, part -> all.addAll(part.getServedPart().getEntriesList()));
            all.addAll(last.getServedPart().getEntriesList());
            return all;
        });
    }

    private Envelope call(String what, Envelope request) throws IOException, InterruptedException {
        return calls.answer(what, (link, timeout) -> link.call(request, timeout));
    }
}
