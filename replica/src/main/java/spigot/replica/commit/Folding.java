package spigot.replica.commit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.Fingerprint;
import spigot.replica.commit.LogRecord.Folded;
import spigot.replica.commit.LogRecord.Forgotten;

/**
 * Brings what is committed into the published files, one file at a time, and deletes the segments of which nothing is needed any more.
 * Safe for any thread; {@code folding} is held over the disk and the listener, the lock of {@link CommitQueue} is not.
 */
final class Folding {
    private static final Logger LOG = LoggerFactory.getLogger(Folding.class);

    private final CommitQueue queue;
    private final CommitState state;
    private final CommitLog log;
    private final Store store;
    private final PublishedFiles published;
    private final CommitLimits limits;
    private final FoldListener listener;
    private final LongSupplier clockMillis;
    private final Set<Guard> guards;
    private final FoldPlan plan;
    private final Folder folder;
    private final ReentrantLock folding = new ReentrantLock();
    private long firstSegment;

    /** What the folding works with. */
    record Parts(
            Store store,
            PublishedFiles published,
            CommitLimits limits,
            FoldListener listener,
            LongSupplier clockMillis,
            Set<Guard> guards) {}

    Folding(Parts parts, CommitQueue queue, CommitState state, CommitLog log, long firstSegment) {
        this.queue = queue;
        this.state = state;
        this.log = log;
        this.firstSegment = firstSegment;
        store = parts.store();
        published = parts.published();
        limits = parts.limits();
        listener = parts.listener();
        clockMillis = parts.clockMillis();
        guards = parts.guards();
        plan = new FoldPlan(limits);
        folder = new Folder(guards);
    }

    // ---- when

    /** Until an interrupt. */
    void foldAlways() {
        try {
            while (true) {
                tryFold(awaitNext());
            }
        } catch (InterruptedException e) {
            LOG.debug("event=commit_fold_ends");
        }
    }

    private FileId awaitNext() throws InterruptedException {
        queue.lock.lockInterruptibly();
        try {
            while (true) {
                switch (decide()) {
                    case FoldPlan.Decision.Fold fold -> {
                        return fold.file();
                    }
                    case FoldPlan.Decision.Wait wait -> queue.awaitFoldWork(wait.millis());
                }
            }
        } finally {
            queue.lock.unlock();
        }
    }

    private FoldPlan.Decision decide() {
        Iterable<FoldPlan.Candidate> candidates = state.dirty().stream().map(Folding::candidate)::iterator;
        return plan.decide(clockMillis.getAsLong(), candidates, queue.pressure());
    }

    private static FoldPlan.Candidate candidate(OpenFile file) {
        return new FoldPlan.Candidate(
                file.view.file(), file.dirtySince, file.view.delta().size(), file.notBefore);
    }

    /** Folds the next file if it is time. */
    void foldNext() throws InterruptedException {
        FoldPlan.Decision decision;
        queue.lock.lockInterruptibly();
        try {
            decision = decide();
        } finally {
            queue.lock.unlock();
        }
        if (decision instanceof FoldPlan.Decision.Fold fold) {
            tryFold(fold.file());
        }
    }

    /** Folds all that is committed now. @throws IOException of the first file that can't be folded, the others are tried all the same */
    void foldAll() throws IOException, InterruptedException {
        List<FileId> all = new ArrayList<>();
        queue.lock.lockInterruptibly();
        try {
            state.dirty().forEach(file -> all.add(file.view.file()));
        } finally {
            queue.lock.unlock();
        }
        IOException first = null;
        for (FileId id : all) {
            IOException failure = tryFold(id);
            first = first == null ? failure : first;
        }
        if (first != null) {
            throw first;
        }
    }

    /** Null when it was folded. */
    @Nullable
    IOException tryFold(FileId id) throws InterruptedException {
        OpenFile file = state.find(id);
        if (file == null || !file.view.isDirty()) {
            return null;
        }
        try (StoredFile target = published.open(id)) {
            return tryFold(file, target);
        } catch (GoneException e) {
            return discard(id, e);
        } catch (IOException e) {
            failed(file, e);
            return e;
        } catch (RuntimeException e) {
            return broken(file, e);
        }
    }

    /** As {@link #tryFold(FileId)}, by who has the file open as {@link PublishedFiles} does. */
    @Nullable
    IOException tryFold(FileId id, StoredFile target) throws InterruptedException {
        OpenFile file = state.find(id);
        return file == null ? null : tryFold(file, target);
    }

    private @Nullable IOException tryFold(OpenFile file, StoredFile target) throws InterruptedException {
        folding.lockInterruptibly();
        try {
            if (!file.view.isDirty() || state.find(file.view.file()) != file) {
                return null;
            }
            fold(file, target);
            tryTrim();
            return null;
        } catch (IOException e) {
            failed(file, e);
            return e;
        } catch (RuntimeException e) {
            return broken(file, e);
        } finally {
            folding.unlock();
        }
    }

    /** The file, or the listener: the others are folded all the same. */
    private IOException broken(OpenFile file, RuntimeException e) throws InterruptedException {
        IOException failure = new IOException("the folding of file " + file.view.file() + " has failed: " + e, e);
        failed(file, failure);
        return failure;
    }

    private @Nullable IOException discard(FileId id, GoneException gone) throws InterruptedException {
        LOG.info("event=commits_of_a_removed_file file={} reason=\"{}\"", id, gone.getMessage());
        try {
            discard(id);
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    private void failed(OpenFile file, IOException e) throws InterruptedException {
        queue.lock.lockInterruptibly();
        try {
            file.lastFailure = e;
            file.notBefore = clockMillis.getAsLong() + limits.retryMillis();
            queue.mayHaveRoom();
        } finally {
            queue.lock.unlock();
        }
        LOG.warn("event=fold_failed file={} error=\"{}\"", file.view.file(), e.getMessage());
        listener.failed(file.view.file(), e);
    }

    // ---- one file

    private void fold(OpenFile file, StoredFile target) throws IOException, InterruptedException {
        FileView view = viewWithoutOlderReaders(file);
        FileId id = view.file();
        Fingerprint found = target.fingerprint();
        if (!found.equals(view.fingerprint()) && guards.contains(Guard.LOOK_BEFORE_FOLDING)) {
            if (!found.sameFile(view.fingerprint())) {
                throw new SystemCallException(
                        "fold commits into", "file " + id + ", which is another file now", Errno.ESTALE);
            }
            listener.changedBehind(id, view.fingerprint(), found);
            view = viewWithoutOlderReaders(file);
        }
        if (!guards.contains(Guard.DROP_AFTER_FOLDED)) {
            folded(file, view, found);
        }
        Folder.Outcome outcome = folder.fold(view, target);
        if (guards.contains(Guard.DROP_AFTER_FOLDED)) {
            folded(file, view, outcome.set());
        }
        listener.folded(view, outcome.set());
        if (!outcome.found().equals(outcome.set())) {
            listener.changedBehind(id, outcome.set(), outcome.found());
        }
    }

    private void folded(OpenFile file, FileView view, Fingerprint fingerprint)
            throws IOException, InterruptedException {
        CompletableFuture<Committed> done;
        queue.lock.lockInterruptibly();
        try {
            done = queue.append(new Folded(view.file(), view.lastIndex(), fingerprint));
        } finally {
            queue.lock.unlock();
        }
        queue.await(done);
        queue.lock.lockInterruptibly();
        try {
            file.lastFailure = null;
            state.stillDirty(file, clockMillis.getAsLong());
            queue.mayHaveRoom();
        } finally {
            queue.lock.unlock();
        }
    }

    /** The newest view, when nobody reads any more who began before it. */
    private FileView viewWithoutOlderReaders(OpenFile file) throws InterruptedException {
        if (!guards.contains(Guard.WAIT_FOR_READERS)) {
            return file.view;
        }
        // Left by a folding that was interrupted.
        file.readers.awaitOlder();
        FileView view = file.view;
        file.readers.begin();
        file.readers.awaitOlder();
        return view;
    }

    /**
     * Forgets a file all of which is folded. Whoever reads it is waited for before any file of this id is folded again.
     *
     * @throws CommitRefusedException NOT_FOLDED
     */
    void forget(FileId id) throws IOException, InterruptedException {
        forget(id, false);
    }

    /** Forgets a file, and what is not folded with it. */
    void discard(FileId id) throws IOException, InterruptedException {
        forget(id, true);
    }

    private void forget(FileId id, boolean dirtyToo) throws IOException, InterruptedException {
        folding.lockInterruptibly();
        try {
            OpenFile file;
            CompletableFuture<Committed> done;
            queue.lock.lockInterruptibly();
            try {
                file = state.findInstalled(id);
                if (file == null) {
                    return;
                }
                if (!dirtyToo && (file.view.isDirty() || file.hasPending())) {
                    throw CommitRefusedException.of(
                            CommitRefusedException.Reason.NOT_FOLDED,
                            id,
                            "it has commits that are not in the published file");
                }
                done = queue.append(new Forgotten(id));
                file.forgotten = true;
            } finally {
                queue.lock.unlock();
            }
            queue.await(done);
            file.readers.awaitOlder();
            file.readers.begin();
            file.readers.awaitOlder();
        } finally {
            folding.unlock();
        }
    }

    // ---- the log gets shorter

    private void tryTrim() throws InterruptedException {
        try {
            trim();
        } catch (IOException e) {
            // The segments stay, and are looked at again after the next folding.
            LOG.warn("event=commit_log_not_trimmed store={} error=\"{}\"", store.name(), e.getMessage());
        }
    }

    /** Deletes the segments of which nothing is needed any more. */
    private void trim() throws IOException, InterruptedException {
        Snapshot snapshot;
        queue.lock.lockInterruptibly();
        try {
            long applied = state.appliedIndex();
            long oldest = guards.contains(Guard.KEEP_WHAT_IS_NOT_FOLDED) ? state.oldestNeeded() : Long.MAX_VALUE;
            long first = log.firstNeeded(Math.min(oldest, applied + 1));
            if (first <= firstSegment) {
                return;
            }
            List<FileView.Stored> files =
                    state.views().stream().map(FileView::stored).toList();
            snapshot = new Snapshot(applied, first, files, state.answers().kept());
        } finally {
            queue.lock.unlock();
        }
        if (guards.contains(Guard.SNAPSHOT_BEFORE_DELETE)) {
            snapshot.write(store);
        }
        // From here on the log begins there, whether or not all files before it can be deleted now.
        firstSegment = snapshot.firstSegment();
        try {
            log.deleteBefore(snapshot.firstSegment());
        } finally {
            queue.lock.lock();
            try {
                queue.mayHaveRoom();
            } finally {
                queue.lock.unlock();
            }
        }
        LOG.debug(
                "event=commit_log_trimmed store={} first_segment={} files={}",
                store.name(),
                snapshot.firstSegment(),
                snapshot.files().size());
    }
}
