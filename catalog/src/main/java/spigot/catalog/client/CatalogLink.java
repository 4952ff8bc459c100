package spigot.catalog.client;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.session.LeaseHolder;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * Keeps the link to the catalog up, as leases end without one, and tells the holder of leases of each link and message. One
 * virtual thread waits for the link to break and has it made again; the peer sees to the pauses between attempts.
 */
final class CatalogLink implements LinkHandler, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogLink.class);
    private static final Duration ATTEMPT = Duration.ofSeconds(30);
    private static final long LOOK_AGAIN_MILLIS = 1000;

    private final LeaseHolder holder;
    private final Runnable linked;
    private final Peer peer;
    private final Semaphore changes = new Semaphore(0);
    private final Thread keeper;
    private volatile boolean closed;

    /** @param linked told after each link that was made; must not block */
    CatalogLink(Function<LinkHandler, Peer> connect, LeaseHolder holder, Runnable linked) {
        this.holder = holder;
        this.linked = linked;
        this.peer = connect.apply(this);
        this.keeper = Thread.ofVirtual().name("catalog-link").unstarted(this::keep);
    }

    void start() {
        keeper.start();
    }

    Peer peer() {
        return peer;
    }

    private void keep() {
        try {
            while (!closed) {
                try {
                    Link link = peer.link(ATTEMPT);
                    while (link.isOpen() && !closed) {
                        boolean _ = changes.tryAcquire(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
                    }
                } catch (LinkBrokenException e) {
                    LOG.debug("event=catalog-unreachable address={} cause=\"{}\"", peer.address(), e.getMessage());
                    boolean _ = changes.tryAcquire(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
                }
                changes.drainPermits();
            }
        } catch (InterruptedException _) {
            // Only close interrupts it: it ends.
        }
    }

    @Override
    public void opened(Link link) {
        LOG.info("event=catalog-linked address={}", peer.address());
        holder.linkUp(link);
        linked.run();
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) throws IOException {
        responder.fail(Failure.newBuilder()
                .setCode(Failure.Code.BAD_REQUEST)
                .setMessage("a catalog client answers no requests")
                .build());
    }

    @Override
    public void message(Link from, Envelope message) {
        if (!holder.message(from, message)) {
            LOG.debug("event=message-ignored from={} body={}", from.peer().name(), message.getBodyCase());
        }
    }

    @Override
    public void closed(Link link) {
        if (!closed) {
            LOG.info("event=catalog-link-broken address={}", peer.address());
        }
        holder.linkDown(link);
        changes.release();
    }

    @Override
    public void close() {
        closed = true;
        keeper.interrupt();
        peer.close();
    }
}
