package spigot.catalog;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.CatalogClientSettings;
import spigot.catalog.client.NamespaceListener;
import spigot.catalog.client.RegistrationClient;
import spigot.catalog.server.CatalogConfiguration;
import spigot.catalog.server.CatalogLog;
import spigot.catalog.server.CatalogServer;
import spigot.catalog.server.MemoryCatalogLog;
import spigot.coherence.GrantorConfig;
import spigot.coherence.HolderConfig;
import spigot.model.NodeId;
import spigot.session.BootClock;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.identity.GridAuthority;
import spigot.transport.memory.MemoryLink;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.ServerInfo;

/** A catalog with clients in one process, over links in memory. */
public final class TestGrid implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(30);

    public final GridAuthority authority;
    private final CatalogConfiguration configuration;
    private final PeerIdentity catalogIdentity;
    private final List<MemoryPeer> peers = new CopyOnWriteArrayList<>();
    private final List<AutoCloseable> clients = new CopyOnWriteArrayList<>();
    private final java.util.concurrent.atomic.AtomicLong instances = new java.util.concurrent.atomic.AtomicLong();
    private volatile CatalogServer server;
    private volatile boolean reachable = true;
    /** Requests that reached the catalog, by the case of their body. */
    public final java.util.Map<Envelope.BodyCase, java.util.concurrent.atomic.LongAdder> requests =
            new java.util.concurrent.ConcurrentHashMap<>();

    public TestGrid(Path directory, CatalogLog log) throws Exception {
        this(
                directory,
                log,
                new CatalogConfiguration(
                        GrantorConfig.ofLease(2_000), Duration.ofSeconds(4), Duration.ofSeconds(20), 16));
    }

    public TestGrid(Path directory, CatalogLog log, CatalogConfiguration configuration) throws Exception {
        this.configuration = configuration;
        authority = GridAuthority.create(
                directory, NodeId.random(new SplittableRandom(7)), Duration.ofDays(1), Clock.systemUTC());
        catalogIdentity =
                new PeerIdentity(new NodeId(9, 9), PeerIdentity.Role.SERVER, "catalog", "here", authority.grid());
        server = start(log);
    }

    public static TestGrid inMemory(Path directory) throws Exception {
        return new TestGrid(directory, new MemoryCatalogLog());
    }

    private CatalogServer start(CatalogLog log) throws Exception {
        return CatalogServer.on(
                log, authority, configuration, BootClock.system(), Clock.systemUTC(), new java.security.SecureRandom());
    }

    public CatalogServer server() {
        return server;
    }

    /** Ends the catalog's life and begins another one, upon the same or another log. */
    public void restart(CatalogLog log) throws Exception {
        cut();
        server.close();
        server = start(log);
        heal();
    }

    /** Breaks all links and lets no new one come up. */
    public void cut() {
        reachable = false;
        peers.forEach(MemoryPeer::breakLink);
    }

    public void heal() {
        reachable = true;
    }

    public long count(Envelope.BodyCase body) {
        var adder = requests.get(body);
        return adder == null ? 0 : adder.sum();
    }

    public PeerIdentity identity(PeerIdentity.Role role, long number, String name) {
        return new PeerIdentity(new NodeId(number, number), role, name, "site-" + name, authority.grid());
    }

    public Function<LinkHandler, Peer> connect(PeerIdentity identity) {
        return handler -> {
            MemoryPeer peer = new MemoryPeer(identity, handler);
            peers.add(peer);
            return peer;
        };
    }

    public CatalogClient client(String name, NamespaceListener listener) {
        return client(name, listener, CatalogClientSettings.DEFAULT.withPatience(PATIENCE));
    }

    public CatalogClient client(String name, NamespaceListener listener, CatalogClientSettings settings) {
        CatalogClient client = new CatalogClient(
                connect(identity(PeerIdentity.Role.NODE, 1000 + instances.incrementAndGet(), name)),
                settings,
                listener,
                HolderConfig.of(instances.incrementAndGet()),
                BootClock.system());
        clients.add(client);
        return client;
    }

    /** A replica server that has said hello. */
    public RegistrationClient replicaServer(PeerIdentity identity) throws Exception {
        RegistrationClient client = new RegistrationClient(
                connect(identity).apply(new LinkHandler() {
                    @Override
                    public void request(Link from, Envelope request, Responder responder) throws java.io.IOException {
                        responder.fail(Failure.getDefaultInstance());
                    }
                }),
                PATIENCE,
                Duration.ofSeconds(20));
        client.hello(info(identity));
        return client;
    }

    public static ServerInfo info(PeerIdentity identity) {
        return ServerInfo.newBuilder()
                .setName(identity.name())
                .setSite(identity.site())
                .setAddress("127.0.0.1:" + (7000 + identity.id().low()))
                .build();
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable client : clients) {
            client.close();
        }
        server.close();
    }

    /** What the catalog's process does with what comes. */
    private final class CatalogProcess implements LinkHandler {
        private final CatalogServer catalog = server;

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            requests.computeIfAbsent(request.getBodyCase(), _ -> new java.util.concurrent.atomic.LongAdder())
                    .increment();
            if (!catalog.request(from, request, responder)) {
                responder.fail(Failure.newBuilder()
                        .setCode(Failure.Code.BAD_REQUEST)
                        .setMessage("nobody takes " + request.getBodyCase())
                        .build());
            }
        }

        @Override
        public void message(Link from, Envelope message) {
            catalog.message(from, message);
        }

        @Override
        public void closed(Link link) {
            catalog.linkClosed(link);
        }
    }

    private final class MemoryPeer implements Peer {
        private final PeerIdentity identity;
        private final LinkHandler handler;
        private final java.util.concurrent.locks.ReentrantLock lock = new java.util.concurrent.locks.ReentrantLock();
        private @org.jspecify.annotations.Nullable MemoryLink link;
        private boolean closed;

        MemoryPeer(PeerIdentity identity, LinkHandler handler) {
            this.identity = identity;
            this.handler = handler;
        }

        @Override
        public String address() {
            return "memory:1";
        }

        @Override
        public Link link(Duration patience) throws LinkBrokenException, InterruptedException {
            long deadline = System.nanoTime() + patience.toNanos();
            while (true) {
                lock.lock();
                try {
                    MemoryLink current = link;
                    if (current != null && current.isOpen()) {
                        return current;
                    }
                    if (closed) {
                        throw new LinkBrokenException("closed");
                    }
                    if (reachable) {
                        current = MemoryLink.pair(identity, handler, catalogIdentity, new CatalogProcess())
                                .left();
                        link = current;
                        return current;
                    }
                } finally {
                    lock.unlock();
                }
                if (System.nanoTime() >= deadline) {
                    throw new LinkBrokenException("the catalog is cut off");
                }
                Thread.sleep(5);
            }
        }

        void breakLink() {
            lock.lock();
            try {
                if (link != null) {
                    link.close();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            lock.lock();
            try {
                closed = true;
            } finally {
                lock.unlock();
            }
            breakLink();
        }
    }
}
