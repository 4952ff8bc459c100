package spigot.transport.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.transport.CallTimeoutException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.wire.Envelope;

/** A link on real sockets: lives and dies with its control connection. Safe for any thread. */
final class SocketLink implements Link, Connection.Owner {
    private static final Logger log = LoggerFactory.getLogger(SocketLink.class);
    /** While no bulk connection is open yet, what is not larger goes over the control connection at once. */
    private static final int SMALL_FETCH_BYTES = 256 << 10;

    private final PeerIdentity peer;
    private final String address;
    private final LinkHandler handler;
    private final TransportLimits limits;
    private final TransportCounters counters;
    private final Consumer<SocketLink> whenClosed;
    private final Connection control;
    private final BulkConnections bulk;

    /**
     * @param dialer makes the bulk connections; null on the side that accepted
     * @param whenClosed told once, after the handler
     */
    SocketLink(
            Wire wire,
            PeerIdentity peer,
            LinkHandler handler,
            Terms terms,
            @Nullable BulkDialer dialer,
            Consumer<SocketLink> whenClosed) {
        this.peer = peer;
        this.address = wire.address();
        this.handler = handler;
        this.limits = terms.limits();
        this.counters = terms.counters();
        this.whenClosed = whenClosed;
        this.control = new Connection(wire, "control connection to " + who(), true, limits, counters, this);
        this.bulk = dialer == null
                ? new BulkConnections(TransportLimits.MAX_BULK_CONNECTIONS, null)
                : new BulkConnections(limits.bulkConnections(), index -> {
                    Connection connection = bulkConnection(dialer.open(index, this), index);
                    connection.start();
                    return connection;
                });
    }

    /** What all links of a process share. */
    record Terms(TransportLimits limits, TransportCounters counters) {}

    /** Opens the n-th bulk connection of a link. */
    interface BulkDialer {
        Wire open(int index, SocketLink link) throws LinkBrokenException;
    }

    private String who() {
        return peer.name() + " (" + address + ")";
    }

    private Connection bulkConnection(Wire wire, int index) {
        return new Connection(wire, "bulk connection " + index + " to " + who(), false, limits, counters, this);
    }

    /** Tells the handler, then begins to read. */
    void start() {
        announce();
        begin();
    }

    /** Tells the handler; once. From now on the link ends with {@link #close} or by breaking. */
    void announce() {
        log.info("event=link_up peer={} role={} node={} address={}", peer.name(), peer.role(), peer.id(), address);
        handler.opened(this);
    }

    /** Begins to read and write; once, after {@link #announce}. */
    void begin() {
        control.start();
    }

    /** The accepting side: a further connection of the peer. */
    boolean attach(Wire wire, int index) {
        Connection connection = bulkConnection(wire, index);
        if (!bulk.attach(index, connection)) {
            return false;
        }
        connection.start();
        return true;
    }

    // ---- Link

    @Override
    public PeerIdentity peer() {
        return peer;
    }

    @Override
    public boolean isOpen() {
        return control.isOpen();
    }

    @Override
    public Envelope call(Envelope request, Duration timeout) throws IOException, InterruptedException {
        return control.call(request, timeout);
    }

    @Override
    public Envelope stream(Envelope request, Duration timeout, Consumer<Envelope> part)
            throws IOException, InterruptedException {
        return control.stream(request, timeout, part);
    }

    @Override
    public Envelope fetch(Envelope request, ByteBuffer destination, Duration timeout, @Nullable Runnable progress)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Patience.nanos(timeout);
        int bytes = destination.remaining();
        long patience = bytes <= SMALL_FETCH_BYTES ? 0 : Patience.nanos(timeout);
        try (BulkConnections.Ticket ticket = bulk.pick(bytes, patience)) {
            Duration left = Duration.ofNanos(deadline - System.nanoTime());
            if (!left.isPositive()) {
                throw new CallTimeoutException("no bulk connection to " + who() + " could be opened within "
                        + timeout.toMillis() + " ms for " + request.getBodyCase());
            }
            Connection connection = ticket == null ? control : ticket.connection();
            return connection.fetch(request, destination, left, progress);
        }
    }

    @Override
    public void send(Envelope message) throws IOException {
        control.send(message);
    }

    @Override
    public void close() {
        control.close();
    }

    // ---- Connection.Owner

    @Override
    public void request(Envelope request, InboundCall responder) throws Exception {
        handler.request(this, request, responder);
    }

    @Override
    public void message(Envelope message) {
        handler.message(this, message);
    }

    @Override
    public boolean servesJoiner() {
        return peer.role() == PeerIdentity.Role.JOINER;
    }

    @Override
    public void broken(Connection connection, LinkBrokenException cause) {
        if (connection != control) {
            log.debug("event=bulk_connection_broken cause=\"{}\"", cause.getMessage());
            bulk.broken(connection);
            return;
        }
        log.info("event=link_down peer={} node={} cause=\"{}\"", peer.name(), peer.id(), cause.getMessage());
        bulk.close(cause);
        try {
            handler.closed(this);
        } catch (RuntimeException e) {
            log.error("event=closed_handler_failed peer={}", peer.name(), e);
        } finally {
            whenClosed.accept(this);
        }
    }
}
