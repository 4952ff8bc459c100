package spigot.catalog.client;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.Replica;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.Peer;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.GridReply;
import spigot.transport.wire.GridRequest;
import spigot.transport.wire.ListPart;
import spigot.transport.wire.ListRequest;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;
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
    private final Peer peer;
    private final CatalogCalls calls;
    private volatile @Nullable Grid lastGrid;

    /** @param connect makes the peer of the catalog with the handler for what it sends */
    public CatalogClient(
            Function<LinkHandler, Peer> connect, CatalogClientSettings settings, NamespaceListener listener) {
        peer = connect.apply(new Incoming());
        calls = new CatalogCalls(peer, settings.patience(), settings.callTimeout());
    }

    /**
     * The file that a name leads to; empty when there is no such name.
     *
     * @throws FailureException NOT_FOUND or NOT_DIRECTORY: of the directory
     * @throws CatalogUnreachableException when the patience ended
     */
    public Optional<FileRecord> lookup(FileId directory, FileName name) throws IOException, InterruptedException {
        Envelope request = Envelope.newBuilder()
                .setLookupRequest(LookupRequest.newBuilder()
                        .setDirectory(Messages.bytes(directory))
                        .setName(Messages.bytes(name)))
                .build();
        LookupReply reply = calls.answer("the name '" + name + "'", (link, timeout) -> link.call(request, timeout))
                .getLookupReply();
        return reply.hasRecord() ? Optional.of(Messages.record(reply.getRecord())) : Optional.empty();
    }

    /** What is known of the name at once; null when the catalog must be asked. */
    public @Nullable CachedLookup cachedLookup(FileId directory, FileName name) {
        return null;
    }

    /** All names of a directory with their records, from the cache or in one streamed reply. Errors as {@link #lookup}. */
    public DirectoryListing list(FileId directory) throws IOException, InterruptedException {
        Envelope request = Envelope.newBuilder()
                .setListRequest(ListRequest.newBuilder().setDirectory(Messages.bytes(directory)))
                .build();
        return calls.answer("the names of directory " + directory, (link, timeout) -> {
            DirectoryListing.Builder builder = new DirectoryListing.Builder();
            List<FailureException> bad = new ArrayList<>();
            Envelope last = link.stream(request, timeout, part -> {
                try {
                    addAll(builder, part.getListPart());
                } catch (FailureException e) {
                    bad.add(e);
                }
            });
            if (!bad.isEmpty()) {
                throw bad.getFirst();
            }
            ListPart end = last.getListPart();
            addAll(builder, end);
            return builder.build(Messages.record(end.getDirectory()), Messages.fileId(end.getParent()));
        });
    }

    private static void addAll(DirectoryListing.Builder builder, ListPart part) throws FailureException {
        for (var entry : part.getEntriesList()) {
            builder.add(Messages.name(entry.getName()), Messages.record(entry.getRecord()));
        }
    }

    /** The directory's names when all of them are cached; null when the catalog must be asked. */
    public @Nullable DirectoryListing cachedListing(FileId directory) {
        return null;
    }

    /** Whether the directory is answered from a cache whose lease has run out, because the catalog can't be reached. */
    public boolean isStale(FileId directory) {
        return false;
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
        return grid;
    }

    /** Requests sent to the catalog since the start; renewals of the lease are not among them. */
    public long requests() {
        return calls.requests();
    }

    /** The last answer to {@link #grid}; null before the first. */
    public @Nullable Grid cachedGrid() {
        return lastGrid;
    }

    /** Ends the session and the connection; what is cached is forgotten. */
    @Override
    public void close() {
        peer.close();
    }

    private static final class Incoming implements LinkHandler {
        @Override
        public void request(Link from, Envelope request, Responder responder) throws IOException {
            responder.fail(Failure.newBuilder()
                    .setCode(Failure.Code.BAD_REQUEST)
                    .setMessage("a catalog client answers no requests")
                    .build());
        }
    }
}
