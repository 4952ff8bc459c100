package spigot.node.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.RegistrationClient;
import spigot.catalog.server.CatalogConfiguration;
import spigot.catalog.server.CatalogServer;
import spigot.node.Address;
import spigot.node.NodeException;
import spigot.node.RefusingHandler;
import spigot.node.RenewedIdentity;
import spigot.node.control.ControlServer;
import spigot.node.control.ControlSocket;
import spigot.node.home.ProcessStamp;
import spigot.node.http.HttpEndpoint;
import spigot.replica.ReplicaConfiguration;
import spigot.replica.ReplicaServer;
import spigot.session.BootClock;
import spigot.transport.Peer;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.IdentityRenewer;
import spigot.transport.tls.Connector;
import spigot.transport.tls.ServerLimits;
import spigot.transport.tls.TransportServer;

/**
 * A replica server, with the catalog if it is the grid's first. Started and closed by one thread each; the parts have their own. What
 * has been opened is closed in the reverse order, also when a later part can't be opened.
 */
public final class ServerProcess implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ServerProcess.class);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);

    private final ServerDirectory directory;
    private final Deque<Part> parts = new ArrayDeque<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final ReentrantLock closing = new ReentrantLock();
    private String address = "";

    /** Something to close, with its name for the log. */
    private record Part(String name, AutoCloseable closeable) {}

    private ServerProcess(ServerDirectory directory) {
        this.directory = directory;
    }

    /**
     * Starts a server and returns when it serves.
     *
     * @param notice told, line by line, what takes long
     * @throws NodeException when it can't start; then nothing of it is left
     */
    public static ServerProcess start(ServerConfiguration configuration, Consumer<String> notice)
            throws NodeException, IOException, InterruptedException {
        for (Publication publication : configuration.publications()) {
            if (!Files.exists(publication.source())) {
                throw new NodeException("there is no " + publication.source() + " to publish as " + publication.path());
            }
        }
        ServerDirectory directory = ServerDirectory.open(configuration.data());
        ServerProcess server = new ServerProcess(directory);
        boolean started = false;
        try {
            server.keep("directory", directory);
            server.open(configuration, notice);
            started = true;
            return server;
        } finally {
            if (!started) {
                server.closeParts();
                directory.discard();
            }
        }
    }

    private <T extends AutoCloseable> T keep(String name, T part) {
        parts.push(new Part(name, part));
        return part;
    }

    private void open(ServerConfiguration configuration, Consumer<String> notice)
            throws NodeException, IOException, InterruptedException {
        checkFree(configuration.listen(), "--listen");
        if (configuration.http().isPresent()) {
            checkFree(configuration.http().get(), "--http");
        }
        TransportCounters counters = new TransportCounters();
        Membership membership = Membership.establish(directory, configuration, counters);
        ServerDirectory.ServerMarker marker = membership.marker();
        RandomGenerator random = new java.security.SecureRandom();

        RenewedIdentity identity = new RenewedIdentity(membership.identity());
        ServerHandler handler = new ServerHandler();
        Connector connector = new Connector(identity, TransportLimits.DEFAULT, counters, random);
        TransportServer transport;
        try {
            transport = keep(
                    "transport",
                    TransportServer.listen(
                            configuration.listen().resolve(),
                            identity,
                            handler,
                            TransportLimits.DEFAULT,
                            ServerLimits.DEFAULT,
                            counters));
        } catch (IOException e) {
            throw new NodeException(
                    configuration.listen() + " can't be listened on: " + NodeException.reason(e)
                            + "; choose another with --listen",
                    e);
        }
        Address here = advertised(configuration, transport.port());
        address = here.toString();
        String catalogAddress =
                marker.isFirst() ? reachable(here, configuration.listen()).toString() : marker.catalog();
        Peer catalogPeer = keep("catalog link", connector.peer(catalogAddress, new RefusingHandler()));
        identity.renewWith(keep("identity", renewer(membership, catalogPeer)));

        Optional<CatalogServer> catalog = Optional.empty();
        if (membership.authority().isPresent()) {
            catalog = Optional.of(keep(
                    "catalog",
                    CatalogServer.open(
                            directory.below("catalog"),
                            membership.authority().get(),
                            CatalogConfiguration.DEFAULT,
                            BootClock.system())));
        }
        ServerPeers peers = keep("server links", new ServerPeers(connector));
        ReplicaServer replica = keep(
                "replica",
                new ReplicaServer(
                        ReplicaConfiguration.of(
                                membership.identity().self().id(),
                                marker.name(),
                                marker.site(),
                                directory.below("replica")),
                        new RegistrationClient(catalogPeer, PATIENCE, CALL_TIMEOUT),
                        peers,
                        BootClock.system()));
        handler.serve(catalog, replica);
        replica.start(address);

        ServerStatus status = new ServerStatus(directory.path(), address, membership, catalog, replica, counters);
        ServerVerbs verbs = new ServerVerbs(status, catalog, replica, catalogPeer, stop::countDown);
        ControlServer control = keep(
                "control",
                ControlServer.listen(ControlSocket.at(directory.path().resolve("control.sock")), verbs.handlers()));
        LocalServer note = new LocalServer(directory.path(), ProcessStamp.ofThisProcess(), control.socket());
        note.note();
        keep("note", note::forget);
        if (configuration.http().isPresent()) {
            InetSocketAddress http = configuration.http().get().resolve();
            HttpEndpoint endpoint =
                    keep("http", HttpEndpoint.listen(http, status::metrics, status::json, status::health));
            status.httpPort(endpoint.port());
        }
        for (Publication publication : configuration.publications()) {
            verbs.publishAtStart(publication, notice);
        }
        log.info("event=server_ready address={} grid={} name=\"{}\"", address, marker.grid(), marker.name());
    }

    private static IdentityRenewer renewer(Membership membership, Peer catalog) {
        IdentityRenewer.Signer signer = membership.authority().isPresent()
                ? IdentityRenewer.by(membership.authority().get())
                : IdentityRenewer.over(catalog);
        return new IdentityRenewer(membership.identityDirectory(), membership.identity(), signer, Clock.systemUTC());
    }

    /** Tells early what would otherwise fail late, when a grid has been made or a token used. */
    private static void checkFree(Address address, String option) throws NodeException {
        if (address.port() == 0) {
            return;
        }
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(address.resolve());
        } catch (IOException e) {
            throw new NodeException(
                    address + " can't be listened on: " + NodeException.reason(e) + "; choose another with " + option,
                    e);
        }
    }

    private static Address advertised(ServerConfiguration configuration, int port) throws NodeException {
        if (configuration.advertised().isPresent()) {
            Address given = configuration.advertised().get();
            return given.port() == 0 ? given.withPort(port) : given;
        }
        Address listen = configuration.listen().withPort(port);
        try {
            return listen.resolve().getAddress().isAnyLocalAddress()
                    ? new Address(InetAddress.getLocalHost().getHostName(), port)
                    : listen;
        } catch (java.net.UnknownHostException e) {
            throw new NodeException(
                    "this machine's name is not known: say with --advertise HOST:PORT where others reach it", e);
        }
    }

    /** Where this process reaches itself: what it advertises need not lead here from here. */
    private static Address reachable(Address here, Address listen) throws NodeException {
        return listen.resolve().getAddress().isAnyLocalAddress()
                ? new Address("127.0.0.1", here.port())
                : listen.withPort(here.port());
    }

    /** HOST:PORT at which others reach it. */
    public String address() {
        return address;
    }

    /** Returns when the server was asked to stop: by a signal to its process or over its control socket. */
    public void awaitStop() throws InterruptedException {
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("shutdown").unstarted(() -> {
                    close();
                    // SIGTERM is the usual way to end a server: not an error.
                    Runtime.getRuntime().halt(0);
                }));
        stop.await();
    }

    @Override
    public void close() {
        stop.countDown();
        closeParts();
    }

    private void closeParts() {
        closing.lock();
        try {
            while (!parts.isEmpty()) {
                Part part = parts.pop();
                try {
                    part.closeable().close();
                } catch (Exception e) {
                    log.warn("event=close_failed part=\"{}\" reason=\"{}\"", part.name(), e.toString());
                }
            }
        } finally {
            closing.unlock();
        }
    }
}
