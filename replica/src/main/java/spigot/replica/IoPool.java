package spigot.replica;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * Platform threads for system calls on published files. These may block for as long as a disk or a network file system likes; on
 * virtual threads they would hold the carriers that everything else needs. Safe for any thread; beyond the bounds work is refused.
 */
final class IoPool implements AutoCloseable {
    private static final int WAITING = 4096;
    private static final long IDLE_SECONDS = 30;

    private final ThreadPoolExecutor threads;

    IoPool(String name, int size) {
        threads = new ThreadPoolExecutor(
                size,
                size,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(WAITING),
                Thread.ofPlatform().name(name + "-", 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
    }

    /**
     * Runs it on one of the threads and waits for it.
     *
     * @throws FailureException TOO_MANY when too much waits already
     */
    <T> T run(Callable<T> work) throws IOException, InterruptedException {
        Future<T> result;
        try {
            result = threads.submit(work);
        } catch (RejectedExecutionException e) {
            FailureException failure = new FailureException(
                    Failure.Code.TOO_MANY,
                    "the server has " + WAITING
                            + " file operations waiting (is a file system hanging?): try again later");
            failure.initCause(e);
            throw failure;
        }
        try {
            return result.get();
        } catch (InterruptedException e) {
            result.cancel(false);
            throw e;
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException cause -> throw cause;
                case InterruptedException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IOException("a file operation failed: " + e.getMessage(), e);
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
