package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Errno;

/**
 * Reads requests from one channel and has the file system answer them, one after another, on one platform thread (a read of /dev/fuse holds its carrier
 * anyway). No frame and no exception of a handler ends it; the end of the connection does.
 */
final class Worker implements Runnable {
    /** Frames up to this length are copied when detached; longer ones take the worker's memory along. */
    static final int COPY_LIMIT_BYTES = 16 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

    private static final ThreadLocal<Boolean> SERVING = ThreadLocal.withInitial(() -> false);

    private final Connection connection;
    private final Channel channel;
    private final FileSystem fileSystem;
    private final Control control;
    private final @Nullable Request<?>[] views;
    private final AtomicLongArray served = new AtomicLongArray(Opcode.COUNT);
    private final ReplyBuffer reply;
    private MemorySegment memory;
    private @Nullable Request<?> lastDetached;

    // Dekker's pattern with Connection.interrupt: each side writes its own, then reads the other's.
    private volatile long current;
    private volatile long interrupted;

    Worker(Connection connection, Channel channel, FileSystem fileSystem) {
        this.connection = connection;
        this.channel = channel;
        this.fileSystem = fileSystem;
        this.control = new Control(connection, fileSystem);
        this.memory = connection.requestMemory().take();
        this.reply = new ReplyBuffer(Math.max(connection.agreement().maxIoBytes(), ReplyBuffers.SMALL_BYTES));
        this.views = new Request<?>[Opcode.COUNT];
        for (Opcode opcode : Opcode.values()) {
            views[opcode.number()] = opcode.newView();
        }
    }

    @Override
    public void run() {
        SERVING.set(true);
        FuseSession.End end = FuseSession.End.FAILED;
        try {
            end = serve();
        } catch (Throwable e) {
            LOG.error("event=fuse-worker-failed", e);
        } finally {
            connection.workerEnded(end);
        }
    }

    private FuseSession.End serve() {
        int frameBytes = connection.requestMemory().frameBytes();
        while (true) {
            long received = channel.read(memory.address() + RequestMemory.START, frameBytes);
            if (received > 0) {
                serveOne((int) received);
                continue;
            }
            switch ((int) -received) {
                case Errno.ENOENT, Errno.EINTR, Errno.EAGAIN -> {} // the request was given up meanwhile
                case 0, Errno.ENODEV -> {
                    return FuseSession.End.UNMOUNTED;
                }
                case Errno.ECONNABORTED -> {
                    return FuseSession.End.ABORTED;
                }
                default -> {
                    LOG.error("event=fuse-read-failed error=\"{}\"", Errno.describe((int) -received));
                    return FuseSession.End.FAILED;
                }
            }
        }
    }

    private void serveOne(int bytes) {
        long start = RequestMemory.START;
        if (bytes < Layout.IN_HEADER_BYTES || memory.get(JAVA_INT_UNALIGNED, start + Layout.IN_LENGTH) != bytes) {
            connection.malformed("a frame of " + bytes + " bytes");
            return;
        }
        int opcode = memory.get(JAVA_INT_UNALIGNED, start + Layout.IN_OPCODE);
        Request<?> view = opcode >= 0 && opcode < Opcode.COUNT ? views[opcode] : null;
        if (view == null) {
            serveControl(opcode, bytes);
            return;
        }
        served.setOpaque(opcode, served.getPlain(opcode) + 1);
        current = memory.get(JAVA_LONG_UNALIGNED, start + Layout.IN_UNIQUE);
        view.bind(this, opcode, bytes);
        try {
            if (view.isWellFormed()) {
                view.serve(fileSystem);
            } else {
                connection.malformed(view.toString());
                view.replyError(Errno.EINVAL);
            }
        } catch (Throwable e) {
            failed(view, e);
        }
        lastDetached = null;
        Failures.answerForgotten(view);
        current = 0;
    }

    /** A handler that detached its request and then threw has perhaps not passed it on: only one answer counts, so give one here. */
    private void failed(Request<?> view, Throwable failure) {
        Request<?> detached = lastDetached;
        Failures.answer(detached != null ? detached : view, failure);
    }

    private void serveControl(int opcode, int bytes) {
        try {
            control.serve(channel, memory, RequestMemory.START, opcode, bytes);
        } catch (Throwable e) {
            LOG.error("event=fuse-control-failed opcode={}", opcode, e);
        }
    }

    /** Whether the caller is on a worker of some mount, which must not wait for the kernel. */
    static boolean isCurrentThread() {
        return SERVING.get();
    }

    // ---- for the views ----

    Connection connection() {
        return connection;
    }

    Channel channel() {
        return channel;
    }

    ReplyBuffer reply() {
        return reply;
    }

    MemorySegment memory() {
        return memory;
    }

    long start() {
        return RequestMemory.START;
    }

    PendingRequests pending() {
        return connection.pending();
    }

    MemorySegment giveAwayMemory() {
        MemorySegment given = memory;
        memory = connection.requestMemory().take();
        return given;
    }

    void detached(Request<?> request) {
        lastDetached = request;
        current = 0;
        if (interrupted == request.unique()) {
            connection.pending().signalled(request);
        }
    }

    /** Marks the request that this worker serves right now. False if it serves another one (any more). */
    boolean interruptCurrent(long unique) {
        if (current != unique) {
            return false;
        }
        interrupted = unique;
        return current == unique;
    }

    long served(int opcode) {
        return served.getOpaque(opcode);
    }
}
