package spigot.catalog.server;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.server.state.Begin;
import spigot.catalog.server.state.Outcome;
import spigot.model.NodeId;
import spigot.session.BootClock;
import spigot.session.LeaseGrantor;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.JoinToken;
import spigot.transport.wire.CreateTokenReply;
import spigot.transport.wire.Done;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.RecordReply;

/**
 * The catalog's part of a server process: answers what is meant for the catalog and leaves everything else alone. Safe for any
 * thread; requests block and are meant for virtual threads.
 */
public final class CatalogServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogServer.class);

    private final CatalogLog log;
    private final LeaseGrantor grantor;
    private final Lookups lookups;
    private final ServerRequests serverRequests;
    private final Joiners joiners;

    private CatalogServer(
            CatalogLog log, LeaseGrantor grantor, Lookups lookups, ServerRequests serverRequests, Joiners joiners) {
        this.log = log;
        this.grantor = grantor;
        this.lookups = lookups;
        this.serverRequests = serverRequests;
        this.joiners = joiners;
    }

    /**
     * Opens the catalog in a directory, which is made if it does not exist; returns when it can answer.
     *
     * @throws IOException when the directory can't be used, belongs to another grid, or another process has it open
     */
    public static CatalogServer open(
            Path directory, GridAuthority authority, CatalogConfiguration configuration, BootClock clock)
            throws IOException, InterruptedException {
        CatalogLog log = RatisCatalogLog.open(directory);
        try {
            return on(log, authority, configuration, clock, Clock.systemUTC(), new SecureRandom());
        } catch (IOException | InterruptedException | RuntimeException e) {
            log.close();
            throw e;
        }
    }

    /**
     * Begins a life of the catalog upon a log, which belongs to it from then on.
     *
     * @param time goes into attributes of directories and ends the validity of tokens
     * @param random for the ids of new files
     */
    public static CatalogServer on(
            CatalogLog log,
            GridAuthority authority,
            CatalogConfiguration configuration,
            BootClock clock,
            InstantSource time,
            RandomGenerator random)
            throws IOException, InterruptedException {
        Outcome begun = log.propose(Proposer.command(NodeId.NONE, time, random)
                .setBegin(Begin.newBuilder().setGrid(authority.gridBytes()))
                .build());
        if (begun.hasFailure()) {
            throw new IOException(begun.getFailure().getMessage());
        }
        long life = begun.getLife();
        LeaseGrantor grantor =
                new LeaseGrantor("catalog", LeaseKind.DIRECTORIES, configuration.leases(), life, life > 1, clock);
        Unseen unseen = new Unseen(life);
        Proposer proposer = new Proposer(log, grantor, configuration.recallPatience(), time, random, unseen);
        try (View view = log.read()) {
            Servers servers = new Servers(Records.servers(view), clock, configuration.serverSilence());
            unseen.hide(view, grantor);
            long epoch = Records.number(view, Namespace.BORN);
            LOG.info(
                    "event=catalog-open life={} files={} directories={}",
                    life,
                    Records.number(view, Records.FILES),
                    Records.number(view, Records.DIRECTORIES));
            return new CatalogServer(
                    log,
                    grantor,
                    new Lookups(log, grantor, servers, proposer, configuration, authority.gridBytes(), epoch),
                    new ServerRequests(log, proposer, servers),
                    new Joiners(proposer, authority, time));
        }
    }

    /**
     * @return whether the request was for the catalog (sessions, joining, names, registration); then it is answered
     * @throws FailureException when it is refused; the transport makes a Failure of it
     */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        return switch (request.getBodyCase()) {
            case HELLO, RENEW, BYE -> {
                requireMember(from);
                yield grantor.request(from, request, responder);
            }
            case CHANGE_SEEN -> {
                requireMember(from);
                grantor.seen(from, request.getChangeSeen());
                responder.reply(
                        Envelope.newBuilder().setDone(Done.getDefaultInstance()).build());
                yield true;
            }
            case JOIN_REQUEST -> {
                Envelope reply = Envelope.newBuilder()
                        .setJoinReply(joiners.join(request.getJoinRequest()))
                        .build();
                responder.reply(reply);
                yield true;
            }
            case RENEW_CERTIFICATE, LOOKUP_REQUEST, LIST_REQUEST, RECORD_REQUEST, REPLICAS_REQUEST, GRID_REQUEST -> {
                requireMember(from);
                read(from, request, responder);
                yield true;
            }
            case CREATE_TOKEN,
                    SERVER_HELLO,
                    PUBLISH_REQUEST,
                    REGISTER_REQUEST,
                    WITHDRAW_REQUEST,
                    REPLICA_STATE_REQUEST,
                    UPDATE_REQUEST,
                    SERVED_REQUEST,
                    NAMESPACE_REQUEST -> {
                requireServer(from);
                change(from.peer(), request, responder);
                yield true;
            }
            default -> false;
        };
    }

    private void read(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        Envelope.Builder reply = Envelope.newBuilder();
        switch (request.getBodyCase()) {
            case RENEW_CERTIFICATE ->
                reply.setJoinReply(joiners.renew(request.getRenewCertificate().getCertificateRequest(), from.peer()));
            case LOOKUP_REQUEST -> reply.setLookupReply(lookups.lookup(from, request.getLookupRequest()));
            case RECORD_REQUEST -> reply.setRecordReply(lookups.record(from, request.getRecordRequest()));
            case REPLICAS_REQUEST -> reply.setReplicasReply(lookups.replicas(request.getReplicasRequest()));
            case GRID_REQUEST -> reply.setGridReply(lookups.grid());
            case LIST_REQUEST -> {
                lookups.list(from, request.getListRequest(), responder);
                return;
            }
            default -> throw new IllegalStateException("not a question: " + request.getBodyCase());
        }
        responder.reply(reply.build());
    }

    private void change(PeerIdentity peer, Envelope request, Responder responder)
            throws IOException, InterruptedException {
        Envelope.Builder reply = Envelope.newBuilder().setDone(Done.getDefaultInstance());
        switch (request.getBodyCase()) {
            case CREATE_TOKEN ->
                reply.setCreateTokenReply(CreateTokenReply.newBuilder()
                        .setToken(joiners.create(request.getCreateToken()).text()));
            case SERVER_HELLO ->
                serverRequests.hello(peer, request.getServerHello().getServer());
            case PUBLISH_REQUEST ->
                reply.setPublishReply(serverRequests.publish(peer.id(), request.getPublishRequest()));
            case REGISTER_REQUEST ->
                reply.setRegisterReply(serverRequests.register(peer.id(), request.getRegisterRequest()));
            case WITHDRAW_REQUEST -> serverRequests.withdraw(peer.id(), request.getWithdrawRequest());
            case REPLICA_STATE_REQUEST -> serverRequests.replicaStates(peer.id(), request.getReplicaStateRequest());
            case UPDATE_REQUEST ->
                reply.setRecordReply(RecordReply.newBuilder()
                        .setRecord(serverRequests.update(peer.id(), request.getUpdateRequest())));
            case NAMESPACE_REQUEST ->
                reply.setNamespaceReply(serverRequests.names(peer.id(), request.getNamespaceRequest()));
            case SERVED_REQUEST -> {
                serverRequests.served(peer.id(), request.getServedRequest(), responder);
                return;
            }
            default -> throw new IllegalStateException("not a change: " + request.getBodyCase());
        }
        responder.reply(reply.build());
    }

    /** @return whether the one-way message was for the catalog; never blocks */
    public boolean message(Link from, Envelope message) {
        return from.peer().role() != PeerIdentity.Role.JOINER && grantor.message(from, message);
    }

    /** A link has broken or was closed. Never blocks. */
    public void linkClosed(Link link) {
        grantor.linkClosed(link);
    }

    /** A one-time token that lets one server or node into the grid. */
    public JoinToken createToken(PeerIdentity.Role role, String site, Duration validity)
            throws IOException, InterruptedException {
        return joiners.create(role, site, validity);
    }

    /** Processes with a session. */
    public int clients() {
        return grantor.sessions();
    }

    private static void requireMember(Link from) throws FailureException {
        if (from.peer().role() == PeerIdentity.Role.JOINER) {
            throw denied(from, "join the grid first");
        }
    }

    private static void requireServer(Link from) throws FailureException {
        if (from.peer().role() != PeerIdentity.Role.SERVER) {
            throw denied(from, "only a replica server may ask for this");
        }
    }

    private static FailureException denied(Link from, String why) {
        return new FailureException(
                Failure.Code.DENIED,
                "'" + from.peer().name() + "' is a " + from.peer().role() + ": " + why);
    }

    /** Finishes what is under way and closes the files; idempotent. */
    @Override
    public void close() throws IOException {
        grantor.close();
        log.close();
    }
}
