package spigot.replica;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import spigot.catalog.client.RegistrationClient;
import spigot.catalog.server.CatalogConfiguration;
import spigot.catalog.server.CatalogServer;
import spigot.catalog.server.MemoryCatalogLog;
import spigot.coherence.GrantorConfig;
import spigot.model.NodeId;
import spigot.replica.commit.CommitLimits;
import spigot.session.BootClock;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.Responder;
import spigot.transport.identity.GridAuthority;
import spigot.transport.memory.MemoryLink;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/** A grid in one process: the real catalog upon a log in memory, real replica servers on real files, links in memory. */
final class TestGrid implements AutoCloseable {
    static final ReplicaConfiguration.Times TIMES = new ReplicaConfiguration.Times(
            Duration.ofMillis(100),
            Duration.ofSeconds(30),
            Duration.ofMillis(50),
            Duration.ofMillis(50),
            Duration.ofMillis(10),
            Duration.ofMillis(300),
            Duration.ofMillis(100),
            Duration.ofMillis(100),
            Duration.ofSeconds(20));

    /** Of files that are written. */
    static final Duration QUIET = Duration.ofMillis(300);

    private static final SecureRandom RANDOM = new SecureRandom();

    private final CatalogServer catalog;
    private final GridAuthority authority;
    private final PeerIdentity catalogIdentity = identity(Role.SERVER, "catalog");
    private final Map<String, TestServer> byAddress = new ConcurrentHashMap<>();
    private final List<AutoCloseable> toClose = new CopyOnWriteArrayList<>();
    private final Map<Envelope.BodyCase, AtomicLong> requests = new ConcurrentHashMap<>();
    private final Map<Envelope.BodyCase, Long> answeredOf = new ConcurrentHashMap<>();
    private volatile boolean catalogCut;
    private volatile CommitLimits commitLimits = commits(Duration.ofMillis(100));

    TestGrid(Path directory) throws Exception {
        this(directory, Duration.ofSeconds(30));
    }

    /** @param serverSilence after which the catalog takes a server for dead */
    TestGrid(Path directory, Duration serverSilence) throws Exception {
        authority = GridAuthority.create(
                directory.resolve("authority"), NodeId.random(RANDOM), Duration.ofDays(1), Clock.systemUTC());
        catalog = CatalogServer.on(
                new MemoryCatalogLog(),
                authority,
                CatalogConfiguration.DEFAULT.with(GrantorConfig.ofLease(2000)).withServerSilence(serverSilence),
                BootClock.system(),
                Clock.systemUTC(),
                RANDOM);
    }

    private static CommitLimits commits(Duration foldAfter) {
        return new CommitLimits(1 << 20, 16 << 20, 4 << 20, 2_048, 20_000, 1_000, foldAfter.toMillis(), 200);
    }

    /** Servers that begin from now on fold what is committed only so much later. */
    void foldAfter(Duration duration) {
        commitLimits = commits(duration);
    }

    private PeerIdentity identity(Role role, String name) {
        return new PeerIdentity(NodeId.random(RANDOM), role, name, "test", "0".repeat(32));
    }

    /** How many requests of a kind the catalog has been asked. */
    long asked(Envelope.BodyCase kind) {
        return requests.computeIfAbsent(kind, _ -> new AtomicLong()).get();
    }

    /** Requests of this kind are carried out, but after so many of them, counted from the start, nobody hears of it. */
    void loseRepliesAfter(Envelope.BodyCase kind, long answered) {
        answeredOf.put(kind, answered);
    }

    /** From now on no request reaches the catalog, or again. */
    void cutCatalog(boolean cut) {
        catalogCut = cut;
    }

    private static final Responder NOBODY = new Responder() {
        @Override
        public void part(Envelope part) {}

        @Override
        public void reply(Envelope reply) {}

        @Override
        public void reply(Envelope reply, java.nio.ByteBuffer payload) {}

        @Override
        public void fail(Failure failure) {}
    };

    private final LinkHandler catalogHandler = new LinkHandler() {
        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            long asked = requests.computeIfAbsent(request.getBodyCase(), _ -> new AtomicLong())
                    .incrementAndGet();
            if (catalogCut) {
                throw new FailureException(Failure.newBuilder()
                        .setCode(Failure.Code.NOT_READY)
                        .setMessage("cut")
                        .setRetryAfterMillis(10)
                        .build());
            }
            boolean lost = asked > answeredOf.getOrDefault(request.getBodyCase(), Long.MAX_VALUE);
            if (!catalog.request(from, request, lost ? NOBODY : responder)) {
                throw new FailureException(Failure.Code.BAD_REQUEST, "not for a catalog");
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
    };

    /** A server in a directory; the same name in the same directory is the same server after a restart. */
    private TestServer at(String address) {
        return Objects.requireNonNull(byAddress.get(address), "a server at " + address);
    }

    final class TestServer implements LinkHandler, AutoCloseable {
        private final PeerIdentity self;
        private final String address;
        private final ReplicaServer replica;
        private volatile boolean silent;

        private TestServer(PeerIdentity self, ReplicaConfiguration configuration) throws IOException {
            this.self = self;
            this.address = self.name() + ":7440";
            this.replica = new ReplicaServer(
                    configuration,
                    new RegistrationClient(
                            peer(self, LINK_END, catalogIdentity, catalogHandler),
                            Duration.ofSeconds(10),
                            Duration.ofSeconds(10)),
                    (_, to) -> peer(self, LINK_END, at(to).self, at(to)),
                    BootClock.system(),
                    commitLimits,
                    QUIET);
            byAddress.put(address, this);
            replica.start(address);
        }

        ReplicaServer replica() {
            return replica;
        }

        PeerIdentity self() {
            return self;
        }

        /** Answers nobody any more. */
        void silence() {
            silent = true;
        }

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            if (silent) {
                return;
            }
            if (!replica.request(from, request, responder)) {
                throw new FailureException(Failure.Code.BAD_REQUEST, "not for a replica server");
            }
        }

        @Override
        public void message(Link from, Envelope message) {
            replica.message(from, message);
        }

        @Override
        public void closed(Link link) {
            replica.linkClosed(link);
        }

        @Override
        public void close() {
            replica.close();
        }
    }

    private static final LinkHandler LINK_END = (_, _, _) -> {
        throw new FailureException(Failure.Code.BAD_REQUEST, "asks only");
    };

    PeerIdentity serverIdentity(String name) {
        return identity(Role.SERVER, name);
    }

    TestServer server(PeerIdentity self, Path data) throws IOException {
        return server(
                ReplicaConfiguration.of(self.id(), self.name(), "test", data)
                        .with(TIMES)
                        .with(GrantorConfig.ofLease(2000)),
                self);
    }

    TestServer server(ReplicaConfiguration configuration, PeerIdentity self) throws IOException {
        TestServer server = new TestServer(self, configuration);
        toClose.add(server);
        return server;
    }

    /** Somebody who reads, without leases unless the handler makes some. */
    GridReader reader(String name, @Nullable LinkHandler handler) throws Exception {
        PeerIdentity self = identity(Role.NODE, name);
        LinkHandler end = handler == null ? LINK_END : handler;
        return new GridReader(
                peer(self, end, catalogIdentity, catalogHandler).link(Duration.ZERO),
                server -> MemoryLink.pair(self, end, server.self, server).left());
    }

    GridReader reader() throws Exception {
        return reader("reader", null);
    }

    private Peer peer(PeerIdentity from, LinkHandler fromHandler, PeerIdentity to, LinkHandler toHandler) {
        Peer peer = new Peer() {
            private @Nullable Link link;

            @Override
            public String address() {
                return to.name();
            }

            @Override
            public synchronized Link link(Duration patience) throws LinkBrokenException {
                Link now = link;
                if (now == null || !now.isOpen()) {
                    now = MemoryLink.pair(from, fromHandler, to, toHandler).left();
                    link = now;
                }
                return now;
            }

            @Override
            public synchronized void close() {
                if (link != null) {
                    link.close();
                }
            }
        };
        toClose.add(peer);
        return peer;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable each : toClose.reversed()) {
            each.close();
        }
        catalog.close();
    }
}
