package spigot.transport.tls;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.NodeId;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;
import spigot.transport.identity.IdentityException;
import spigot.transport.wire.Failure;

/**
 * Accepts links: one port, TLS 1.3 with both sides authenticated, nothing else. One virtual thread accepts, each connection
 * has its own for the handshake. Safe for any thread.
 */
public final class TransportServer implements Closeable {
    private static final Logger log = LoggerFactory.getLogger(TransportServer.class);
    private static final int BACKLOG = 512;
    /** A joiner needs one exchange: it may stay for so many times the handshake's bound. */
    private static final int JOINER_STAYS = 3;
    /** When the system has no descriptor left for an accepted connection. */
    private static final long ACCEPT_PAUSE_MILLIS = 100;

    /** Of connections that come to nothing: anybody can make as many as they like. */
    private static final int LOGGED_STRANGERS = 10;

    private static final Duration STRANGERS_WINDOW = Duration.ofMinutes(1);
    private static final Duration ACCEPTOR_LEAVES_WITHIN = Duration.ofSeconds(5);

    private final ServerSocket listening;
    private final Acceptor acceptor;
    private final LinkHandler handler;
    private final SocketLink.Terms terms;
    private final Admission admission;
    private final Map<LinkName, SocketLink> links = new ConcurrentHashMap<>();
    /** All that are accepted, also those without a link yet. */
    private final Set<CountingSocket> sockets = ConcurrentHashMap.newKeySet();

    private final LogBudget strangers = new LogBudget(LOGGED_STRANGERS, STRANGERS_WINDOW);
    private final Thread thread;
    private volatile boolean closed;

    /** The peer's identity and the id that it chose. */
    private record LinkName(NodeId peer, NodeId link) {}

    private TransportServer(
            ServerSocket listening,
            Acceptor acceptor,
            LinkHandler handler,
            SocketLink.Terms terms,
            ServerLimits serverLimits) {
        this.listening = listening;
        this.acceptor = acceptor;
        this.handler = handler;
        this.terms = terms;
        this.admission = new Admission(serverLimits);
        this.thread = Thread.ofVirtual().name("accept " + port()).unstarted(this::accept);
    }

    /**
     * @param identity asked for each handshake, so that a renewed certificate is used at once
     * @throws IOException when the address can't be bound
     */
    public static TransportServer listen(
            InetSocketAddress address,
            Supplier<Identity> identity,
            LinkHandler handler,
            TransportLimits limits,
            ServerLimits serverLimits,
            TransportCounters counters)
            throws IOException {
        ServerSocket listening = new CountingServerSocket(counters);
        try {
            listening.bind(address, BACKLOG);
        } catch (IOException e) {
            listening.close();
            throw new IOException("can't listen on " + address + ": " + e.getMessage(), e);
        }
        TransportServer server = new TransportServer(
                listening,
                new Acceptor(identity, limits.frames()),
                handler,
                new SocketLink.Terms(limits, counters),
                serverLimits);
        server.thread.start();
        return server;
    }

    /** The port that it listens on. */
    public int port() {
        return listening.getLocalPort();
    }

    private static final class CountingServerSocket extends ServerSocket {
        private final TransportCounters counters;

        CountingServerSocket(TransportCounters counters) throws IOException {
            this.counters = counters;
        }

        @Override
        public Socket accept() throws IOException {
            CountingSocket socket = new CountingSocket(counters);
            implAccept(socket);
            return socket;
        }
    }

    private void accept() {
        while (!closed) {
            try {
                CountingSocket socket = (CountingSocket) listening.accept();
                admit(socket);
            } catch (IOException e) {
                if (closed) {
                    return;
                }
                log.warn("event=accept_failed cause=\"{}\"", e.toString());
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(ACCEPT_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void admit(CountingSocket socket) {
        String address = addressOf(socket);
        try {
            Admission.Place place = admission.enter(socket.getInetAddress());
            sockets.add(socket);
            socket.whenClosed(() -> {
                sockets.remove(socket);
                place.close();
            });
            Thread.ofVirtual().name("handshake " + address).start(() -> handshake(socket, address, place));
        } catch (Admission.TooManyException e) {
            logStranger("connection_refused", address, String.valueOf(e.getMessage()));
            Deadline.closeQuietly(socket);
        }
    }

    private void logStranger(String event, String address, String cause) {
        strangers.take(System.nanoTime()).ifPresent(leftOut -> {
            if (leftOut > 0) {
                log.warn("event=lines_left_out count={} of=\"connections that came to nothing\"", leftOut);
            }
            log.warn("event={} address={} cause=\"{}\"", event, address, cause);
        });
    }

    private static String addressOf(Socket socket) {
        return new HostPort(socket.getInetAddress().getHostAddress(), socket.getPort()).toString();
    }

    private void handshake(CountingSocket socket, String address, Admission.Place place) {
        boolean kept = false;
        try (Deadline deadline = new Deadline(socket, terms.limits().times().handshakeWithin())) {
            try {
                socket.setTcpNoDelay(true);
                Acceptor.Accepted accepted = acceptor.handshake(socket, address);
                kept = take(accepted, place);
            } catch (IdentityException e) {
                logStranger("peer_refused", address, String.valueOf(e.getMessage()));
            } catch (IOException | RuntimeException e) {
                if (closed) {
                    return;
                }
                String why = deadline.hasPassed() ? "it took too long" : Causes.text(e);
                logStranger("handshake_failed", address, why);
            }
        } finally {
            if (!kept) {
                Deadline.closeQuietly(socket);
            }
        }
    }

    /** False when the connection is not wanted, and the peer was told why. */
    private boolean take(Acceptor.Accepted accepted, Admission.Place place) throws IOException {
        PeerIdentity peer = accepted.peer();
        LinkName name = new LinkName(peer.id(), accepted.preface().link());
        if (closed) {
            accepted.refuse(Failure.Code.NOT_READY, "the server is stopping");
            return false;
        }
        if (peer.role() == PeerIdentity.Role.JOINER) {
            return takeJoiner(accepted);
        }
        place.authenticated();
        return accepted.preface().control() ? takeControl(accepted, name) : takeBulk(accepted, name);
    }

    private boolean takeJoiner(Acceptor.Accepted accepted) throws IOException {
        if (!accepted.preface().control()) {
            accepted.refuse(Failure.Code.DENIED, "who has not joined yet has one connection");
            return false;
        }
        Deadline stay = new Deadline(
                accepted.wire().socket(),
                terms.limits().times().handshakeWithin().multipliedBy(JOINER_STAYS));
        begin(accepted, new SocketLink(accepted.wire(), accepted.peer(), handler, terms, null, link -> stay.close()));
        return true;
    }

    private boolean takeControl(Acceptor.Accepted accepted, LinkName name) throws IOException {
        SocketLink link = new SocketLink(
                accepted.wire(), accepted.peer(), handler, terms, null, broken -> links.remove(name, broken));
        if (links.putIfAbsent(name, link) != null) {
            accepted.refuse(Failure.Code.CONFLICT, "there is a link with this id already");
            return false;
        }
        begin(accepted, link);
        return true;
    }

    /** The handler knows the link before the peer does: bulk connections may follow the welcome at once. */
    private void begin(Acceptor.Accepted accepted, SocketLink link) throws IOException {
        link.announce();
        try {
            accepted.welcome();
        } catch (IOException e) {
            link.close();
            throw e;
        }
        link.begin();
        if (closed) {
            link.close();
        }
    }

    private boolean takeBulk(Acceptor.Accepted accepted, LinkName name) throws IOException {
        SocketLink link = links.get(name);
        if (link == null) {
            accepted.refuse(Failure.Code.NOT_FOUND, "there is no link for this bulk connection");
            return false;
        }
        accepted.welcome();
        return link.attach(accepted.wire(), accepted.preface().index());
    }

    /** Stops listening and breaks all links. */
    @Override
    public void close() {
        closed = true;
        try {
            listening.close();
        } catch (IOException e) {
            log.warn("event=close_failed port={} cause=\"{}\"", port(), e.toString());
        }
        awaitAcceptor();
        new ArrayList<>(links.values()).forEach(SocketLink::close);
        new ArrayList<>(sockets).forEach(Deadline::closeQuietly);
    }

    /** The system goes on listening until the accepting thread has left the socket. */
    private void awaitAcceptor() {
        try {
            if (!thread.join(ACCEPTOR_LEAVES_WITHIN)) {
                log.warn("event=acceptor_stuck port={}", port());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
