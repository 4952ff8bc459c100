package spigot.mount;

import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.cache.FileClient;
import spigot.catalog.client.CatalogClient;
import spigot.fuse.Request;
import spigot.fuse.RequestHandler;
import spigot.model.FileId;

/** What the operations of one mount share. Safe for any thread. */
final class MountState {
    /** How long the kernel may believe what a lease covers, if it is not told otherwise before: a bound, not a policy. */
    static final long LEASED_NANOS = 86_400_000_000_000L;

    private static final Logger log = LoggerFactory.getLogger(MountState.class);
    private static final long LOG_PAUSE_NANOS = 5_000_000_000L;

    final CatalogClient catalog;
    final FileClient files;
    final MountLimits limits;
    final KernelCaches kernel;
    final NodeTable nodes;
    final ReplyGate gate;
    final OpenFiles open;
    final NodeRecords records;
    final RecentErrors errors = new RecentErrors();
    final MountStatistics statistics;

    private final AtomicLong loggedNanos = new AtomicLong(System.nanoTime() - LOG_PAUSE_NANOS);

    MountState(CatalogClient catalog, FileClient files, MountLimits limits, KernelCaches kernel) {
        this.catalog = catalog;
        this.files = files;
        this.limits = limits;
        this.kernel = kernel;
        nodes = kernel.nodes();
        gate = kernel.gate();
        open = kernel.open();
        statistics = kernel.statistics();
        records = new NodeRecords(catalog, nodes, open);
    }

    /** Whether what is cached of the directory may be given to the kernel to keep; to be asked inside of the gate, before and after. */
    boolean isLeased(FileId directory) {
        return !catalog.isStale(directory);
    }

    /**
     * Answers a request away from its worker, on a virtual thread that may block and is interrupted with the caller.
     *
     * @param file what to remember an error with
     */
    <R extends Request<R>> void later(
            Operation operation, long startNanos, R request, FileId file, RequestHandler<R> body) {
        statistics.handedOver(operation);
        request.handOver(detached -> {
            try {
                body.handle(detached);
            } catch (Exception e) {
                fail(operation, detached, file, e);
            } finally {
                statistics.done(operation, startNanos);
            }
        });
    }

    /** Answers with the error, and remembers why if it is one that nobody expects and somebody waits for. */
    void fail(Operation operation, Request<?> request, FileId file, Exception failure) {
        int errno = ErrorNumbers.of(failure);
        // Before the answer, so that who gets the error can ask why.
        if (ErrorNumbers.isTrouble(errno)) {
            errors.add(file, operation + ": " + reason(failure));
        }
        boolean taken = !request.isAnswered() && request.replyError(errno);
        if (taken && ErrorNumbers.isTrouble(errno)) {
            statistics.failed(operation);
            logTrouble(operation, file, failure);
        }
    }

    private static String reason(Exception failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }

    /** One line in five seconds: a grid that can't be reached fails many requests. The rest is in user.spigot.error. */
    private void logTrouble(Operation operation, FileId file, Exception failure) {
        long now = System.nanoTime();
        long last = loggedNanos.get();
        if (now - last >= LOG_PAUSE_NANOS && loggedNanos.compareAndSet(last, now)) {
            log.warn("event=operation_failed operation={} file={} reason=\"{}\"", operation, file, reason(failure));
            if (failure instanceof RuntimeException) {
                log.warn("event=operation_failed_unexpectedly operation={}", operation, failure);
            }
        }
    }
}
