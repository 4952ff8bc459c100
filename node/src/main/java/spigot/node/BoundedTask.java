package spigot.node;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs what may hang, such as a look at a file system that does not answer, on a daemon thread that is left behind when it does. At most
 * one thread a call.
 */
public final class BoundedTask {
    private BoundedTask() {}

    /** @throws NodeException when it took longer, or failed */
    public static <T> T within(Duration limit, String what, Callable<T> task) throws NodeException, IOException {
        FutureTask<T> future = new FutureTask<>(task);
        Thread.ofPlatform().daemon().name("bounded").start(future);
        try {
            return future.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new NodeException(what + " took longer than " + limit.toMillis() + " ms", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            if (e.getCause() instanceof NodeException node) {
                throw node;
            }
            throw new NodeException(what + " failed: " + NodeException.reason(e.getCause()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NodeException(what + " was interrupted", e);
        }
    }
}
