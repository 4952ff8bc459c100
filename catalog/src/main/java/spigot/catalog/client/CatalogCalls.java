package spigot.catalog.client;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
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

    /**
     * @throws CatalogUnreachableException when the patience ended
     * @throws FailureException when the catalog refused
     */
    <T> T answer(String what, Attempt<T> attempt) throws IOException, InterruptedException {
        long start = System.nanoTime();
        while (true) {
            IOException cause;
            Duration pause = PAUSE;
            requests.increment();
            try {
                return attempt.on(peer.link(left(start)), callTimeout);
            } catch (LinkBrokenException | CallTimeoutException e) {
                cause = e;
            } catch (FailureException e) {
                if (e.code() != Failure.Code.NOT_READY) {
                    throw e;
                }
                cause = e;
                pause = Duration.ofMillis(Math.clamp(e.failure().getRetryAfterMillis(), 10, 1000));
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

    /** How often something was asked, every attempt counted. */
    long requests() {
        return requests.sum();
    }

    private Duration left(long startNanos) {
        Duration left = patience.minusNanos(System.nanoTime() - startNanos);
        return left.isNegative() ? Duration.ZERO : left;
    }
}
