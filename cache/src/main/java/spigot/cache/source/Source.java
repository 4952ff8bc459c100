package spigot.cache.source;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.NodeId;
import spigot.session.LeaseHolder;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * One replica server as this node uses it: its link, the leases that it gave as a home, and how well it serves. Safe for any thread. While it can't
 * be reached, one virtual thread tries it again and again; while its links are up and it does not answer, another one asks it.
 */
public final class Source implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Source.class);
    private static final Duration PROBE_PAUSE = Duration.ofMillis(500);

    private final NodeId server;
    private final Peer peer;
    private final LeaseHolder leases;
    private final SourceMeter meter = new SourceMeter();
    private final AtomicBoolean probing = new AtomicBoolean();
    private final AtomicBoolean asking = new AtomicBoolean();
    private volatile boolean silent;
    private volatile boolean closed;

    /** @param connect makes the peer with the handler for what it sends */
    public Source(NodeId server, LeaseHolder leases, Function<LinkHandler, Peer> connect) {
        this.server = server;
        this.leases = leases;
        this.peer = connect.apply(new Incoming());
    }

    public NodeId server() {
        return server;
    }

    public String address() {
        return peer.address();
    }

    public LeaseHolder leases() {
        return leases;
    }

    /**
     * The link, made now if there is none; waits for one attempt, or not at all soon after one failed.
     *
     * @throws LinkBrokenException when it could not be made, or another server answers at the address
     */
    public Link link() throws LinkBrokenException, InterruptedException {
        Link link = peer.link(Duration.ZERO);
        if (!link.peer().id().equals(server)) {
            throw new LinkBrokenException(
                    "at " + address() + " answers server " + link.peer().id() + ", not " + server);
        }
        return link;
    }

    public boolean isAvailable() {
        return meter.isAvailable(System.nanoTime());
    }

    public SourceEstimate estimate() {
        return meter.estimate(System.nanoTime());
    }

    public long receivedBytes() {
        return meter.receivedBytes();
    }

    public long failures() {
        return meter.failures();
    }

    SourceMeter meter() {
        return meter;
    }

    /** A request to it failed: others come first, until it is reached again or some time has passed. */
    public void failed() {
        meter.failed(System.nanoTime());
        probe();
    }

    // ---- whether it answers

    /** Something that a server answers if it answers at all, a refusal included. */
    @FunctionalInterface
    public interface Question {
        void ask() throws IOException, InterruptedException;
    }

    /** Whether it did not answer lately, and nothing has been heard of it since: asking it costs time, and is done already. */
    public boolean isSilent() {
        return silent;
    }

    /** It did not answer in time. It is asked on until it does. */
    public void unanswered(Question question) {
        silent = true;
        if (!closed && asking.compareAndSet(false, true)) {
            Thread.ofVirtual().name("ask-" + address()).start(() -> askUntilHeard(question));
        }
    }

    /** It has answered something. */
    public void heard() {
        if (silent) {
            silent = false;
            log.debug("event=source_heard server={} address={}", server, address());
        }
    }

    private void askUntilHeard(Question question) {
        try {
            while (!closed && silent) {
                Thread.sleep(PROBE_PAUSE);
                ask(question);
            }
        } catch (InterruptedException _) {
            // Nobody interrupts this thread; if somebody did, the next silence starts another.
        } finally {
            asking.set(false);
        }
        if (silent && !closed) {
            unanswered(question); // it fell silent again at the last moment
        }
    }

    private void ask(Question question) throws InterruptedException {
        try {
            question.ask();
            heard();
        } catch (FailureException _) {
            heard();
        } catch (IOException e) {
            log.debug("event=source_silent server={} address={} cause=\"{}\"", server, address(), e.getMessage());
        }
    }

    private void probe() {
        if (!closed && probing.compareAndSet(false, true)) {
            Thread.ofVirtual().name("probe-" + address()).start(this::probeUntilReached);
        }
    }

    private void probeUntilReached() {
        try {
            while (!closed) {
                try {
                    Link link = link();
                    if (link.isOpen()) {
                        return;
                    }
                } catch (LinkBrokenException e) {
                    log.debug(
                            "event=source_probe server={} address={} cause=\"{}\"", server, address(), e.getMessage());
                }
                Thread.sleep(PROBE_PAUSE);
            }
        } catch (InterruptedException _) {
            // Nobody interrupts this thread; if somebody did, the next failure starts another.
        } finally {
            probing.set(false);
        }
    }

    @Override
    public void close() {
        closed = true;
        leases.close();
        peer.close();
    }

    @Override
    public String toString() {
        return server + " at " + address();
    }

    private final class Incoming implements LinkHandler {
        @Override
        public void opened(Link link) {
            if (link.peer().id().equals(server)) {
                meter.reached();
                heard();
                leases.linkUp(link);
            }
        }

        @Override
        public void request(Link from, Envelope request, Responder responder) throws FailureException {
            throw new FailureException(
                    Failure.Code.BAD_REQUEST, "a computing node answers no requests, so not " + request.getBodyCase());
        }

        @Override
        public void message(Link from, Envelope message) {
            leases.message(from, message);
        }

        @Override
        public void closed(Link link) {
            leases.linkDown(link);
            if (!closed) {
                failed();
            }
        }
    }
}
