package spigot.replica.commit;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.replica.commit.CommitRefusedException.Reason;
import spigot.replica.commit.LogRecord.Mutated;

/** Whether a commit is refused, was taken before, or has to wait; and what it makes of its file. Under the lock of {@link CommitQueue}. */
final class Admission {
    private final CommitQueue queue;
    private final CommitState state;
    private final CommitLog log;
    private final CommitLimits limits;
    private final Set<Guard> guards;

    Admission(CommitQueue queue, CommitState state, CommitLog log, CommitLimits limits, Set<Guard> guards) {
        this.queue = queue;
        this.state = state;
        this.log = log;
        this.limits = limits;
        this.guards = guards;
    }

    /**
     * The answer to an operation that was asked for before; null when it has to be done.
     *
     * @throws CommitRefusedException when it must not be done
     */
    @Nullable
    CompletableFuture<Committed> known(CommitRequest request) throws CommitRefusedException {
        FileId id = request.file();
        OpenFile file = state.installed(id);
        if (request.epoch() < file.epoch && guards.contains(Guard.REFUSE_OLDER_EPOCHS)) {
            throw CommitRefusedException.of(
                    Reason.OLDER_EPOCH,
                    id,
                    "epoch " + file.epoch + " is newer than " + request.epoch() + ": ask the catalog for the home");
        }
        if (request.epoch() > file.epoch) {
            throw CommitRefusedException.of(
                    Reason.NOT_INSTALLED, id, "epoch " + request.epoch() + " was not installed here");
        }
        OperationKey key = request.key();
        CompletableFuture<Committed> answer = key == null ? null : known(id, key);
        if (answer != null) {
            return answer;
        }
        Version expected = request.expected();
        if (expected != null && !expected.equals(file.nextBase) && guards.contains(Guard.EXPECTED_VERSION)) {
            throw CommitRefusedException.of(
                    Reason.OTHER_VERSION, id, "it has version " + file.nextBase + ", not " + expected);
        }
        return null;
    }

    private @Nullable CompletableFuture<Committed> known(FileId id, OperationKey key) throws CommitRefusedException {
        CompletableFuture<Committed> underWay = queue.underWay(key);
        if (underWay != null && guards.contains(Guard.ONCE_IN_FLIGHT)) {
            return underWay;
        }
        Committed answer = state.answers().find(key);
        if (answer != null && guards.contains(Guard.ONCE)) {
            return CompletableFuture.completedFuture(answer);
        }
        if (state.answers().isHeard(key)) {
            throw CommitRefusedException.of(
                    Reason.HEARD_ALREADY,
                    id,
                    "the answer to operation " + Long.toUnsignedString(key.number()) + " was heard already");
        }
        if (state.answers().unheard(key) + queue.underWay(key.sessionKey()) >= Answers.MOST_OF_A_SESSION) {
            throw CommitRefusedException.of(
                    Reason.TOO_MANY,
                    id,
                    Answers.MOST_OF_A_SESSION + " answers were not heard: say which ones have come");
        }
        return null;
    }

    /**
     * Whether the bounds allow it now.
     *
     * @throws SystemCallException when they do not, and nothing can be folded: with the error of the folding
     */
    boolean hasRoom(FileId id, PreparedMutation prepared) throws IOException {
        OpenFile file = state.installed(id);
        int more = 2 * prepared.ranges();
        boolean fileFull = (file.view.isDirty() || file.hasPending())
                && file.view.delta().size() + file.rangesToCome + more > limits.rangesPerFile()
                && guards.contains(Guard.BOUNDED_RANGES);
        int ranges = queue.rangesToCome();
        boolean full = (state.hasDirty() || ranges > 0)
                && (state.ranges() + ranges + more > limits.ranges()
                        || log.bytes() + prepared.recordBytes() > limits.logBytes());
        if (!fileFull && !full) {
            return true;
        }
        Exception failure = fileFull ? file.lastFailure : commonFailure();
        if (failure != null) {
            int errno = failure instanceof SystemCallException call ? call.errno() : Errno.EIO;
            SystemCallException e = new SystemCallException(
                    "commit to",
                    "file " + id + ", as nothing can be folded into the published files (" + failure.getMessage() + ")",
                    errno);
            e.initCause(failure);
            throw e;
        }
        return false;
    }

    /** Of the file that is dirty for longest; null when one has not failed. */
    private @Nullable Exception commonFailure() {
        Exception oldest = null;
        for (OpenFile file : state.dirty()) {
            if (file.lastFailure == null) {
                return null;
            }
            oldest = oldest == null ? file.lastFailure : oldest;
        }
        return oldest;
    }

    /** Gives it its version and its place in the log. @param reserved as {@link CommitLog#append} wants it */
    CompletableFuture<Committed> take(CommitRequest request, PreparedMutation prepared, long reserved)
            throws IOException, InterruptedException {
        OpenFile file = state.installed(request.file());
        PreparedMutation.Effect effect = prepared.on(file.nextSize, guards);
        Version version = new Version(request.epoch(), file.nextBase.index() + 1);
        Mutated record = new Mutated(
                request.file(), version, effect.size(), request.modifiedNanos(), effect.changes(), request.key());
        return queue.append(file, record, prepared, reserved);
    }
}
