package spigot.fuse;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file system that is mounted. Any thread may call it, but workers may neither wait for its end nor bring it about. Who mounts unmounts, also when the
 * process is told to end; if the process dies instead, what it left behind is unmounted by a small process beside it.
 */
public final class FuseSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FuseSession.class);
    private static final Duration BUSY_GRACE = Duration.ofSeconds(1);
    private static final Duration ABORT_GRACE = Duration.ofSeconds(10);

    /** How a session ended. */
    public enum End {
        /** Nobody uses it any more. */
        UNMOUNTED,
        /** Cut off: what was waiting got ECONNABORTED. */
        ABORTED,
        /** /dev/fuse could not be read any more; the log says why. */
        FAILED
    }

    private final Connection connection;
    private final Mounted mounted;
    private final AtomicBoolean detached = new AtomicBoolean();

    FuseSession(Connection connection, Mounted mounted) {
        this.connection = connection;
        this.mounted = mounted;
    }

    public Path mountPoint() {
        return mounted.mountPoint();
    }

    /** The number of the connection below {@code /sys/fs/fuse/connections}, also the minor number of the files' device. */
    public int connectionNumber() {
        return mounted.connectionNumber();
    }

    public Notifier notifier() {
        return connection.notifier();
    }

    public FuseStatistics statistics() {
        return connection.statistics();
    }

    /** The largest READ or WRITE that comes. */
    public int maxIoBytes() {
        return connection.agreement().maxIoBytes();
    }

    /** Whether both sides agreed on a bit of {@link InitFlags}. */
    public boolean agreed(long flag) {
        return (connection.agreement().flags() & flag) != 0;
    }

    /** Completed when the session has ended, by whatever. */
    public CompletableFuture<End> ended() {
        return connection.ended().copy();
    }

    /** Waits until the session has ended. */
    public End await() throws InterruptedException {
        try {
            return connection.ended().get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether it has ended within the time. */
    public boolean await(Duration timeout) throws InterruptedException {
        try {
            connection.ended().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Takes the mount out of the tree at once, and ends the session: if programs still use it after a moment, it is cut off under them (ENOTCONN).
     * Returns when all workers have ended; a second call waits for the same.
     */
    public void unmount() throws FuseException, InterruptedException {
        if (detached.compareAndSet(false, true)) {
            mounted.detach();
        }
        if (!await(BUSY_GRACE)) {
            abort();
        }
        mounted.dismissGuard();
    }

    /**
     * Cuts the connection, whatever state it is in: each waiting caller gets an error, all workers end. The mount point stays, unusable, until
     * {@link #unmount}.
     */
    public void abort() throws FuseException, InterruptedException {
        if (!connection.ended().isDone()) {
            LOG.info("event=fuse-abort connection={} mount={}", connectionNumber(), mountPoint());
            mounted.abort();
        }
        if (!await(ABORT_GRACE)) {
            throw new FuseException("the workers of " + mountPoint() + " did not end within " + ABORT_GRACE.toSeconds()
                    + " s after the connection was cut");
        }
    }

    @Override
    public void close() throws FuseException {
        try {
            unmount();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FuseException("interrupted while unmounting " + mountPoint(), e);
        }
    }
}
