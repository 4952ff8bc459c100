package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.Fingerprint;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.replica.commit.CommitRefusedException.Reason;
import spigot.replica.commit.LogRecord.ChangedOutside;
import spigot.replica.commit.LogRecord.Installed;
import spigot.replica.commit.LogRecord.SessionEnded;
import spigot.replica.commit.OperationKey.SessionKey;

/**
 * The commits of one server to the files that it is home for: puts them in order, makes them durable, shows them to readers, and has
 * them folded into the published files.
 *
 * <p>A commit's version is decided when it is written to the log, its answer given when it is durable; commits of many clients, to
 * the same file as well, share one fdatasync. Each is shown to readers from then on, in the order of the log.
 *
 * <p>Safe for any thread; locks as {@link CommitQueue} says. Two threads of its own after {@link #start}: one makes durable, one folds.
 * Without them, whoever waits for a commit does the fdatasync, and {@link #foldAll} folds. Bounded by {@link CommitLimits}: who finds
 * no room waits, interruptibly, or fails when the folding, which makes room, fails.
 */
public final class Commits implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Commits.class);

    private final CommitLimits limits;
    private final Set<Guard> guards;
    private final CommitLog log;
    private final CommitState state;
    private final CommitQueue queue;
    private final Admission admission;
    private final Folding folding;
    private List<Thread> threads = List.of();

    /**
     * Reads what earlier lives have left. What they acknowledged is there, with the same versions.
     *
     * @param store the log's own directory
     * @param clockMillis any clock that only goes forward
     * @throws IOException when the log can't be read or is damaged; the message names the file and the place
     */
    public static Commits open(
            Store store, PublishedFiles published, CommitLimits limits, FoldListener listener, LongSupplier clockMillis)
            throws IOException {
        return new Commits(
                store, published, limits, listener, clockMillis, EnumSet.allOf(Guard.class), new SecureRandom());
    }

    Commits(
            Store store,
            PublishedFiles published,
            CommitLimits limits,
            FoldListener listener,
            LongSupplier clockMillis,
            Set<Guard> guards,
            RandomGenerator random)
            throws IOException {
        this.limits = limits;
        this.guards = guards;
        state = new CommitState(guards);
        Snapshot snapshot = Snapshot.newest(store, guards);
        long now = clockMillis.getAsLong();
        state.restore(snapshot, now);
        LogRecovery.Result recovered = LogRecovery.recover(
                store,
                guards,
                snapshot.firstSegment(),
                snapshot.covered(),
                (index, record, segment, dataPosition) -> state.apply(index, record, segment, dataPosition, now));
        state.all().forEach(OpenFile::beginFromView);
        log = new CommitLog(store, limits, guards, random, recovered);
        queue = new CommitQueue(log, state, limits, clockMillis, guards);
        admission = new Admission(queue, state, log, limits, guards);
        folding = new Folding(
                new Folding.Parts(store, published, limits, listener, clockMillis, guards),
                queue,
                state,
                log,
                snapshot.firstSegment());
        LOG.debug("event=commits_opened store={} files={} ranges={}", store.name(), state.size(), state.ranges());
    }

    /** Has its own threads make durable and fold from now on. Once, by who closes it. */
    public void start() {
        queue.hasThread();
        threads = List.of(
                Thread.ofPlatform().daemon().name("commit-sync").start(queue::flushAlways),
                Thread.ofPlatform().daemon().name("commit-fold").start(folding::foldAlways));
    }

    // ---- being home

    /**
     * This server is the file's home in this epoch; durable when it returns, so that older epochs are refused from now on, whatever
     * happens. Again with the same epoch it changes nothing.
     *
     * @param version what the published file has, as far as the caller knows; a newer one that was committed here stays
     * @param fingerprint of the published file in this version
     * @throws CommitRefusedException OLDER_EPOCH; NOT_FOLDED when the version is newer than what is committed here and not folded;
     *     TOO_MANY files
     */
    public FileView install(FileId id, long epoch, Version version, Fingerprint fingerprint)
            throws IOException, InterruptedException {
        CompletableFuture<Committed> done;
        queue.lock.lockInterruptibly();
        try {
            OpenFile file = state.findInstalled(id);
            Installed record = new Installed(id, epoch, version, fingerprint);
            if (file == null) {
                if (state.size() >= limits.files()) {
                    throw CommitRefusedException.of(
                            Reason.TOO_MANY, id, "there are " + limits.files() + " files with commits already");
                }
                done = queue.append(record);
            } else if (epoch < file.epoch) {
                throw CommitRefusedException.of(
                        Reason.OLDER_EPOCH, id, "epoch " + file.epoch + " is newer than " + epoch);
            } else if (epoch == file.epoch && epoch == file.view.epoch()) {
                return file.view;
            } else if (version.compareTo(file.nextBase) <= 0) {
                done = queue.append(new Installed(id, epoch, file.nextBase, file.view.fingerprint()));
                file.epoch = epoch;
            } else if (file.view.isDirty() || file.hasPending()) {
                throw CommitRefusedException.of(
                        Reason.NOT_FOLDED, id, "version " + version + " is newer than " + file.nextBase + " here");
            } else {
                done = queue.append(record);
                file.epoch = epoch;
                file.nextBase = version;
                file.nextSize = fingerprint.size();
            }
            if (!guards.contains(Guard.EPOCH_IS_DURABLE)) {
                queue.applyTooEarly();
                return view(id);
            }
        } finally {
            queue.lock.unlock();
        }
        queue.await(done);
        FileView view = view(id);
        if (view.epoch() > epoch && guards.contains(Guard.REFUSE_OLDER_EPOCHS)) {
            throw CommitRefusedException.of(
                    Reason.OLDER_EPOCH, id, "epoch " + view.epoch() + " was installed meanwhile");
        }
        return view;
    }

    /** The file's newest version; null when it has no commits here. */
    public @Nullable FileView find(FileId id) {
        OpenFile file = state.find(id);
        return file == null ? null : file.view;
    }

    /** All files that have commits here. */
    public List<FileId> files() {
        return state.views().stream().map(FileView::file).toList();
    }

    /** The file's newest version. @throws CommitRefusedException NOT_INSTALLED */
    public FileView view(FileId id) throws CommitRefusedException {
        OpenFile file = state.find(id);
        if (file == null) {
            throw CommitRefusedException.of(Reason.NOT_INSTALLED, id, "no epoch was installed");
        }
        return file.view;
    }

    /**
     * Which bytes of an older version are not right any more.
     *
     * @throws CommitRefusedException NOT_INSTALLED
     */
    public ChangedRanges changedSince(FileId id, Version older) throws CommitRefusedException {
        return view(id).changedSince(older, guards);
    }

    /**
     * The file's commits are known elsewhere, its version and fingerprint too.
     *
     * @throws CommitRefusedException NOT_FOLDED
     */
    public void forget(FileId id) throws IOException, InterruptedException {
        folding.forget(id);
    }

    /** The file is gone: forgets it, and what is not folded with it. */
    public void discard(FileId id) throws IOException, InterruptedException {
        folding.discard(id);
    }

    /** The client repeats nothing of the session any more: its answers are forgotten. */
    public void endSession(NodeId client, long session) throws IOException, InterruptedException {
        CompletableFuture<Committed> done;
        queue.lock.lockInterruptibly();
        try {
            done = queue.append(new SessionEnded(new SessionKey(client, session)));
        } finally {
            queue.lock.unlock();
        }
        queue.await(done);
    }

    /**
     * Somebody else has changed the published file: makes a version, of which nothing older is right. Durable when it returns. By the
     * listener who is told so; whoever looks at the file in the middle of a folding sees this server's own changes.
     *
     * @param found what it is now
     */
    public Version changedOutside(FileId id, Fingerprint found) throws IOException, InterruptedException {
        CompletableFuture<Committed> done;
        Version version;
        queue.lock.lockInterruptibly();
        try {
            OpenFile file = state.installed(id);
            boolean sizeCommitted = file.nextSize != file.view.fingerprint().size();
            long size = sizeCommitted
                    ? file.nextSize
                    : file.hasPending() ? Math.max(found.size(), file.nextSize) : file.view.sizeWith(found.size());
            version = new Version(file.epoch, file.nextBase.index() + 1);
            done = queue.append(new ChangedOutside(id, version, size, found));
            file.nextBase = version;
            file.nextSize = size;
        } finally {
            queue.lock.unlock();
        }
        queue.await(done);
        return version;
    }

    // ---- committing

    /**
     * Commits: durable and visible when it returns. After an interrupt, or an error of the log, it may have been committed all the
     * same; a repetition with the same key finds out.
     *
     * @throws CommitRefusedException nothing was done
     * @throws SystemCallException ENOSPC, EDQUOT: there is no room, nothing was done, later ones are tried again; EIO: the log is
     *     read-only until the next start; EINVAL, EFBIG
     */
    public Committed commit(CommitRequest request) throws IOException, InterruptedException {
        return queue.await(submit(request));
    }

    /**
     * As {@link #commit}, without waiting for the disk; may wait for room, which the threads make. What only the disk can tell comes
     * with the answer.
     */
    public CompletableFuture<Committed> submit(CommitRequest request) throws IOException, InterruptedException {
        PreparedMutation prepared = PreparedMutation.of(request.mutation());
        long reserved = prepared.recordBytes();
        log.reserve(reserved);
        boolean used = false;
        try {
            queue.lock.lockInterruptibly();
            try {
                CompletableFuture<Committed> known = admission.known(request);
                while (known == null && !admission.hasRoom(request.file(), prepared)) {
                    queue.awaitRoom();
                    known = admission.known(request);
                }
                if (known != null) {
                    return known;
                }
                CompletableFuture<Committed> answer = admission.take(request, prepared, reserved);
                used = true;
                return answer;
            } finally {
                queue.lock.unlock();
            }
        } finally {
            if (!used) {
                log.giveBack(reserved);
            }
        }
    }

    /** Makes durable what was submitted before, shows it and answers. */
    void flush() throws IOException, InterruptedException {
        queue.flush();
    }

    // ---- reading

    /**
     * Fills the buffer up to its limit from the newest version, less at the end of the file; afterwards the limit is at the position,
     * behind what was read.
     *
     * @param from the published file, open
     * @return the version that all of the bytes are of
     */
    public FileView read(FileId id, StoredFile from, long offset, ByteBuffer into) throws IOException {
        while (true) {
            OpenFile file = state.find(id);
            if (file == null) {
                throw CommitRefusedException.of(Reason.NOT_INSTALLED, id, "no epoch was installed");
            }
            int entered = file.readers.enter();
            try {
                // Else it was forgotten meanwhile, and who folds knows nothing of this reader.
                if (state.find(id) == file) {
                    return read(file, from, offset, into);
                }
            } finally {
                file.readers.leave(entered);
            }
        }
    }

    private FileView read(OpenFile file, StoredFile from, long offset, ByteBuffer into) throws IOException {
        int begin = into.position();
        int limit = into.limit();
        FileView view = file.view;
        while (!DeltaReader.read(view, from, offset, into)) {
            if (queue.isClosed()) {
                throw new IOException("the server is closing");
            }
            into.limit(limit).position(begin);
            if (file.view == view) {
                throw new IllegalStateException(
                        "file " + view.file() + " has a range that is neither folded nor in the log");
            }
            view = file.view;
        }
        return view;
    }

    // ---- folding

    /** Folds the next file if it is time. */
    void foldNext() throws InterruptedException {
        folding.foldNext();
    }

    /** Folds all that is committed now. @throws IOException of the first file that can't be folded, the others are tried all the same */
    public void foldAll() throws IOException, InterruptedException {
        folding.foldAll();
    }

    /**
     * Folds what is committed to one file now.
     *
     * @param target the published file, open as {@link PublishedFiles} does it
     */
    public void fold(FileId id, StoredFile target) throws IOException, InterruptedException {
        IOException failure = folding.tryFold(id, target);
        if (failure != null) {
            throw failure;
        }
    }

    // ---- looking at it

    /** What the commit path holds and has done. */
    public CommitFigures figures() {
        queue.lock.lock();
        try {
            return new CommitFigures(
                    state.size(),
                    state.dirty().size(),
                    state.ranges(),
                    log.bytes(),
                    log.waiting(),
                    state.appliedIndex(),
                    log.syncs());
        } finally {
            queue.lock.unlock();
        }
    }

    /** What was acknowledged stays; what is not durable yet may be found at the next start, or not. Folds nothing more. */
    @Override
    public void close() {
        queue.close();
        threads.forEach(Thread::interrupt);
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        queue.failRest();
        log.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
