package spigot.session;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import spigot.coherence.GrantorConfig;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Grant;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;

/** A small server: versions of directories under leases. Its lives follow each other by {@link #restart}. */
final class TestGrantor implements LinkHandler, AutoCloseable {
    static final PeerIdentity IDENTITY =
            new PeerIdentity(new NodeId(0, 999), PeerIdentity.Role.SERVER, "server", "here", "0".repeat(32));
    static final Duration PATIENCE = Duration.ofSeconds(60);

    final Map<FileId, Version> versions = new ConcurrentHashMap<>();
    final AtomicInteger lookups = new AtomicInteger();
    final AtomicInteger renewals = new AtomicInteger();
    private final GrantorConfig config;
    private final BootClock clock;
    private final ReentrantLock life = new ReentrantLock();
    private volatile LeaseGrantor leases;
    private long epoch = 1;

    TestGrantor(GrantorConfig config, BootClock clock) {
        this.config = config;
        this.clock = clock;
        this.leases = new LeaseGrantor("server", LeaseKind.DIRECTORIES, config, epoch, false, clock);
    }

    LeaseGrantor leases() {
        return leases;
    }

    /** The next life; what the former one has cleared but not made visible never happens. */
    void restart() {
        life.lock();
        try {
            leases.close();
            leases = new LeaseGrantor("server", LeaseKind.DIRECTORIES, config, ++epoch, true, clock);
        } finally {
            life.unlock();
        }
    }

    Version version(FileId directory) {
        return versions.getOrDefault(directory, Version.NONE);
    }

    /** Makes the directory's next version visible. */
    Version change(FileId directory) throws Exception {
        LeaseGrantor current = leases;
        return current.changing(List.of(directory), PATIENCE, () -> {
            life.lock();
            try {
                if (current != leases) {
                    throw new IllegalStateException("the server has started again");
                }
                Version next = version(directory).next();
                versions.put(directory, next);
                return next;
            } finally {
                life.unlock();
            }
        });
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) throws Exception {
        LeaseGrantor current = leases;
        if (current.request(from, request, responder)) {
            if (request.hasRenew()) {
                renewals.incrementAndGet(); // it is answered by now
            }
            return;
        }
        if (!request.hasLookupRequest()) {
            throw new FailureException(Failure.Code.BAD_REQUEST, "not a look-up: " + request.getBodyCase());
        }
        lookups.incrementAndGet();
        LookupRequest lookup = request.getLookupRequest();
        FileId directory = Messages.fileId(lookup.getDirectory());
        Optional<Grant> grant =
                current.acquire(from, lookup.getWant(), directory, () -> version(directory), Duration.ofSeconds(20));
        LookupReply.Builder reply = LookupReply.newBuilder()
                .setRecord(FileRecord.newBuilder().setVersion(Messages.wire(version(directory))));
        grant.ifPresent(reply::setGrant);
        responder.reply(Envelope.newBuilder().setLookupReply(reply).build());
    }

    @Override
    public void message(Link from, Envelope message) {
        leases.message(from, message);
    }

    @Override
    public void closed(Link link) {
        leases.linkClosed(link);
    }

    @Override
    public void close() {
        leases.close();
    }
}
