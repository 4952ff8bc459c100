package spigot.node.mount;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.CacheConfig;
import spigot.cache.CacheDirectoryException;
import spigot.cache.FileClient;
import spigot.cache.OnUnreachable;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.CatalogClientSettings;
import spigot.coherence.HolderConfig;
import spigot.fuse.FuseException;
import spigot.fuse.MountOptions;
import spigot.linux.Processes;
import spigot.mount.KernelCaches;
import spigot.mount.MountLimits;
import spigot.mount.MountedGrid;
import spigot.node.GridMember;
import spigot.node.NodeException;
import spigot.node.RenewedIdentity;
import spigot.node.control.ControlServer;
import spigot.node.control.ControlSocket;
import spigot.node.home.GridIdentities;
import spigot.node.home.MountRecord;
import spigot.node.home.MountRecords;
import spigot.node.home.ProcessStamp;
import spigot.node.home.SpigotHome;
import spigot.session.BootClock;
import spigot.transport.LinkBrokenException;
import spigot.transport.Peer;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.IdentityRenewer;
import spigot.transport.tls.Connector;

/**
 * The parts of one mount. Started by one thread, closed by any; what has been opened is closed in the reverse order, also when a later
 * part can't be opened. Ends when it is closed, or when somebody else unmounts.
 */
final class MountProcess implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(MountProcess.class);

    /** WAIT waits as long as it takes; what it waits in can be interrupted. */
    private static final Duration FOR_EVER = Duration.ofDays(3650);

    private static final Path FUSE_CONF = Path.of("/etc/fuse.conf");

    private final Deque<Part> parts = new ArrayDeque<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final ReentrantLock closing = new ReentrantLock();

    /** Something to close, with its name for the log. */
    private record Part(String name, AutoCloseable closeable) {}

    private MountProcess() {}

    /** @throws NodeException when it can't be mounted; then nothing is left */
    static MountProcess start(MountConfiguration configuration, SpigotHome home)
            throws NodeException, IOException, InterruptedException {
        MountProcess process = new MountProcess();
        boolean started = false;
        try {
            process.open(configuration, home);
            started = true;
            return process;
        } finally {
            if (!started) {
                process.close();
            }
        }
    }

    private <T extends AutoCloseable> T keep(String name, T part) {
        parts.push(new Part(name, part));
        return part;
    }

    private void open(MountConfiguration configuration, SpigotHome home)
            throws NodeException, IOException, InterruptedException {
        TransportCounters counters = new TransportCounters();
        SecureRandom random = new SecureRandom();
        GridIdentities identities = new GridIdentities(home);
        GridMember member = configuration.token().isPresent()
                ? GridMember.join(configuration.server(), configuration.token().get(), hostName(), identities, counters)
                : GridMember.known(configuration.server(), identities, counters, random);
        String server = configuration.server().toString();
        RenewedIdentity identity = new RenewedIdentity(member.identity());
        Connector connector = new Connector(identity, TransportLimits.DEFAULT, counters, random);
        KernelCaches kernel = new KernelCaches();
        Duration patience = configuration.onUnreachable() == OnUnreachable.WAIT ? FOR_EVER : configuration.timeout();
        CatalogClientSettings names = new CatalogClientSettings(
                patience,
                CatalogClientSettings.DEFAULT.callTimeout(),
                configuration.namesBytes(),
                CatalogClientSettings.DEFAULT.lookupsBeforeListing());
        long instance = instance(configuration.mountPoint());
        AtomicReference<Peer> link = new AtomicReference<>();
        CatalogClient catalog = keep(
                "catalog",
                new CatalogClient(
                        handler -> {
                            Peer made = connector.peer(server, handler);
                            link.set(made);
                            return made;
                        },
                        names,
                        kernel,
                        HolderConfig.of(instance),
                        BootClock.system()));
        try {
            // One attempt, which the transport bounds: who mounts wants to know at once.
            Objects.requireNonNull(link.get()).link(Duration.ZERO);
        } catch (LinkBrokenException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
        identities.remember(member.directory(), server);
        identity.renewWith(keep(
                "identity",
                new IdentityRenewer(
                        member.directory(), member.identity(), IdentityRenewer.over(link.get()), Clock.systemUTC())));
        String grid = member.identity().self().grid();
        Path cache = cacheDirectory(configuration, home, grid);
        FileClient files;
        try {
            files = keep(
                    "cache",
                    FileClient.start(
                            cacheConfig(configuration, cache),
                            connector::peer,
                            catalog::locate,
                            kernel,
                            instance,
                            BootClock.system()));
        } catch (CacheDirectoryException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
        MountLimits limits = new MountLimits(
                MountLimits.DEFAULT.openFiles(),
                MountLimits.DEFAULT.openDirectories(),
                configuration.namesBytes(),
                MountLimits.DEFAULT.xattrBytes());
        MountedGrid mounted;
        try {
            mounted = keep(
                    "mount",
                    MountedGrid.start(
                            Path.of(configuration.mountPoint()), options(server), limits, kernel, catalog, files));
        } catch (FuseException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
        MountStatus status =
                new MountStatus(configuration, member.identity(), cache, catalog, files, mounted, counters);
        MountVerbs verbs = new MountVerbs(status, catalog, files, mounted, end::countDown);
        MountRecords records = new MountRecords(home);
        Path socket = ControlSocket.at(home.run().resolve(SpigotHome.nameOf(configuration.mountPoint()) + ".sock"));
        keep("control", ControlServer.listen(socket, verbs.handlers()));
        MountRecord record = new MountRecord(
                configuration.mountPoint(),
                ProcessStamp.ofThisProcess(),
                socket,
                grid,
                server,
                cache.toString(),
                home.logs().resolve(SpigotHome.nameOf(configuration.mountPoint()) + ".log"));
        records.write(record);
        keep("record", () -> records.remove(record));
        mounted.ended().thenAccept(how -> {
            log.info("event=mount_ended how={} mount={}", how, configuration.mountPoint());
            end.countDown();
        });
        log.info("event=mounted mount={} grid={} server={}", configuration.mountPoint(), grid, server);
    }

    /** Tells this mount's leases from those of other mounts with the same identity; the same again after a restart. */
    private static long instance(String mountPoint) {
        return UUID.nameUUIDFromBytes(mountPoint.getBytes(StandardCharsets.UTF_8))
                .getMostSignificantBits();
    }

    private static CacheConfig cacheConfig(MountConfiguration configuration, Path cache) {
        return new CacheConfig(
                configuration.fragmentBytes(),
                Optional.of(cache),
                configuration.cacheBytes(),
                configuration.onUnreachable(),
                configuration.timeout(),
                CacheConfig.DEFAULT_MAX_LEASES);
    }

    private static Path cacheDirectory(MountConfiguration configuration, SpigotHome home, String grid)
            throws NodeException {
        Path directory = configuration.cache().isPresent()
                ? configuration.cache().get()
                : home.cache().resolve(grid + "-" + SpigotHome.nameOf(configuration.mountPoint()));
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            return directory;
        } catch (IOException e) {
            throw new NodeException(
                    "the cache directory " + directory + " can't be made: " + NodeException.reason(e)
                            + "; name another with --cache",
                    e);
        }
    }

    /** Others may enter where that is permitted: access is decided by the kernel, by owner and mode as published. */
    private static MountOptions options(String server) throws IOException {
        boolean others = Processes.effectiveUserId() == 0
                || (Files.isReadable(FUSE_CONF)
                        && Files.readAllLines(FUSE_CONF).stream()
                                .anyMatch(line -> line.strip().equals("user_allow_other")));
        return MountedGrid.options().withFileSystemName("spigot:" + server).withAllowOther(others);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "node";
        }
    }

    /** Returns when the mount is to end, or has ended. */
    void awaitEnd() throws InterruptedException {
        end.await();
    }

    @Override
    public void close() {
        end.countDown();
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
