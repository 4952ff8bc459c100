package spigot.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import spigot.cache.CacheConfig;
import spigot.cache.FileClient;
import spigot.cache.OnUnreachable;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.CatalogClientSettings;
import spigot.catalog.client.RegistrationClient;
import spigot.catalog.server.CatalogConfiguration;
import spigot.catalog.server.CatalogServer;
import spigot.catalog.server.MemoryCatalogLog;
import spigot.model.LogicalPath;
import spigot.model.NodeId;
import spigot.replica.ProgressListener;
import spigot.replica.ReplicaConfiguration;
import spigot.replica.ReplicaServer;
import spigot.session.BootClock;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.identity.GridAuthority;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/** A server with catalog and replica, and a computing node with its cache and mount: all real but the network. */
final class WholeGrid implements AutoCloseable {
    private static final String GRID = "00000000000000000000000000000007";
    private static final PeerIdentity SERVER =
            new PeerIdentity(new NodeId(9, 1), PeerIdentity.Role.SERVER, "alpha", "home", GRID);
    private static final PeerIdentity NODE =
            new PeerIdentity(new NodeId(8, 1), PeerIdentity.Role.NODE, "node", "here", GRID);

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final CatalogServer catalog;
    private final ReplicaServer replica;
    final KernelCaches kernel = new KernelCaches();
    final FileClient files;
    final MountedGrid mounted;
    final Path point;

    WholeGrid(Path directory, Path source, String logicalPath) throws Exception {
        GridAuthority authority = GridAuthority.create(
                directory.resolve("authority"), new NodeId(0, 7), Duration.ofDays(1), Clock.systemUTC());
        catalog = keep(CatalogServer.on(
                new MemoryCatalogLog(),
                authority,
                CatalogConfiguration.DEFAULT,
                BootClock.system(),
                Clock.systemUTC(),
                new Random(1)));
        Server server = new Server();
        MemoryPeer own = keep(new MemoryPeer(SERVER, new Server(), SERVER, server));
        replica = keep(new ReplicaServer(
                ReplicaConfiguration.of(SERVER.id(), "alpha", "home", directory.resolve("data")),
                new RegistrationClient(own, Duration.ofSeconds(20), Duration.ofSeconds(10)),
                (_, _) -> own,
                BootClock.system()));
        replica.start("memory:7440");
        replica.publish(source, LogicalPath.parse(logicalPath), true, false, ProgressListener.NONE);

        CatalogClient names = keep(new CatalogClient(
                handler -> keep(new MemoryPeer(NODE, handler, SERVER, server)),
                CatalogClientSettings.DEFAULT.withPatience(Duration.ofSeconds(20)),
                kernel));
        files = keep(FileClient.start(
                CacheConfig.inMemory()
                        .withMemoryBytes(64L << 20)
                        .withOnUnreachable(OnUnreachable.FAIL, Duration.ofSeconds(20)),
                (_, handler) -> keep(new MemoryPeer(NODE, handler, SERVER, server)),
                names::locate,
                kernel,
                1,
                BootClock.system()));
        point = Files.createDirectories(directory.resolve("mnt"));
        mounted = keep(MountedGrid.start(point, MountedGrid.options(), MountLimits.DEFAULT, kernel, names, files));
    }

    private <T extends AutoCloseable> T keep(T part) {
        opened.add(part);
        return part;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable each : opened.reversed()) {
            each.close();
        }
    }

    /** The server's end of a link. */
    private final class Server implements LinkHandler {
        @Override
        public void request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
            if (!catalog.request(from, request, responder) && !replica.request(from, request, responder)) {
                responder.fail(Failure.newBuilder()
                        .setCode(Failure.Code.BAD_REQUEST)
                        .setMessage("not for a server: " + request.getBodyCase())
                        .build());
            }
        }

        @Override
        public void message(Link from, Envelope message) {
            if (!catalog.message(from, message)) {
                replica.message(from, message);
            }
        }

        @Override
        public void closed(Link link) {
            catalog.linkClosed(link);
            replica.linkClosed(link);
        }
    }
}
