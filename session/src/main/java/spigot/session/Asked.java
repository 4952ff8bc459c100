package spigot.session;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import spigot.coherence.token.Changes;
import spigot.coherence.token.TokenHomeAction;
import spigot.model.Version;

/** A request that a {@link TokenServer} has handed to its machine, and what the machine says to it. Filled in under the server's lock; its thread waits without. */
final class Asked {
    /** Of which version the client has something; null when it does not want to know what has changed. */
    final @Nullable Version have;

    private final CompletableFuture<TokenHomeAction> first = new CompletableFuture<>();
    private final CompletableFuture<TokenHomeAction> last = new CompletableFuture<>();
    private volatile @Nullable Changes changes;
    private volatile @Nullable Throwable failure;

    Asked(@Nullable Version have) {
        this.have = have;
    }

    /** It may go on: {@link TokenHomeAction.Admit} or {@link TokenHomeAction.Serve}. */
    void admitted(TokenHomeAction action) {
        first.complete(action);
    }

    void answered(TokenHomeAction action) {
        last.complete(action);
        first.complete(action);
    }

    void changed(Changes since) {
        changes = since;
    }

    /** What the machine is not told: why a commit was not done. */
    void failed(Throwable cause) {
        failure = cause;
    }

    /** Nobody will say anything any more. */
    void close() {
        first.cancel(false);
        last.cancel(false);
    }

    @Nullable
    Changes changes() {
        return changes;
    }

    @Nullable
    Throwable failure() {
        return failure;
    }

    /** The answer, or what comes before it; null when there was none in time, or the server is closing. */
    @Nullable
    TokenHomeAction first(long nanos) throws InterruptedException {
        return get(first, nanos);
    }

    /** The answer after what came before it. */
    @Nullable
    TokenHomeAction last(long nanos) throws InterruptedException {
        return get(last, nanos);
    }

    /** Whether something has come. */
    @Nullable
    TokenHomeAction now() {
        return first.isDone() && !first.isCancelled() ? first.resultNow() : null;
    }

    private static @Nullable TokenHomeAction get(CompletableFuture<TokenHomeAction> from, long nanos)
            throws InterruptedException {
        try {
            return from.get(Math.max(0, nanos), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | java.util.concurrent.CancellationException _) {
            return null;
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("an answer does not fail", e);
        }
    }
}
