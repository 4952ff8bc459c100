package spigot.replica;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.RegistrationClient;
import spigot.model.FileId;
import spigot.model.LogicalPath;
import spigot.model.RawBytes;
import spigot.replica.commit.CommitLimits;
import spigot.session.BootClock;
import spigot.session.LeaseGrantor;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.ServerInfo;

/**
 * Publishes trees in place and serves their files. Safe for any thread; the methods block and are meant for virtual threads.
 * Threads: one for each publication, the bounded pools of the configuration, one for the kernel's events, one that looks at
 * leased files. {@code lock} guards that publications begin and end one after another; it is not held over network I/O.
 */
public final class ReplicaServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaServer.class);
    private static final int MAX_PUBLICATIONS = 1000;
    private static final String INDEX = "publications";
    private static final Duration QUIET = Duration.ofSeconds(10);

    private final ReplicaConfiguration configuration;
    private final RegistrationClient catalog;
    private final PublicationIndex index;
    private final LeaseGrantor leases;
    private final CatalogLease catalogLease;
    private final ServedFiles files;
    private final FragmentDigests digests;
    private final IoPool io;
    private final DirectoryWatcher watcher;
    private final CopyVerifier verifier;
    private final WatchedFiles watchedFiles;
    private final FileService service;
    private final WrittenFiles written;
    private final OperationLog operations;
    private final NamespaceService namespace;
    private final Orphans orphans;
    private final TreeScan.Parts scanning;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Integer, TreeWorker> workers = new ConcurrentHashMap<>();
    private final Map<Integer, Thread> threads = new HashMap<>();
    private @Nullable Heartbeat heartbeat;
    private boolean closed;

    /**
     * Opens the index; nothing is published or served before {@link #start}.
     *
     * @param clock for leases
     * @throws IOException when the index can't be opened, as it can't while another server runs on the same directory
     */
    public ReplicaServer(
            ReplicaConfiguration configuration, RegistrationClient catalog, PeerSource peers, BootClock clock)
            throws IOException {
        this(configuration, catalog, peers, clock, CommitLimits.defaults(), QUIET);
    }

    /** @param quiet after which time without a commit a file is not taken for written any more */
    ReplicaServer(
            ReplicaConfiguration configuration,
            RegistrationClient catalog,
            PeerSource peers,
            BootClock clock,
            CommitLimits commitLimits,
            Duration quiet)
            throws IOException {
        this.configuration = configuration;
        this.catalog = catalog;
        ReplicaConfiguration.Bounds bounds = configuration.bounds();
        ReplicaConfiguration.Times times = configuration.times();
        Files.createDirectories(configuration.data());
        index = PublicationIndex.open(configuration.data().resolve(INDEX));
        long life = index.beginLife();
        leases = new LeaseGrantor(
                "files of " + configuration.name(), LeaseKind.FILES, configuration.leases(), life, life > 1, clock);
        catalogLease = new CatalogLease(clock, times.serverSilence().toMillis());
        files = new ServedFiles(index, this::tree, this::isWritten, bounds.descriptors());
        FileReader reader = new FileReader(times.settle());
        io = new IoPool("file-io", bounds.ioThreads());
        digests = new FragmentDigests(index, files, reader, bounds.digestThreads());
        ReadBuffers buffers = new ReadBuffers(bounds.bufferBytes());
        written = new WrittenFiles(
                new WrittenFiles.Parts(
                        configuration.data(), catalog, catalogLease, leases, index, files, reader, io, buffers),
                new WrittenFiles.Times(quiet, times.patience()),
                commitLimits);
        FileUpdates updates = new FileUpdates(
                new FileUpdates.Parts(
                        configuration.server(), catalog, catalogLease, leases, index, files, reader, io, written),
                this::compareAgain,
                times.patience());
        written.use(updates);
        verifier = new CopyVerifier(
                new CopyVerifier.Parts(configuration.server(), catalog, index, files, updates, digests, peers),
                this::trees,
                times.comparisons(),
                times.patience());
        watcher = new DirectoryWatcher(bounds.watches());
        orphans = new Orphans(
                index, files, leases, Duration.ofMillis(configuration.leases().graceMillis()));
        watchedFiles = new WatchedFiles(files, updates, leases, times.leasedPoll());
        scanning = new TreeScan.Parts(index, catalog, files, updates, watcher, orphans);
        service = new FileService(new FileService.Parts(
                configuration, files, updates, reader, digests, catalogLease, leases, io, buffers, written));
        operations = new OperationLog(configuration.data());
        namespace = new NamespaceService(
                new NamespaceService.Parts(configuration, catalog, catalogLease, leases, io, operations),
                new TreeOperation.Parts(
                        configuration.server(), index, files, updates, watcher, orphans, written, this::tree),
                life);
    }

    private @Nullable PublishedTree tree(int number) {
        TreeWorker worker = workers.get(number);
        return worker == null ? null : worker.tree();
    }

    private boolean isWritten(FileId id) {
        return written.isWritten(id);
    }

    /** What is written to the files of this server. */
    public WrittenFiles written() {
        return written;
    }

    private List<PublishedTree> trees() {
        return workers.values().stream().map(TreeWorker::tree).toList();
    }

    private void compareAgain(FileId id) {
        verifier.add(id);
    }

    /**
     * Begins the heartbeats and opens what was published in earlier lives, in the background.
     *
     * @param address HOST:PORT at which other processes reach this server
     */
    public void start(String address) throws IOException {
        lock.lock();
        try {
            if (heartbeat != null || closed) {
                throw new IllegalStateException("a replica server is started once");
            }
            heartbeat = new Heartbeat(
                    catalog,
                    catalogLease,
                    () -> self(address),
                    configuration.times().heartbeat());
            heartbeat.start();
            watchedFiles.start();
            verifier.start();
            for (Publication publication : index.publications()) {
                begin(publication, ProgressListener.NONE);
            }
            written.start();
        } finally {
            lock.unlock();
        }
    }

    private ServerInfo self(String address) {
        Map<Long, PublishedTree.Capacity> fileSystems = new HashMap<>();
        long entries = 0;
        for (PublishedTree tree : trees()) {
            fileSystems.put(tree.capacity().device(), tree.capacity());
            try {
                entries += index.entries(tree.number());
            } catch (IOException e) {
                LOG.warn(
                        "entries can't be counted path={} reason=\"{}\"",
                        tree.publication().path(),
                        e.getMessage());
            }
        }
        return ServerInfo.newBuilder()
                .setId(Messages.bytes(configuration.server()))
                .setName(configuration.name())
                .setSite(configuration.site())
                .setAddress(address)
                .setAlive(true)
                .setFiles(entries)
                .setBytes(fileSystems.values().stream()
                        .mapToLong(PublishedTree.Capacity::totalBytes)
                        .sum())
                .setFreeBytes(fileSystems.values().stream()
                        .mapToLong(PublishedTree.Capacity::availableBytes)
                        .sum())
                .build();
    }

    /**
     * Publishes a tree or a single file and returns when all of it is registered. It is remembered: {@link #start} opens it again.
     * Publishing the same source at the same path again only sends what differs. When it is interrupted, or the catalog can't be
     * reached, what has been accepted so far is kept, and the rest follows in the background.
     *
     * @param source followed if it is a symbolic link; links below it are not
     * @param replica a further copy of what another server publishes at that path: served once verified
     * @throws FailureException CONFLICT when another server publishes the path, or this one something else there
     * @throws IOException when the source can't be opened, holds the server's own data, or is a mount of a grid
     */
    public PublicationStatus publish(
            Path source, LogicalPath path, boolean readOnly, boolean replica, ProgressListener progress)
            throws IOException, InterruptedException {
        RawBytes real = SourceCheck.check(source, configuration.data());
        TreeWorker worker = worker(real, path, readOnly, replica, progress);
        try {
            worker.registered().get();
        } catch (ExecutionException e) {
            if (worker.tree().publication().root() == null) {
                // Never accepted: nothing of it is at the catalog.
                forget(worker);
            }
            Throwable cause = e.getCause();
            if (cause instanceof FailureException failure) {
                throw new FailureException(failure.failure());
            }
            throw new IOException(cause == null ? e.getMessage() : cause.getMessage(), cause);
        } finally {
            worker.setProgress(ProgressListener.NONE);
        }
        return worker.tree().status();
    }

    private TreeWorker worker(
            RawBytes source, LogicalPath path, boolean readOnly, boolean replica, ProgressListener progress)
            throws IOException {
        lock.lock();
        try {
            if (heartbeat == null || closed) {
                throw new IllegalStateException("the replica server does not run");
            }
            int number = 1;
            for (TreeWorker worker : workers.values()) {
                Publication existing = worker.tree().publication();
                number = Math.max(number, existing.number() + 1);
                if (existing.path().equals(path)) {
                    return again(worker, source, readOnly, replica, progress);
                }
            }
            if (workers.size() >= MAX_PUBLICATIONS) {
                throw new FailureException(
                        Failure.Code.TOO_MANY, "a server has at most " + MAX_PUBLICATIONS + " publications");
            }
            Publication publication = new Publication(number, source, path, readOnly, replica, null);
            index.save(publication);
            return begin(publication, progress);
        } finally {
            lock.unlock();
        }
    }

    private TreeWorker again(
            TreeWorker running, RawBytes source, boolean readOnly, boolean replica, ProgressListener progress)
            throws IOException {
        Publication existing = running.tree().publication();
        if (!existing.source().equals(source) || existing.replica() != replica) {
            throw new FailureException(
                    Failure.Code.CONFLICT,
                    "this server publishes " + existing.source() + (existing.replica() ? " as a further copy" : "")
                            + " at " + existing.path() + " already: end that first");
        }
        end(running);
        Publication changed =
                new Publication(existing.number(), source, existing.path(), readOnly, replica, existing.root());
        index.save(changed);
        return begin(changed, progress);
    }

    private TreeWorker begin(Publication publication, ProgressListener progress) {
        TreeWorker worker =
                new TreeWorker(new PublishedTree(index, publication), scanning, catalogLease, configuration, progress);
        workers.put(publication.number(), worker);
        threads.put(
                publication.number(),
                Thread.ofPlatform()
                        .name("publication-" + publication.number())
                        .daemon()
                        .start(worker));
        return worker;
    }

    /** Its thread has ended when this returns, or hangs in a system call; files that are open go on with the next worker of the tree. */
    private void end(TreeWorker worker) {
        worker.tree().end();
        Thread thread = threads.remove(worker.tree().number());
        if (thread != null) {
            thread.interrupt();
            boolean interrupted = false;
            try {
                thread.join(java.time.Duration.ofSeconds(5));
            } catch (InterruptedException e) {
                interrupted = true;
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        watcher.unwatchAll(worker.tree());
        files.forgetAll(worker.tree());
        workers.remove(worker.tree().number(), worker);
    }

    private void forget(TreeWorker worker) throws IOException {
        lock.lock();
        try {
            if (!closed && workers.get(worker.tree().number()) == worker) {
                end(worker);
                index.forget(worker.tree().number());
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends a publication: its names leave the grid, the files stay where they are.
     *
     * @throws FailureException NOT_FOUND when this server publishes nothing at the path
     */
    public void unpublish(LogicalPath path) throws IOException, InterruptedException {
        TreeWorker worker = workers.values().stream()
                .filter(each -> each.tree().publication().path().equals(path))
                .findFirst()
                .orElseThrow(
                        () -> new FailureException(Failure.Code.NOT_FOUND, "this server publishes nothing at " + path));
        if (worker.tree().publication().root() != null) {
            written.endAll(worker.tree());
        }
        try {
            if (worker.tree().publication().root() != null) {
                catalog.withdraw(worker.tree().rootId());
            }
            forget(worker);
        } finally {
            written.ended(worker.tree());
        }
    }

    /** What of one publication could not be published, up to a bound of 1000; nothing when there is no such publication. */
    public List<Skipped> skipped(LogicalPath path) {
        return trees().stream()
                .filter(tree -> tree.publication().path().equals(path))
                .flatMap(tree -> tree.skipped().stream())
                .toList();
    }

    public ReplicaStatus status() {
        List<PublicationStatus> publications = new ArrayList<>();
        for (PublishedTree tree : trees()) {
            try {
                publications.add(tree.status());
            } catch (IOException e) {
                throw new java.io.UncheckedIOException("the index of published files can't be read", e);
            }
        }
        return new ReplicaStatus(
                publications,
                files.openCount(),
                leases.leases(),
                leases.sessions(),
                watcher.count(),
                verifier.waiting(),
                service.bytesServed(),
                catalogLease.millisSinceHeard());
    }

    /**
     * Answers the requests that a replica server answers: sessions of its leases, open, read, seek, extended attributes, digests.
     *
     * @return false when the request is not one of them: nothing was answered
     * @throws FailureException when it is refused; the transport makes a Failure of it
     */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        if (request.hasRenew() && request.getRenew().getKind() == LeaseKind.FILES) {
            // Another server may be home by now: what was granted must run out.
            catalogLease.require();
        }
        return leases.request(from, request, responder)
                || service.request(from, request, responder)
                || namespace.request(from, request, responder);
    }

    /** @return whether the one-way message was for this server's leases; never blocks */
    public boolean message(Link from, Envelope message) {
        return leases.message(from, message);
    }

    /** A link has broken or was closed. Never blocks. */
    public void linkClosed(Link link) {
        leases.linkClosed(link);
    }

    /** Stops all threads and closes all files; idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            if (heartbeat != null) {
                Objects.requireNonNull(heartbeat).close();
            }
            namespace.close();
            written.close();
            verifier.close();
            watchedFiles.close();
            List.copyOf(workers.values()).forEach(this::end);
            watcher.close();
            digests.close();
            io.close();
            files.close();
            leases.close();
            operations.close();
            index.close();
        } catch (IOException e) {
            LOG.warn("closing the replica server failed reason=\"{}\"", e.getMessage());
        } finally {
            lock.unlock();
        }
    }
}
