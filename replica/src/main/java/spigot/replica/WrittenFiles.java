package spigot.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.RegistrationClient;
import spigot.coherence.token.Range;
import spigot.linux.Errno;
import spigot.linux.FileStatus;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.Fingerprint;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.replica.commit.ChangedRanges;
import spigot.replica.commit.CommitFigures;
import spigot.replica.commit.CommitLimits;
import spigot.replica.commit.CommitRefusedException;
import spigot.replica.commit.CommitRequest;
import spigot.replica.commit.Commits;
import spigot.replica.commit.Committed;
import spigot.replica.commit.FileView;
import spigot.replica.commit.FoldListener;
import spigot.replica.commit.GoneException;
import spigot.replica.commit.LinuxStore;
import spigot.replica.commit.Mutation;
import spigot.replica.commit.StoredFile;
import spigot.session.LeaseGrantor;
import spigot.session.NotCommittedException;
import spigot.session.Recall;
import spigot.session.TokenStore;
import spigot.transport.FailureException;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.Failure;
import spigot.transport.wire.TokenChange;

/**
 * The files that are written through the grid. What is committed to one lies in the log of {@link Commits}, is read over the published
 * file, and comes into it later. A file is written from its first commit until all is folded, the catalog knows of it, and it has been
 * left alone for a while; the others have no part in this.
 *
 * <p>While a file is written nobody gets a lease on it, no copy is compared with it, and the catalog has a version that no copy has: so
 * that no other server becomes its home, which would not have what was acknowledged. Its published file is changed by one at a time:
 * a folding, an operation on its name or attributes, or a look at what others have done to it ({@link FileUpdates#turn}).
 *
 * <p>Safe for any thread; blocks. Threads: those of {@link Commits}, and one that tells the catalog. Bounded by {@link CommitLimits}.
 */
public final class WrittenFiles implements TokenStore, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WrittenFiles.class);
    private static final String LOG_DIRECTORY = "commits";
    private static final Duration LOOK = Duration.ofSeconds(3);
    private static final int ATTEMPTS = 10;

    /** How often what must be alone gives way to commits under way, before the client is asked to come again. */
    private static final int GIVE_WAY = 100;

    private static final long GIVE_WAY_MILLIS = 2;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Parts parts;
    private final Times times;
    private final Commits commits;
    private final WrittenReads reads;
    private final WrittenRecords records;
    private final WrittenTeller teller;
    private final Set<Integer> ending = ConcurrentHashMap.newKeySet();
    private @Nullable FileUpdates updates;

    /** What it works with. */
    record Parts(
            Path data,
            RegistrationClient catalog,
            CatalogLease catalogLease,
            LeaseGrantor leases,
            PublicationIndex index,
            ServedFiles files,
            FileReader reader,
            IoPool io,
            ReadBuffers buffers) {}

    /**
     * @param quiet after which time without a commit a file is not taken for written any more
     * @param patience how long a first commit may wait for leases to be given back
     */
    record Times(Duration quiet, Duration patience) {}

    /** @throws IOException when the log of former lives can't be read; the message says what to do */
    WrittenFiles(Parts parts, Times times, CommitLimits limits) throws IOException {
        this.parts = parts;
        this.times = times;
        this.commits = Commits.open(
                new LinuxStore(parts.data().resolve(LOG_DIRECTORY)),
                this::openToFold,
                limits,
                new Listener(),
                () -> System.nanoTime() / NANOS_PER_MILLI);
        this.reads = new WrittenReads(commits, parts.files(), parts.reader());
        this.records = new WrittenRecords(parts, commits, times.quiet());
        this.teller = new WrittenTeller(records::look);
    }

    /** To be called once, before anything else but {@link #isWritten}. */
    void use(FileUpdates fileUpdates) {
        updates = fileUpdates;
        records.use(fileUpdates);
    }

    void start() {
        commits.start();
        teller.start();
        commits.files().forEach(teller::soon);
    }

    private FileUpdates updates() {
        return Objects.requireNonNull(updates, "use comes first");
    }

    // ---- who commits

    /** Files are taken for written as long as this says so: somebody holds tokens for them. */
    public void holdWhile(Predicate<FileId> hasTokens) {
        records.holdWhile(hasTokens);
    }

    @Override
    public void open(FileId id) throws IOException, InterruptedException {
        parts.catalogLease().require();
        updates().requireHome(served(id));
    }

    private ServedFile served(FileId id) throws IOException, InterruptedException {
        return parts.files().await(id, LOOK);
    }

    /** The newest version that is committed; {@link Version#NONE} of a file that is not in use. */
    @Override
    public Version version(FileId id) {
        FileView view = commits.find(id);
        if (view != null) {
            return view.version();
        }
        ServedFile file = parts.files().inUse(id);
        return file == null ? Version.NONE : file.row().version();
    }

    /** Which bytes of an older version are not right any more. */
    public ChangedRanges changedSince(FileId id, Version older) throws IOException {
        if (commits.find(id) == null) {
            return version(id).equals(older) ? new ChangedRanges.Only(List.of()) : new ChangedRanges.Everything();
        }
        return commits.changedSince(id, older);
    }

    /**
     * Commits; the future is completed when it is durable and seen by readers. Versions of one file grow in the order of the calls.
     *
     * @return fails when it is not known what a later life finds
     * @throws SystemCallException nothing was done: EROFS where the publication is read-only, EACCES where this server may not write,
     *     ENOSPC, EDQUOT, EFBIG, EINVAL; EIO when the log can't be written any more
     * @throws CommitRefusedException nothing was done
     * @throws FailureException NOT_FOUND, NOT_HOME, NOT_READY: nothing was done
     */
    public CompletableFuture<Committed> submit(FileId id, Mutation mutation, long modifiedNanos)
            throws IOException, InterruptedException {
        return submit(id, null, mutation, modifiedNanos);
    }

    private CompletableFuture<Committed> submit(
            FileId id, @Nullable Version expected, Mutation mutation, long modifiedNanos)
            throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            ServedFile file = served(id);
            if (ending.contains(file.tree().number())) {
                throw new FailureException(Failure.Code.NOT_FOUND, "the publication of file " + id + " is being ended");
            }
            if (!file.isWritten()) {
                begin(file);
            }
            file.touchWritten();
            try {
                return commits.submit(
                        new CommitRequest(id, file.row().homeEpoch(), expected, mutation, modifiedNanos, null));
            } catch (CommitRefusedException e) {
                if (e.reason() != CommitRefusedException.Reason.NOT_INSTALLED || attempt == ATTEMPTS) {
                    throw e;
                }
            }
            // It is not written any more since it was looked at, or this server has become its home anew.
            begin(file);
        }
    }

    /** As {@link #submit}, and waits for it: of a file that is written already, in its turn. */
    void commit(FileId id, Mutation mutation, long modifiedNanos) throws IOException {
        ServedFile file = parts.files().get(id);
        try {
            Committed done =
                    commits.commit(new CommitRequest(id, file.row().homeEpoch(), null, mutation, modifiedNanos, null));
            LOG.trace("event=attributes_committed file={} version={}", id, done.version());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the server is stopping", e);
        }
    }

    @Override
    public CompletableFuture<Stored> commit(FileId id, Range range, TokenChange change)
            throws IOException, InterruptedException {
        try {
            boolean least = change.getPiecesCount() == 0 && !change.getExactSize();
            return (least ? grow(id, change) : submit(id, mutation(change), change.getModifiedNanos()))
                    .thenApply(done -> new Stored(done.version(), done.size()));
        } catch (CommitRefusedException e) {
            throw notCommitted(e, Errno.EIO);
        } catch (SystemCallException e) {
            // After an error of the disk it is not known what the log has.
            throw e.errno() == Errno.EIO ? e : notCommitted(e, e.errno());
        }
    }

    /** The file gets at least this size: what is under way makes it longer, and must not be cut. So it gives way to that. */
    private CompletableFuture<Committed> grow(FileId id, TokenChange change) throws IOException, InterruptedException {
        for (int attempt = 1; attempt <= GIVE_WAY; attempt++) {
            ServedFile file = served(id);
            if (!file.isWritten()) {
                begin(file);
            }
            FileView view = commits.find(id);
            if (view == null) {
                continue;
            }
            long size = Math.max(change.getAttributes().getSize(), view.size());
            try {
                return submit(id, view.version(), new Mutation.Resize(size), change.getModifiedNanos());
            } catch (CommitRefusedException e) {
                if (e.reason() != CommitRefusedException.Reason.OTHER_VERSION) {
                    throw e;
                }
            }
            Thread.sleep(GIVE_WAY_MILLIS);
        }
        throw new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.NOT_READY)
                .setMessage("file " + id + " has many commits under way: try again")
                .setRetryAfterMillis(50)
                .build());
    }

    private static NotCommittedException notCommitted(IOException cause, int errno) {
        NotCommittedException refused = new NotCommittedException(String.valueOf(cause.getMessage()), errno);
        refused.initCause(cause);
        return refused;
    }

    private static Mutation mutation(TokenChange change) {
        if (change.hasAttributes()) {
            return new Mutation.Resize(change.getAttributes().getSize());
        }
        List<Mutation.Piece> pieces = new ArrayList<>();
        for (TokenChange.Piece piece : change.getPiecesList()) {
            pieces.add(new Mutation.Piece(piece.getOffset(), piece.getData().asReadOnlyByteBuffer()));
        }
        return new Mutation.Write(pieces);
    }

    private void begin(ServedFile file) throws IOException, InterruptedException {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            updates().requireHome(file);
            updates().bringUpToDate(file);
            if (updates().exclusively(file, () -> beginNow(file))) {
                return;
            }
        }
        throw new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.NOT_READY)
                .setMessage("file " + file.id() + " is changed by local programs all the time: it can't be written")
                .setRetryAfterMillis(100)
                .build());
    }

    /** @return false when the published file has changed meanwhile */
    private boolean beginNow(ServedFile file) throws IOException, InterruptedException {
        IndexedFile row = file.row();
        requireWritable(file);
        FileView known = commits.find(file.id());
        if (known != null) {
            commits.install(file.id(), row.homeEpoch(), known.version(), known.fingerprint());
            file.setWritten(true);
            return true;
        }
        FileStatus status = parts.io().run(() -> {
            // Whoever writes is told now that it can't be done, not when it has been acknowledged.
            try (StoredFile _ = openPublished(file);
                    SharedDescriptor descriptor = parts.files().descriptor(file)) {
                return Statx.of(descriptor.number());
            }
        });
        if (!FileChange.between(row, status).isSameContent()) {
            return false;
        }
        Attributes attributes = FileAttributes.of(status, row.attributes().xattrs());
        try (Recall _ = parts.leases().recall(List.of(file.id()), times.patience())) {
            FileRecord record = parts.catalog().update(file.id(), attributes, true, row.homeEpoch(), row.version());
            commits.install(file.id(), record.homeEpoch(), record.version(), WrittenRow.fingerprint(status));
            updates()
                    .took(
                            file,
                            row.seen(status, attributes)
                                    .known(
                                            record.version(),
                                            record.homeEpoch(),
                                            record.fragmentBytes(),
                                            ReplicaState.HOME),
                            true);
            file.setWritten(true);
        }
        return true;
    }

    private static void requireWritable(ServedFile file) throws IOException {
        Publication publication = file.tree().publication();
        if (publication.readOnly() || publication.replica()) {
            throw new SystemCallException("write to", publication.path().toString(), Errno.EROFS);
        }
        if (!file.row().attributes().isRegular()) {
            throw new SystemCallException("write to", "what has no data, " + file.id(), Errno.EINVAL);
        }
    }

    // ---- who reads

    /** Whether the file is written; for files that were not in use until now. */
    boolean isWritten(FileId id) {
        return commits.find(id) != null;
    }

    /** What the file is for its readers. */
    IndexedFile current(ServedFile file) {
        IndexedFile row = file.row();
        FileView view = file.isWritten() ? commits.find(file.id()) : null;
        return view == null ? row : WrittenRow.live(row, view);
    }

    /** What the published file should be like. */
    IndexedFile published(IndexedFile row) {
        FileView view = commits.find(row.id());
        return view == null ? row : WrittenRow.published(row, view);
    }

    /** What readers should see of the size and the times of a file, of which the published file has these. */
    Attributes shown(FileId id, Attributes published) {
        FileView view = commits.find(id);
        return view == null ? published : WrittenRow.live(published, view);
    }

    /** @param length at most 4 MiB */
    @Override
    public void read(FileId id, long offset, int length, Reader reader) throws IOException, InterruptedException {
        ServedFile file = served(id);
        ByteBuffer buffer = parts.buffers().take(Math.max(length, 1));
        try {
            for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
                State state = parts.io().run(() -> reads.read(file, offset, length, buffer));
                if (state != null) {
                    reader.read(state, buffer);
                    return;
                }
                updates().bringUpToDate(file);
            }
        } finally {
            parts.buffers().give(buffer);
        }
        throw new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.NOT_READY)
                .setMessage("file " + id + " changed at each of " + ATTEMPTS + " attempts to read it")
                .setRetryAfterMillis(50)
                .build());
    }

    /** As {@link FileReader#read}, of a written file. @param row as {@link #current} says */
    @Nullable
    Blocks blocks(
            ServedFile file, IndexedFile row, SharedDescriptor descriptor, long offset, int length, ByteBuffer buffer)
            throws IOException {
        return reads.blocks(file, row, descriptor, offset, length, buffer);
    }

    // ---- folding

    private StoredFile openToFold(FileId id) throws IOException, InterruptedException {
        ServedFile file = parts.files().find(id);
        if (file == null && parts.index().file(id) == null) {
            throw new GoneException("file " + id + " was removed");
        }
        if (file == null) {
            throw new IOException("file " + id + " can't be opened: its publication is not open now");
        }
        FileUpdates.Turn turn = updates().turn(file);
        boolean opened = false;
        try {
            StoredFile target = new FoldTarget(file, openPublished(file), turn);
            opened = true;
            return target;
        } finally {
            if (!opened) {
                turn.close();
            }
        }
    }

    /** The very file that is read, whatever became of its name. */
    private StoredFile openPublished(ServedFile file) throws IOException {
        try (SharedDescriptor descriptor = parts.files().descriptor(file)) {
            return LinuxStore.openFile(Path.of(descriptor.descriptor().procPath()), "the published file " + file.id());
        }
    }

    private final class Listener implements FoldListener {
        @Override
        public void changedBehind(FileId id, Fingerprint expected, Fingerprint found)
                throws IOException, InterruptedException {
            ServedFile file = parts.files().get(id);
            try (SharedDescriptor descriptor = parts.files().descriptor(file)) {
                records.lookAgain(file, Statx.of(descriptor.number()));
            }
        }

        @Override
        public void folded(FileView view, Fingerprint fingerprint) {
            teller.soon(view.file());
        }

        @Override
        public void failed(FileId id, IOException failure) {
            teller.soon(id);
        }
    }

    // ---- what the catalog knows

    /** The catalog is told of the file's commits and attributes. */
    void tellSoon(FileId id) {
        if (isWritten(id)) {
            teller.soon(id);
        }
    }

    /** What others have done to the file makes a version of its own, and is not taken for what comes next. In the file's turn. */
    void settle(ServedFile file) throws IOException, InterruptedException {
        FileStatus status = parts.io().run(() -> {
            try (SharedDescriptor descriptor = parts.files().descriptor(file)) {
                return Statx.of(descriptor.number());
            }
        });
        records.lookAgain(file, status);
    }

    /**
     * Looks at the published file and tells the catalog what is new; to be called in the file's turn.
     *
     * @return whether there was nothing new
     */
    boolean tell(ServedFile file) throws IOException, InterruptedException {
        return records.tell(file);
    }

    // ---- ends

    /** Another file has taken the place of the published one: what was written to that is gone with it. In the file's turn. */
    void giveUp(ServedFile file) throws IOException, InterruptedException {
        LOG.warn("event=written_file_replaced file={}", file.id());
        commits.discard(file.id());
        file.setWritten(false);
    }

    /** Nothing more is committed to the files of a publication, and all of it is in them when this returns. */
    void endAll(PublishedTree tree) throws IOException, InterruptedException {
        ending.add(tree.number());
        for (FileId id : commits.files()) {
            IndexedFile row = parts.index().file(id);
            FileView view = commits.find(id);
            boolean dirty = view != null && view.isDirty();
            if (dirty && row != null && row.publication() == tree.number()) {
                foldLast(id);
            }
        }
    }

    private void foldLast(FileId id) throws IOException, InterruptedException {
        try (StoredFile target = openToFold(id)) {
            commits.fold(id, target);
        } catch (IOException e) {
            throw new IOException(
                    "what was written to file " + id + " can't be brought into it (" + e.getMessage()
                            + "): see to that first, then end the publication; it is kept in "
                            + parts.data().resolve(LOG_DIRECTORY),
                    e);
        }
    }

    /** The publication has ended, or goes on. */
    void ended(PublishedTree tree) {
        ending.remove(tree.number());
    }

    /** What the commit path holds. */
    public CommitFigures figures() {
        return commits.figures();
    }

    /** Folds nothing more: the next life reads what is committed. */
    @Override
    public void close() {
        teller.close();
        commits.close();
    }
}
