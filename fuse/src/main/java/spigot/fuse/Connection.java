package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Errno;

/**
 * A connection with the kernel over descriptors of /dev/fuse (or, in tests, a socket): the INIT exchange, the workers, the requests that wait, the end.
 * Knows nothing of mount points. {@link #open} and {@link #serve} are called once by the thread that mounts, the rest by any.
 */
final class Connection {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
    private static final int LOGGED_MALFORMED = 10;

    private final Agreement agreement;
    private final PendingRequests pending;
    private final ReplyBuffers replyBuffers;
    private final RequestMemory requestMemory;
    private final Notifier notifier;
    private final List<Channel> channels;
    private final List<Worker> workers = new ArrayList<>();
    private final AtomicInteger running = new AtomicInteger();
    private final CompletableFuture<FuseSession.End> ended = new CompletableFuture<>();
    private final LongAdder malformed = new LongAdder();
    private final LongAdder interrupts = new LongAdder();
    private final long initUnique;
    private volatile Runnable atEnd = () -> {};

    private Connection(Agreement agreement, long initUnique, MountOptions options, List<Channel> channels) {
        this.agreement = agreement;
        this.initUnique = initUnique;
        this.channels = channels;
        this.pending = new PendingRequests(options.maxDetached());
        this.replyBuffers = new ReplyBuffers(Math.max(agreement.maxIoBytes(), ReplyBuffers.SMALL_BYTES));
        this.requestMemory = new RequestMemory(agreement.maxIoBytes());
        this.notifier = new Notifier(channels.getFirst());
    }

    /**
     * Reads INIT and agrees; nothing is answered yet.
     *
     * @param channels the connection's first descriptor, then clones of it, if any
     */
    static Connection open(List<Channel> channels, MountOptions options) throws FuseException {
        RequestMemory first = new RequestMemory(options.maxWriteBytes());
        MemorySegment memory = first.take();
        Channel channel = channels.getFirst();
        long body = RequestMemory.START + Layout.IN_HEADER_BYTES;
        while (true) {
            long received = channel.read(memory.address() + RequestMemory.START, first.frameBytes());
            if (received == -Errno.EINTR || received == -Errno.ENOENT || received == -Errno.EAGAIN) {
                continue;
            }
            if (received < Layout.IN_HEADER_BYTES + Layout.INIT_IN_FLAGS + 4
                    || memory.get(JAVA_INT_UNALIGNED, RequestMemory.START + Layout.IN_OPCODE) != Control.INIT) {
                throw new FuseException("the kernel did not begin with INIT: "
                        + (received < 0 ? Errno.describe((int) -received) : received + " bytes"));
            }
            Agreement.Offer offer = Agreement.Offer.read(memory, body);
            long unique = memory.get(JAVA_LONG_UNALIGNED, RequestMemory.START + Layout.IN_UNIQUE);
            if (offer.major() > Agreement.MAJOR) { // it will come down to ours and ask again
                ReplyBuffer buffer = new ReplyBuffer(ReplyBuffers.SMALL_BYTES);
                buffer.payload(Layout.INIT_OUT_BYTES).fill((byte) 0);
                buffer.memory().set(JAVA_INT_UNALIGNED, ReplyBuffer.PAYLOAD, Agreement.MAJOR);
                send(channel, buffer, unique, Layout.INIT_OUT_BYTES);
                continue;
            }
            Agreement agreement = Agreement.on(offer, options);
            LOG.debug(
                    "event=fuse-init kernel=7.{} flags={} max_io_bytes={}",
                    offer.minor(),
                    Long.toHexString(agreement.flags()),
                    agreement.maxIoBytes());
            return new Connection(agreement, unique, options, channels);
        }
    }

    /** Answers INIT and starts the workers. */
    void serve(FileSystem fileSystem, int workerCount, Runnable whenEnded) throws FuseException {
        atEnd = () -> {
            fileSystem.destroy();
            whenEnded.run();
        };
        for (int i = 0; i < workerCount; i++) {
            workers.add(new Worker(this, channels.get(i % channels.size()), fileSystem));
        }
        ReplyBuffer buffer = new ReplyBuffer(ReplyBuffers.SMALL_BYTES);
        agreement.write(buffer.memory(), ReplyBuffer.PAYLOAD);
        send(channels.getFirst(), buffer, initUnique, Layout.INIT_OUT_BYTES);
        running.set(workerCount);
        for (int i = 0; i < workerCount; i++) {
            Thread.ofPlatform().daemon().name("fuse-worker-" + i).start(workers.get(i));
        }
    }

    private static void send(Channel channel, ReplyBuffer buffer, long unique, int bytes) throws FuseException {
        long result = channel.write(buffer.header(unique, 0, bytes), Layout.OUT_HEADER_BYTES + bytes);
        if (result < 0) {
            throw new FuseException("the kernel refused the answer to INIT: " + Errno.describe((int) -result));
        }
    }

    // ---- the end ----

    /** Completed once, when all workers have ended and the file system was told. */
    CompletableFuture<FuseSession.End> ended() {
        return ended;
    }

    void workerEnded(FuseSession.End how) {
        if (running.decrementAndGet() > 0) {
            return;
        }
        LOG.info("event=fuse-ended how={} unanswered={}", how, pending.size());
        try {
            notifier.close();
            pending.interruptAll();
            atEnd.run();
        } catch (Throwable e) {
            LOG.error("event=fuse-destroy-failed", e);
        } finally {
            closeChannels();
            ended.complete(how);
        }
    }

    void closeChannels() {
        channels.forEach(Channel::close);
    }

    // ---- interrupts ----

    /**
     * Finds the request wherever it is: detached, in a worker's hands, or just being read. Only in the last case, and when it is answered already, is it
     * not found; then the kernel is asked to say it again if it still matters.
     */
    void interrupt(long target, long interruptUnique) {
        interrupts.increment();
        if (pending.interrupt(target)) {
            return;
        }
        for (Worker worker : workers) {
            if (worker.interruptCurrent(target)) {
                return;
            }
        }
        if (pending.interrupt(target)) { // it was detached between the two looks
            return;
        }
        for (Channel channel : channels) { // only the one that delivered the request knows it
            if (reply(channel, interruptUnique, -Errno.EAGAIN)) {
                return;
            }
        }
    }

    /** Sends an answer without payload to a request that has no view. */
    boolean reply(Channel channel, long unique, int error) {
        ReplyBuffer buffer = replyBuffers.borrow(0);
        long result = channel.writeFromAnyThread(buffer.header(unique, error, 0), Layout.OUT_HEADER_BYTES);
        replyBuffers.giveBack(buffer);
        return result >= 0;
    }

    // ---- what went wrong ----

    void malformed(String what) {
        malformed.increment();
        if (malformed.sum() <= LOGGED_MALFORMED) {
            LOG.warn("event=fuse-malformed-request what=\"{}\"", what);
        }
    }

    void replyFailed(Request<?> request, int errno) {
        switch (errno) {
            case Errno.ENOENT, Errno.ENODEV, Errno.ECONNABORTED, Errno.ENOTCONN, Errno.EPIPE ->
                LOG.debug("event=fuse-reply-unwanted request=\"{}\" error={}", request, Errno.name(errno));
            default -> LOG.warn("event=fuse-reply-refused request=\"{}\" error=\"{}\"", request, Errno.describe(errno));
        }
    }

    // ---- parts ----

    Agreement agreement() {
        return agreement;
    }

    PendingRequests pending() {
        return pending;
    }

    ReplyBuffers replyBuffers() {
        return replyBuffers;
    }

    RequestMemory requestMemory() {
        return requestMemory;
    }

    Notifier notifier() {
        return notifier;
    }

    FuseStatistics statistics() {
        long[] requests = new long[Opcode.COUNT];
        for (Worker worker : workers) {
            for (int i = 0; i < requests.length; i++) {
                requests[i] += worker.served(i);
            }
        }
        return FuseStatistics.of(
                requests, malformed.sum(), interrupts.sum(), pending.size(), notifier.sent(), notifier.queued());
    }
}
