package spigot.catalog.client;

import java.io.Closeable;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.HolderConfig;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.Replica;
import spigot.session.BootClock;
import spigot.session.LeaseHolder;
import spigot.transport.FailureException;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.Peer;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.GridReply;
import spigot.transport.wire.GridRequest;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.RecordReply;
import spigot.transport.wire.RecordRequest;
import spigot.transport.wire.ReplicaInfo;
import spigot.transport.wire.ReplicasReply;
import spigot.transport.wire.ReplicasRequest;
import spigot.transport.wire.ServerInfo;

/**
 * A computing node's view of the catalog: names, records and replicas, with leased directories in memory. Safe for any
 * thread. Methods named cached never block and send nothing; the others may block for the patience of the settings, and
 * answer from the cache when they can.
 */
public final class CatalogClient implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogClient.class);
    private static final long GRID_FRESH_NANOS = 5_000_000_000L;

    private final LeaseHolder holder;
    private final LeasedDirectories cache;
    private final CatalogLink link;
    private final CatalogCalls calls;
    private final Directories directories;
    private final AtomicBoolean refreshing = new AtomicBoolean();
    private volatile @Nullable Grid lastGrid;
    private volatile long lastGridNanos;

    /** @param connect makes the peer of the catalog with the handler for what it sends */
    public CatalogClient(
            Function<LinkHandler, Peer> connect, CatalogClientSettings settings, NamespaceListener listener) {
        this(connect, settings, listener, HolderConfig.of(new SecureRandom().nextLong()), BootClock.system());
    }

    /** @param leases its instance tells apart the processes that share one identity; the same again after a restart */
    public CatalogClient(
            Function<LinkHandler, Peer> connect,
            CatalogClientSettings settings,
            NamespaceListener listener,
            HolderConfig leases,
            BootClock clock) {
        holder = new LeaseHolder("catalog", LeaseKind.DIRECTORIES, leases, clock, listener::drop);
        cache = new LeasedDirectories(holder, listener, settings.cachedBytes());
        link = new CatalogLink(connect, holder, this::refreshGrid);
        calls = new CatalogCalls(link.peer(), settings.patience(), settings.callTimeout());
        directories = new Directories(calls, holder, cache, settings.lookupsBeforeListing());
        link.start();
    }

    /**
     * The file that a name leads to; empty when there is no such name.
     *
     * @throws FailureException NOT_FOUND or NOT_DIRECTORY: of the directory
     * @throws CatalogUnreachableException when the patience ended
     */
    public Optional<FileRecord> lookup(FileId directory, FileName name) throws IOException, InterruptedException {
        return directories.lookup(directory, name);
    }

    /** What is known of the name at once; null when the catalog must be asked. */
    public @Nullable CachedLookup cachedLookup(FileId directory, FileName name) {
        return cache.lookup(directory, name);
    }

    /** All names of a directory with their records, from the cache or in one streamed reply. Errors as {@link #lookup}. */
    public DirectoryListing list(FileId directory) throws IOException, InterruptedException {
        return directories.list(directory);
    }

    /** The directory's names when all of them are cached; null when the catalog must be asked. */
    public @Nullable DirectoryListing cachedListing(FileId directory) {
        return cache.listing(directory);
    }

    /**
     * Whether what is known of the directory is not covered by a lease: then it is answered from only while the catalog can't be
     * reached, and nobody else may keep the answer. False of a directory of which nothing is known.
     */
    public boolean isStale(FileId directory) {
        return cache.isStale(directory);
    }

    /** Whether that is the listing that {@link #cachedListing} gives, and a lease covers it: others may keep it until they are told. */
    public boolean isLeased(FileId directory, DirectoryListing listing) {
        return cache.isLeased(directory, listing);
    }

    /** Whether there is a session with the catalog. */
    public boolean isConnected() {
        return holder.connected();
    }

    /** Directories in memory. */
    public int cachedDirectories() {
        return cache.size();
    }

    /** What the directories in memory take. */
    public long cachedBytes() {
        return cache.memoryBytes();
    }

    /** @throws FailureException NOT_FOUND: there is no such file (any more) */
    public FileRecord record(FileId id) throws IOException, InterruptedException {
        return locate(id, false).record();
    }

    /**
     * The file's record and the replicas that serve it.
     *
     * @param nominate the home could not be reached: if its lease at the catalog has ended, another server becomes home
     * @throws FailureException NOT_FOUND: there is no such file (any more)
     */
    public Located locate(FileId id, boolean nominate) throws IOException, InterruptedException {
        Envelope request = Envelope.newBuilder()
                .setRecordRequest(
                        RecordRequest.newBuilder().setId(Messages.bytes(id)).setLocate(nominate))
                .build();
        RecordReply reply = calls.answer("file " + id, (link, timeout) -> link.call(request, timeout))
                .getRecordReply();
        return new Located(Messages.record(reply.getRecord()), replicas(reply.getReplicasList()));
    }

    /** All known replicas of a file, also those that are not served. */
    public List<Replica> replicas(FileId id) throws IOException, InterruptedException {
        Envelope request = Envelope.newBuilder()
                .setReplicasRequest(ReplicasRequest.newBuilder().setId(Messages.bytes(id)))
                .build();
        ReplicasReply reply = calls.answer("the replicas of " + id, (link, timeout) -> link.call(request, timeout))
                .getReplicasReply();
        return replicas(reply.getReplicasList());
    }

    private static List<Replica> replicas(List<ReplicaInfo> wire) throws FailureException {
        List<Replica> replicas = new ArrayList<>(wire.size());
        for (ReplicaInfo info : wire) {
            replicas.add(Messages.replica(info));
        }
        return replicas;
    }

    /** Servers, files and bytes of the grid. */
    public Grid grid() throws IOException, InterruptedException {
        Envelope request = Envelope.newBuilder()
                .setGridRequest(GridRequest.getDefaultInstance())
                .build();
        GridReply reply = calls.answer("the state of the grid", (link, timeout) -> link.call(request, timeout))
                .getGridReply();
        List<Grid.Server> servers = new ArrayList<>();
        for (ServerInfo server : reply.getServersList()) {
            servers.add(new Grid.Server(
                    Messages.nodeId(server.getId()),
                    server.getName(),
                    server.getSite(),
                    server.getAddress(),
                    server.getAlive(),
                    server.getFiles(),
                    server.getBytes(),
                    server.getFreeBytes()));
        }
        Grid grid = new Grid(
                HexFormat.of().formatHex(reply.getGrid().toByteArray()),
                servers,
                reply.getFiles(),
                reply.getDirectories(),
                reply.getBytes(),
                reply.getClients());
        lastGrid = grid;
        lastGridNanos = System.nanoTime();
        return grid;
    }

    /** Requests sent to the catalog since the start; renewals of the lease are not among them. */
    public long requests() {
        return calls.requests();
    }

    /** The last answer to {@link #grid}, which is brought up to date in the background; null before the first. */
    public @Nullable Grid cachedGrid() {
        if (System.nanoTime() - lastGridNanos > GRID_FRESH_NANOS && holder.connected()) {
            refreshGrid();
        }
        return lastGrid;
    }

    private void refreshGrid() {
        if (refreshing.compareAndSet(false, true)) {
            Thread.ofVirtual().name("catalog-grid").start(() -> {
                try {
                    Grid _ = grid();
                } catch (IOException e) {
                    LOG.debug("event=grid-not-refreshed cause=\"{}\"", e.getMessage());
                } catch (InterruptedException e) {
                    throw new IllegalStateException("nobody interrupts the refreshing of the grid's state", e);
                } finally {
                    refreshing.set(false);
                }
            });
        }
    }

    /** Ends the session and the connection. What others keep of the directories has to be gone before. */
    @Override
    public void close() {
        holder.close();
        link.close();
    }
}
