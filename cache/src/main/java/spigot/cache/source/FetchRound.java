package spigot.cache.source;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.memory.TransferBuffer;
import spigot.cache.memory.TransferBuffers;
import spigot.model.FileVersion;
import spigot.transport.CallTimeoutException;
import spigot.transport.CorruptPayloadException;
import spigot.transport.FailureException;

/**
 * Gets one range from whoever has it: asks the best source; when that one fails, the next; when it is silent, the next one as well, and takes what
 * comes first. Each source is asked once. For one thread, which it blocks.
 */
public final class FetchRound {
    private static final Logger log = LoggerFactory.getLogger(FetchRound.class);
    private static final long LOOK_NANOS = 100_000_000L;

    private final FileVersion content;
    private final long offset;
    private final int length;
    private final TransferBuffers buffers;
    private final FetchCounters counters;
    private final FetchTerms terms;

    private final Set<Source> tried = new HashSet<>();
    private final List<FetchAttempt> running = new ArrayList<>();
    private final List<FetchAttempt> silent = new ArrayList<>();
    private final List<SourcesFailedException.Attempt> failures = new ArrayList<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ended = lock.newCondition();

    @GuardedBy("lock")
    private final Deque<Outcome> outcomes = new ArrayDeque<>();

    @GuardedBy("lock")
    private boolean over;

    private record Outcome(
            FetchAttempt attempt,
            @Nullable Received received,
            @Nullable IOException failure) {}

    /** @param offset and length: whole blocks, but for the end of the file */
    public FetchRound(
            FileVersion content,
            long offset,
            int length,
            TransferBuffers buffers,
            FetchCounters counters,
            FetchTerms terms) {
        this.content = content;
        this.offset = offset;
        this.length = length;
        this.buffers = buffers;
        this.counters = counters;
        this.terms = terms;
    }

    /**
     * @param buffer for the first attempt; it belongs to this call, whatever becomes of it
     * @throws SourcesFailedException when no source could deliver
     */
    public Received run(TransferBuffer buffer) throws SourcesFailedException, InterruptedException {
        List<Source> first = untried();
        if (first.isEmpty()) {
            buffer.close();
            throw new SourcesFailedException(failures);
        }
        startBest(first, buffer);
        try {
            while (true) {
                Outcome outcome = await();
                if (outcome == null) {
                    look(System.nanoTime());
                } else if (outcome.received != null) {
                    return outcome.received;
                } else {
                    running.remove(outcome.attempt);
                    silent.remove(outcome.attempt);
                    failed(outcome.attempt, outcome.failure);
                    goOn();
                }
            }
        } finally {
            end();
        }
    }

    private List<Source> untried() {
        return terms.sources().stream()
                .filter(source -> !tried.contains(source))
                .toList();
    }

    private void startBest(List<Source> untried, TransferBuffer buffer) {
        List<SourceEstimate> estimates = untried.stream().map(Source::estimate).toList();
        Source source = untried.get(SourceChoice.best(estimates, length));
        tried.add(source);
        FetchAttempt attempt = new FetchAttempt(source, content, offset, length, buffer, counters);
        running.add(attempt);
        attempt.start(this);
    }

    private void failed(FetchAttempt attempt, @Nullable IOException failure) {
        Source source = attempt.source;
        IOException cause = failure == null ? new IOException("no answer") : failure;
        failures.add(new SourcesFailedException.Attempt(source.server(), source.address(), cause));
        if (cause instanceof CorruptPayloadException) {
            counters.corrupt();
            log.warn(
                    "event=corrupt_block_received server={} address={} file={} cause=\"{}\"",
                    source.server(),
                    source.address(),
                    content,
                    cause.getMessage());
        }
        if (!(cause instanceof FailureException)) {
            source.failed();
        }
    }

    /** One attempt has failed: on to the next source, unless another attempt may still deliver. */
    private void goOn() throws SourcesFailedException, InterruptedException {
        List<Source> untried = untried();
        if (!untried.isEmpty()) {
            counters.switched();
            startBest(untried, buffers.acquire(length));
        } else if (running.isEmpty()) {
            throw new SourcesFailedException(failures);
        }
    }

    /** Nothing has happened for a while. */
    private void look(long now) throws SourcesFailedException {
        if (!terms.wanted() || now - terms.deadlineNanos() >= 0) {
            giveUp(now);
        }
        List<Source> untried = untried();
        for (FetchAttempt attempt : running) {
            long waited = now - attempt.silentSinceNanos();
            if (waited < attempt.source.meter().silenceNanos() || silent.contains(attempt)) {
                continue;
            }
            if (untried.isEmpty()) {
                terms.lookForMore();
                continue;
            }
            TransferBuffer buffer = buffers.tryAcquire(length);
            if (buffer != null) {
                silent.add(attempt);
                attempt.source.meter().silent(waited, now);
                counters.switched();
                startBest(untried, buffer);
            }
            return;
        }
        if (untried.isEmpty() && running.stream().allMatch(a -> now - a.silentSinceNanos() >= terms.silentNanos())) {
            giveUp(now);
        }
    }

    private void giveUp(long now) throws SourcesFailedException {
        for (FetchAttempt attempt : running) {
            long waitedMillis = (now - attempt.silentSinceNanos()) / 1_000_000;
            failed(attempt, new CallTimeoutException("nothing came for " + waitedMillis + " ms"));
        }
        throw new SourcesFailedException(failures);
    }

    // ---- between the attempts' threads and this one

    private @Nullable Outcome await() throws InterruptedException {
        long nanos = LOOK_NANOS;
        nanos = Math.min(nanos, Math.max(1_000_000, terms.deadlineNanos() - System.nanoTime()));
        lock.lockInterruptibly();
        try {
            while (outcomes.isEmpty()) {
                if (nanos <= 0) {
                    return null;
                }
                nanos = ended.awaitNanos(nanos);
            }
            return outcomes.remove();
        } finally {
            lock.unlock();
        }
    }

    void ended(FetchAttempt attempt, @Nullable Received received, @Nullable IOException failure) {
        lock.lock();
        try {
            if (!over) {
                outcomes.add(new Outcome(attempt, received, failure));
                ended.signalAll();
                return;
            }
        } finally {
            lock.unlock();
        }
        close(received);
    }

    private void end() {
        List<Outcome> late;
        lock.lock();
        try {
            over = true;
            late = List.copyOf(outcomes);
            outcomes.clear();
        } finally {
            lock.unlock();
        }
        late.forEach(outcome -> close(outcome.received));
        running.forEach(FetchAttempt::cancel);
    }

    private static void close(@Nullable Received received) {
        if (received != null) {
            received.buffer().close();
        }
    }
}
