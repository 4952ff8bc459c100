package spigot.catalog.client;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.Peer;
import spigot.transport.wire.Failure;

/**
 * Requests to the catalog, tried again until they are answered or the patience ends. All of them are safe to repeat. Safe
 * for any thread; blocks.
 */
final class CatalogCalls {
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Duration LEAST_TIMEOUT = Duration.ofSeconds(1);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(500);

    private final Peer peer;
    private final Duration patience;
    private final Duration callTimeout;
    private final LongAdder requests = new LongAdder();

    CatalogCalls(Peer peer, Duration patience, Duration callTimeout) {
        this.peer = peer;
        this.patience = patience;
        this.callTimeout = callTimeout;
    }

    /** One attempt of a request on a link that is up. */
    @FunctionalInterface
    interface Attempt<T> {
        T on(Link link, Duration timeout) throws IOException, InterruptedException;
    }

    /** What can be answered without the catalog; null: nothing. */
    @FunctionalInterface
    interface Known<T> {
        @Nullable
        T known();
    }

    /**
     * @throws CatalogUnreachableException when the patience ended
     * @throws FailureException when the catalog refused
     */
    <T> T answer(String what, Attempt<T> attempt) throws IOException, InterruptedException {
        return answer(what, attempt, () -> null);
    }

    /** @param known asked each time that the catalog could not be reached: its answer ends the waiting */
    <T> T answer(String what, Attempt<T> attempt, Known<T> known) throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (true) {
            IOException cause;
            Duration pause = PAUSE;
            try {
                Link link = link(start);
                requests.increment();
                return attempt.on(link, timeout(start));
            } catch (LinkBrokenException | CallTimeoutException e) {
                cause = e;
            } catch (FailureException e) {
                if (e.code() != Failure.Code.NOT_READY) {
                    throw e;
                }
                cause = e;
                pause = Duration.ofMillis(Math.clamp(e.failure().getRetryAfterMillis(), 10, 1000));
            }
            T without = known.known();
            if (without != null) {
                return without;
            }
            if (left(start).compareTo(pause) <= 0) {
                throw new CatalogUnreachableException(
                        "no answer from the catalog at " + peer.address() + " for " + what + " within "
                                + patience.toMillis() + " ms: " + cause.getMessage(),
                        cause);
            }
            Thread.sleep(pause);
        }
    }

    /** Requests that were sent, repeated ones counted again. */
    long requests() {
        return requests.sum();
    }

    /** A reply is not waited for much longer than the patience lasts. */
    private Duration timeout(long startNanos) {
        Duration left = left(startNanos);
        Duration shortest = left.compareTo(LEAST_TIMEOUT) < 0 ? LEAST_TIMEOUT : left;
        return shortest.compareTo(callTimeout) < 0 ? shortest : callTimeout;
    }

    /** Waits a little at a time, so that what is known without the catalog is looked at in between. */
    private Link link(long startNanos) throws IOException, InterruptedException {
        Duration left = left(startNanos);
        return peer.link(left.compareTo(LOOK_AGAIN) < 0 ? left : LOOK_AGAIN);
    }

    private Duration left(long startNanos) {
        Duration left = patience.minusNanos(System.nanoTime() - startNanos);
        return left.isNegative() ? Duration.ZERO : left;
    }
}
