package spigot.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.CatalogClientSettings;
import spigot.catalog.client.RegistrationClient;
import spigot.catalog.server.CatalogConfiguration;
import spigot.catalog.server.CatalogServer;
import spigot.catalog.server.MemoryCatalogLog;
import spigot.fuse.MountOptions;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.LogicalPath;
import spigot.model.NodeId;
import spigot.model.XattrKinds;
import spigot.session.BootClock;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.identity.GridAuthority;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registration;
import spigot.transport.wire.ServerInfo;

/** A real catalog with its log in memory, a published directory, and real mounts of it, in this process. */
final class TestGrid implements AutoCloseable {
    private static final String GRID = "00000000000000000000000000000007";
    private static final PeerIdentity SERVER =
            new PeerIdentity(new NodeId(9, 1), PeerIdentity.Role.SERVER, "alpha", "home", GRID);

    private final Path directory;
    private final CatalogServer catalog;
    private final RegistrationClient registration;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final AtomicInteger nodes = new AtomicInteger();

    TestGrid(Path directory) throws IOException, InterruptedException {
        this.directory = directory;
        GridAuthority authority = GridAuthority.create(
                directory.resolve("authority"), new NodeId(0, 7), Duration.ofDays(1), Clock.systemUTC());
        catalog = CatalogServer.on(
                new MemoryCatalogLog(),
                authority,
                CatalogConfiguration.DEFAULT,
                BootClock.system(),
                Clock.systemUTC(),
                new Random(1));
        opened.add(catalog);
        MemoryPeer peer = new MemoryPeer(SERVER, new Silent(), SERVER, new CatalogHandler(new AtomicLong()));
        opened.add(peer);
        registration = new RegistrationClient(peer, Duration.ofSeconds(20), Duration.ofSeconds(10));
        registration.hello(ServerInfo.newBuilder()
                .setId(Messages.bytes(SERVER.id()))
                .setName("alpha")
                .setSite("home")
                .setAddress("memory:7440")
                .setAlive(true)
                .setBytes(100L << 30)
                .setFreeBytes(60L << 30)
                .build());
    }

    SourceTree publish(Path source, String logicalPath) throws IOException, InterruptedException {
        SourceTree tree = new SourceTree(source, registration);
        tree.publish(logicalPath);
        return tree;
    }

    /** Publishes a directory with so many empty files, which are nowhere. */
    void publishNames(String logicalPath, int files) throws IOException, InterruptedException {
        Attributes root = new Attributes(FileKind.DIRECTORY, 0755, 0, 0, 4096, 4096, 2, 1, 2, 3, 4, 0, XattrKinds.NONE);
        Attributes file = new Attributes(FileKind.REGULAR, 0644, 7, 8, 123, 512, 1, 1, 2, 3, 4, 0, XattrKinds.NONE);
        FileId publication = registration
                .publish(LogicalPath.parse(logicalPath), false, true, root, null)
                .id();
        for (int from = 0; from < files; from += RegistrationClient.MAX_BATCH_ENTRIES) {
            RegisterRequest.Builder batch = RegisterRequest.newBuilder()
                    .setPublication(Messages.bytes(publication))
                    .setReadOnly(true);
            int end = Math.min(files, from + RegistrationClient.MAX_BATCH_ENTRIES);
            for (int i = from; i < end; i++) {
                batch.addEntries(Registration.newBuilder()
                        .setParent(Messages.bytes(publication))
                        .setName(Messages.bytes(FileName.of("file-%06d.dat".formatted(i))))
                        .setAttributes(Messages.wire(file)));
            }
            registration.register(batch.build());
        }
    }

    /** A computing node with its own clients and mount. */
    final class Node {
        final Path point;
        final KernelCaches kernel = new KernelCaches();
        final AtomicLong questions = new AtomicLong();
        final CatalogClient catalogClient;
        final LocalFiles files;
        final MountedGrid mounted;
        private final MemoryPeer peer;

        private Node(SourceTree tree, MountOptions options, MountLimits limits, CatalogClientSettings settings)
                throws IOException {
            int number = nodes.incrementAndGet();
            point = Files.createDirectories(directory.resolve("mnt" + number));
            PeerIdentity self =
                    new PeerIdentity(new NodeId(8, number), PeerIdentity.Role.NODE, "node" + number, "here", GRID);
            files = new LocalFiles(tree);
            AtomicReference<MemoryPeer> connected = new AtomicReference<>();
            catalogClient = new CatalogClient(
                    handler -> {
                        MemoryPeer made = new MemoryPeer(self, handler, SERVER, new CatalogHandler(questions));
                        connected.set(made);
                        return made;
                    },
                    settings,
                    kernel);
            peer = Objects.requireNonNull(connected.get());
            opened.add(catalogClient);
            mounted = MountedGrid.start(point, options, limits, kernel, catalogClient, files);
            opened.add(mounted);
        }

        void cut(boolean now) {
            peer.cut(now);
        }
    }

    Node mount(SourceTree tree) throws IOException {
        return mount(tree, MountedGrid.options());
    }

    /** @param patience of the catalog's client, for a request and its answer */
    Node mount(SourceTree tree, Duration patience) throws IOException {
        return new Node(
                tree, MountedGrid.options(), MountLimits.DEFAULT, CatalogClientSettings.DEFAULT.withPatience(patience));
    }

    Node mount(SourceTree tree, MountOptions options) throws IOException {
        return mount(tree, options, MountLimits.DEFAULT);
    }

    Node mount(SourceTree tree, MountOptions options, MountLimits limits) throws IOException {
        return new Node(tree, options, limits, CatalogClientSettings.DEFAULT.withPatience(Duration.ofSeconds(5)));
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    /** The catalog's end of a link; counts questions, not the upkeep of leases. */
    private final class CatalogHandler implements LinkHandler {
        private final AtomicLong questions;

        CatalogHandler(AtomicLong questions) {
            this.questions = questions;
        }

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            switch (request.getBodyCase()) {
                case HELLO, RENEW, GRID_REQUEST -> {}
                default -> questions.incrementAndGet();
            }
            if (!catalog.request(from, request, responder)) {
                responder.fail(Failure.newBuilder()
                        .setCode(Failure.Code.BAD_REQUEST)
                        .setMessage("not for a catalog: " + request.getBodyCase())
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

    private static final class Silent implements LinkHandler {
        @Override
        public void request(Link from, Envelope request, Responder responder) throws IOException {
            responder.fail(
                    Failure.newBuilder().setCode(Failure.Code.BAD_REQUEST).build());
        }
    }
}
