package spigot.session;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import spigot.coherence.HolderConfig;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.memory.MemoryLink;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;
import spigot.transport.wire.Want;

/** A small client: caches versions of directories under leases, and reads them from the cache while these are valid. */
final class TestHolder implements LinkHandler, AutoCloseable {
    private record Cached(Version version, Lease lease) {}

    final LeaseHolder leases;
    final AtomicInteger drops = new AtomicInteger();
    private final PeerIdentity identity;
    private final TestGrantor grantor;
    private final Map<FileId, Cached> cache = new ConcurrentHashMap<>();
    private volatile @Nullable Link link;

    TestHolder(int number, HolderConfig config, BootClock clock, TestGrantor grantor) {
        this(number, config, clock, grantor, Runnable::run);
    }

    /** @param dropping runs what drops an object: at once, or later */
    TestHolder(
            int number,
            HolderConfig config,
            BootClock clock,
            TestGrantor grantor,
            java.util.concurrent.Executor dropping) {
        this.grantor = grantor;
        this.identity = new PeerIdentity(
                new NodeId(0, number), PeerIdentity.Role.NODE, "client" + number, "here", "0".repeat(32));
        this.leases = new LeaseHolder("server", LeaseKind.DIRECTORIES, config, clock, (object, done) -> {
            dropping.execute(() -> {
                cache.remove(object);
                drops.incrementAndGet();
                done.run();
            });
        });
    }

    void connect() {
        connect(UnaryOperator.identity());
    }

    /** @param wire what to put around the client's end of the link */
    void connect(UnaryOperator<Link> wire) {
        Link next = wire.apply(
                MemoryLink.pair(identity, this, TestGrantor.IDENTITY, grantor).left());
        link = next;
        leases.linkUp(next);
    }

    void disconnect() {
        Link last = link;
        if (last != null) {
            leases.linkDown(last);
            last.close();
        }
    }

    /** The version, as the cache or the server says. */
    Version read(FileId directory) throws IOException, InterruptedException {
        Cached cached = cache.get(directory);
        return cached != null && leases.valid(cached.lease()) ? cached.version() : look(directory);
    }

    boolean hasCached(FileId directory) {
        Cached cached = cache.get(directory);
        return cached != null && leases.valid(cached.lease());
    }

    private Version look(FileId directory) throws IOException, InterruptedException {
        Link current = link;
        if (current == null) {
            throw new IOException("connect first");
        }
        Optional<Want> want = leases.want(Duration.ofSeconds(1));
        LookupRequest.Builder request = LookupRequest.newBuilder().setDirectory(Messages.bytes(directory));
        want.ifPresent(request::setWant);
        LookupReply reply;
        try {
            reply = current.call(Envelope.newBuilder().setLookupRequest(request).build(), Duration.ofSeconds(30))
                    .getLookupReply();
        } catch (FailureException e) {
            if (e.code() == Failure.Code.UNKNOWN_SESSION) {
                want.ifPresent(w -> leases.sessionUnknown(w.getSession()));
            }
            throw e;
        }
        Version version = Messages.version(reply.getRecord().getVersion());
        leases.granted(reply.getGrant()).ifPresent(lease -> cache.put(directory, new Cached(version, lease)));
        return version;
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) {}

    @Override
    public void message(Link from, Envelope message) {
        leases.message(from, message);
    }

    @Override
    public void close() {
        leases.close();
        disconnect();
    }
}
