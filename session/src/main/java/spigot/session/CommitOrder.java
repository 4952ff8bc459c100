package spigot.session;

import java.util.ArrayDeque;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;

/**
 * Tells what has become of the commits of each file in the order in which they were begun, whichever thread they end on. Safe for any thread. As long as
 * what is under way.
 */
final class CommitOrder {
    /** What became of one commit. */
    @FunctionalInterface
    interface Outcome {
        /** @param failure null when it is durable, as stored says */
        void told(TokenStore.@Nullable Stored stored, @Nullable Throwable failure);
    }

    private record Entry(CompletableFuture<TokenStore.Stored> future, Outcome outcome) {}

    private static final class Line {
        /** Held while a commit is begun, which may wait for room that ended commits make: never taken by who ends one. */
        final ReentrantLock beginning = new ReentrantLock();

        /** Held while outcomes are told. */
        final ReentrantLock ending = new ReentrantLock();

        final ArrayDeque<Entry> entries = new ArrayDeque<>();

        /** Guarded by the map. */
        int users;
    }

    private final ConcurrentHashMap<FileId, Line> lines = new ConcurrentHashMap<>();

    /** Begins a commit; the outcome is told once, on any thread, maybe before this returns. */
    void begin(FileId file, Callable<CompletableFuture<TokenStore.Stored>> begin, Outcome outcome) {
        Line line = lines.compute(file, (_, known) -> {
            Line used = known == null ? new Line() : known;
            used.users++;
            return used;
        });
        CompletableFuture<TokenStore.Stored> future;
        line.beginning.lock();
        try {
            future = begun(begin);
            line.ending.lock();
            try {
                line.entries.add(new Entry(future, outcome));
            } finally {
                line.ending.unlock();
            }
        } finally {
            line.beginning.unlock();
        }
        future.whenComplete((_, _) -> end(file, line));
    }

    private static CompletableFuture<TokenStore.Stored> begun(Callable<CompletableFuture<TokenStore.Stored>> begin) {
        try {
            return begin.call();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return CompletableFuture.failedFuture(e);
        } catch (Exception e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void end(FileId file, Line line) {
        int ended = 0;
        line.ending.lock();
        try {
            for (Entry first = line.entries.peek();
                    first != null && first.future().isDone();
                    first = line.entries.peek()) {
                line.entries.remove();
                ended++;
                tell(first);
            }
        } finally {
            line.ending.unlock();
        }
        int over = ended;
        lines.computeIfPresent(file, (_, known) -> {
            known.users -= over;
            return known.users == 0 ? null : known;
        });
    }

    private static void tell(Entry entry) {
        Throwable failure =
                entry.future().isCompletedExceptionally() ? entry.future().exceptionNow() : null;
        entry.outcome().told(failure == null ? entry.future().resultNow() : null, failure);
    }
}
