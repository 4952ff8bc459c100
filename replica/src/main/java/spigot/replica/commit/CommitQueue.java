package spigot.replica.commit;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.SystemCallException;
import spigot.model.Version;
import spigot.replica.commit.LogRecord.Mutated;
import spigot.replica.commit.OperationKey.SessionKey;

/**
 * The order of all commits of a server: records come into the log in it, are made durable together, and are applied and answered in it.
 *
 * <p>{@link #lock} guards the order, {@link CommitState} and all of {@link OpenFile} but its view and readers. It is held over writes
 * to the page cache and, once a segment, over the making of the next one; not over the fdatasync of commits, reads and foldings. What is
 * said to need it is called with it; all else is safe for any thread. Bounded by {@link CommitLimits}.
 */
final class CommitQueue {
    private static final Logger LOG = LoggerFactory.getLogger(CommitQueue.class);
    private static final long SMALL_RECORD_BYTES = 512;

    final ReentrantLock lock = new ReentrantLock();
    private final Condition room = lock.newCondition();
    private final Condition foldWork = lock.newCondition();

    private final CommitLog log;
    private final CommitState state;
    private final CommitLimits limits;
    private final FoldPlan plan;
    private final LongSupplier clockMillis;
    private final Set<Guard> guards;

    /** In the order of the log. */
    private final Deque<Pending> pending = new ArrayDeque<>();

    private final Map<SessionKey, Map<Long, CompletableFuture<Committed>>> inFlight = new HashMap<>();

    /** At most so many ranges will be added by what is not durable yet. */
    private int rangesToCome;

    /** So many commits wait for room. */
    private int waiting;

    private volatile boolean closed;
    private volatile boolean hasThread;

    private record Pending(
            CommitLog.Appended where, LogRecord record, CompletableFuture<Committed> answer, int rangesToCome) {}

    CommitQueue(CommitLog log, CommitState state, CommitLimits limits, LongSupplier clockMillis, Set<Guard> guards) {
        this.log = log;
        this.state = state;
        this.limits = limits;
        this.plan = new FoldPlan(limits);
        this.clockMillis = clockMillis;
        this.guards = guards;
    }

    // ---- appending, with the lock

    /** One of the records about the commits: they are small, and do not wait for room. */
    CompletableFuture<Committed> append(LogRecord record) throws IOException, InterruptedException {
        requireOpen();
        log.reserveAtOnce(SMALL_RECORD_BYTES);
        boolean used = false;
        try {
            CommitLog.Appended where = log.append(RecordCodec.encode(record), List.of(), 0, 0, SMALL_RECORD_BYTES);
            used = true;
            CompletableFuture<Committed> answer = new CompletableFuture<>();
            pending.addLast(new Pending(where, record, answer, 0));
            return answer;
        } finally {
            if (!used) {
                log.giveBack(SMALL_RECORD_BYTES);
            }
        }
    }

    /** A commit, which the file's next one is made on. @param reserved as {@link CommitLog#append} wants it */
    CompletableFuture<Committed> append(OpenFile file, Mutated record, PreparedMutation prepared, long reserved)
            throws IOException, InterruptedException {
        requireOpen();
        CommitLog.Appended where = log.append(
                RecordCodec.encode(record), prepared.data(), prepared.dataBytes(), prepared.checksum(), reserved);
        CompletableFuture<Committed> answer = new CompletableFuture<>();
        file.nextBase = record.version();
        file.nextSize = record.size();
        int toCome = 2 * record.changes().size();
        file.rangesToCome += toCome;
        rangesToCome += toCome;
        OperationKey key = record.key();
        if (key != null) {
            inFlight.computeIfAbsent(key.sessionKey(), _ -> new HashMap<>()).put(key.number(), answer);
        }
        if (!guards.contains(Guard.VISIBLE_WHEN_DURABLE)) {
            state.apply(where.index(), record, where.segment(), where.dataPosition(), clockMillis.getAsLong());
        }
        pending.addLast(new Pending(where, record, answer, toCome));
        return answer;
    }

    /** Shows the last record before it is durable: what {@link Guard#EPOCH_IS_DURABLE} forbids. */
    void applyTooEarly() {
        apply(pending.removeLast());
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the server is closing");
        }
    }

    /** The answer to come to an operation that is under way. */
    @Nullable
    CompletableFuture<Committed> underWay(OperationKey key) {
        return inFlight.getOrDefault(key.sessionKey(), Map.of()).get(key.number());
    }

    int underWay(SessionKey session) {
        return inFlight.getOrDefault(session, Map.of()).size();
    }

    int rangesToCome() {
        return rangesToCome;
    }

    // ---- waiting for room and for something to fold, with the lock

    FoldPlan.Pressure pressure() {
        return new FoldPlan.Pressure(log.bytes(), state.ranges(), waiting > 0);
    }

    /** Until the folding has done or failed something. */
    void awaitRoom() throws IOException, InterruptedException {
        requireOpen();
        waiting++;
        try {
            foldWork.signalAll();
            room.await();
        } finally {
            waiting--;
        }
        requireOpen();
    }

    void mayHaveRoom() {
        room.signalAll();
    }

    /** Until there may be something to fold, or the time is over. */
    void awaitFoldWork(long millis) throws InterruptedException {
        if (foldWork.await(millis, TimeUnit.MILLISECONDS)) {
            LOG.trace("event=commit_fold_woken");
        }
    }

    // ---- making durable

    /** From now on a thread calls {@link #flushAlways}, and nobody else has to flush. */
    void hasThread() {
        hasThread = true;
    }

    /** Until the log is closed or has failed, or an interrupt. */
    void flushAlways() {
        try {
            while (log.awaitAppended()) {
                flush();
            }
            // By an append, whose caller alone was told.
            failAll(log.failure());
        } catch (InterruptedException e) {
            LOG.debug("event=commit_sync_ends");
        } catch (IOException e) {
            // The log has said so; whoever waited has been told.
            LOG.debug("event=commit_sync_ends error=\"{}\"", e.getMessage());
        } catch (RuntimeException e) {
            IOException failure = new IOException("the commit path has failed: " + e, e);
            log.fail(failure);
            failAll(failure);
        }
    }

    /** Makes durable what was appended before, shows it and answers. */
    void flush() throws IOException, InterruptedException {
        long upTo;
        try {
            upTo = log.sync();
        } catch (IOException e) {
            if (guards.contains(Guard.NO_SECOND_SYNC)) {
                failAll(e);
            }
            throw e;
        }
        List<Pending> durable = new ArrayList<>();
        lock.lock();
        try {
            boolean wake = !state.hasDirty();
            for (Pending next = pending.peekFirst();
                    next != null && next.where().index() <= upTo;
                    next = pending.peekFirst()) {
                wake |= apply(next);
                durable.add(pending.removeFirst());
            }
            room.signalAll();
            if (wake || plan.isUrgent(pressure())) {
                foldWork.signalAll();
            }
        } finally {
            lock.unlock();
        }
        durable.forEach(CommitQueue::answer);
    }

    /** @return whether the file should be folded soon */
    private boolean apply(Pending next) {
        CommitLog.Appended where = next.where();
        state.apply(where.index(), next.record(), where.segment(), where.dataPosition(), clockMillis.getAsLong());
        if (!(next.record() instanceof Mutated mutated)) {
            return false;
        }
        rangesToCome -= next.rangesToCome();
        OperationKey key = mutated.key();
        if (key != null) {
            inFlight.computeIfPresent(key.sessionKey(), (_, flying) -> {
                flying.remove(key.number(), next.answer());
                return flying.isEmpty() ? null : flying;
            });
        }
        OpenFile file = state.find(mutated.file());
        if (file == null) {
            return false;
        }
        file.rangesToCome -= next.rangesToCome();
        return plan.isFull(file.view.delta().size());
    }

    private static void answer(Pending durable) {
        durable.answer()
                .complete(
                        durable.record() instanceof Mutated mutated
                                ? new Committed(mutated.version(), mutated.size())
                                : new Committed(Version.NONE, 0));
    }

    /** Nobody knows what of it is on the disk: the next start finds out. */
    private void failAll(@Nullable IOException cause) {
        IOException failure = cause == null ? new IOException("the log is not written any more") : cause;
        List<Pending> failed;
        lock.lock();
        try {
            failed = new ArrayList<>(pending);
            pending.clear();
            inFlight.clear();
            room.signalAll();
            foldWork.signalAll();
        } finally {
            lock.unlock();
        }
        failed.forEach(next -> next.answer().completeExceptionally(failure));
    }

    /** The answer, when it is durable. Without the lock. */
    Committed await(CompletableFuture<Committed> answer) throws IOException, InterruptedException {
        if (!hasThread && !answer.isDone()) {
            flush();
        }
        try {
            return answer.get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof SystemCallException call) {
                SystemCallException again =
                        new SystemCallException("make durable", "a commit (" + call.getMessage() + ")", call.errno());
                again.initCause(call);
                throw again;
            }
            throw new IOException(
                    "a commit was not made durable: " + (cause == null ? e.getMessage() : cause.getMessage()), e);
        }
    }

    // ---- closing

    boolean isClosed() {
        return closed;
    }

    /** Takes nothing more; who waits for room is told. */
    void close() {
        lock.lock();
        try {
            closed = true;
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whoever waits for the disk is told. */
    void failRest() {
        failAll(new IOException("the server is closing"));
    }
}
