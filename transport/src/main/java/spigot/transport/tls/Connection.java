package spigot.transport.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.LinkBrokenException;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * One connection of a link, control or bulk. A virtual thread reads, another writes what is in the {@link SendQueue}; each
 * request of the peer runs on a virtual thread of its own. Safe for any thread.
 *
 * <p>It breaks once and for all: by {@link #close}, by the end or a rule of the stream, or by silence. Then the socket is
 * closed, all calls fail, and its {@link Owner} is told.
 */
final class Connection {
    private static final Logger log = LoggerFactory.getLogger(Connection.class);

    /** What the connection belongs to: a link. */
    interface Owner {
        /** On a virtual thread of its own. */
        void request(Envelope request, InboundCall responder) throws Exception;

        /** In order, on the reading thread. */
        void message(Envelope message);

        /** Whether the peer may only ask to join. */
        boolean servesJoiner();

        /** Once, after all calls have failed. Must not block. */
        void broken(Connection connection, LinkBrokenException cause);
    }

    private final Wire wire;
    private final String name;
    private final TransportLimits limits;
    private final TransportCounters counters;
    private final boolean control;
    private final Owner owner;

    private final PendingCalls calls = new PendingCalls();
    private final Map<Integer, InboundCall> served = new ConcurrentHashMap<>();
    private final Semaphore places;
    private final SendQueue queue;
    private final Keepalive keepalive;
    private final AtomicBoolean broken = new AtomicBoolean();
    private volatile @Nullable Future<?> ticks;

    /** @param name for logs and messages, e.g. "control connection to alpha (10.0.0.1:7440)" */
    Connection(
            Wire wire, String name, boolean control, TransportLimits limits, TransportCounters counters, Owner owner) {
        this.wire = wire;
        this.name = name;
        this.limits = limits;
        this.counters = counters;
        this.control = control;
        this.owner = owner;
        this.places = new Semaphore(limits.queues().requestsInFlight());
        this.queue = new SendQueue(limits.queues());
        this.keepalive = new Keepalive(limits.times(), System.nanoTime());
    }

    /** Begins to read and write; once. */
    void start() {
        Thread.ofVirtual().name("write " + name).start(this::write);
        Thread.ofVirtual().name("read " + name).start(this::read);
        Duration period = limits.times().pingAfter().dividedBy(2);
        ticks = Alarm.every(period, this::tick);
        if (broken.get()) {
            stopTicks();
        }
    }

    boolean isOpen() {
        return !broken.get();
    }

    String name() {
        return name;
    }

    TransportLimits.Frames frameBounds() {
        return limits.frames();
    }

    // ---- requests of this side

    Envelope call(Envelope request, Duration timeout) throws IOException, InterruptedException {
        return exchange(request, PendingCall.single(), timeout, part -> {});
    }

    Envelope fetch(Envelope request, ByteBuffer destination, Duration timeout, @Nullable Runnable progress)
            throws IOException, InterruptedException {
        return exchange(request, PendingCall.fetch(destination, progress), timeout, part -> {});
    }

    Envelope stream(Envelope request, Duration timeout, Consumer<Envelope> part)
            throws IOException, InterruptedException {
        return exchange(request, PendingCall.streamed(), timeout, part);
    }

    private Envelope exchange(Envelope request, PendingCall call, Duration timeout, Consumer<Envelope> part)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Patience.nanos(timeout);
        int id = calls.add(call);
        keepalive.expect(System.nanoTime());
        boolean sent = false;
        try {
            OutgoingFrame frame = OutgoingFrame.of(FrameKind.REQUEST, id, request, limits.frames());
            sent = queue.put(frame, Patience.nanos(timeout));
            while (sent) {
                PendingCall.Answer answer = call.await(deadline - System.nanoTime());
                if (answer == null) {
                    break;
                }
                if (answer.last()) {
                    return answer.envelope();
                }
                part.accept(answer.envelope());
                deadline = System.nanoTime() + Patience.nanos(timeout);
            }
            throw new CallTimeoutException(
                    name + " did not answer " + request.getBodyCase() + " within " + timeout.toMillis() + " ms");
        } finally {
            call.abandon();
            if (calls.remove(id) && sent) {
                queue.putNow(OutgoingFrame.bare(FrameKind.CANCEL, id));
            }
        }
    }

    /** Queues a message without an answer. */
    void send(Envelope message) throws IOException {
        queue.putUninterruptibly(OutgoingFrame.of(FrameKind.ONE_WAY, 0, message, limits.frames()));
    }

    void enqueue(OutgoingFrame frame) throws IOException {
        queue.putUninterruptibly(frame);
    }

    void answered(int callId) {
        if (served.remove(callId) != null) {
            places.release();
        }
    }

    // ---- writing

    private void write() {
        FrameWriter writer = new FrameWriter(new StallMeter(wire.out(), keepalive));
        List<OutgoingFrame> batch = new ArrayList<>();
        try {
            while (queue.take(batch, true)) {
                do {
                    writeAll(writer, batch);
                    queue.take(batch, false);
                } while (!batch.isEmpty());
                writer.flush();
            }
        } catch (IOException | RuntimeException e) {
            breakBecause(new LinkBrokenException(name + " broke while sending: " + Causes.text(e), e));
        } finally {
            batch.forEach(OutgoingFrame::release);
        }
    }

    private void writeAll(FrameWriter writer, List<OutgoingFrame> batch) throws IOException {
        for (OutgoingFrame frame : batch) {
            if (!frame.isWithdrawn()) {
                writer.write(frame);
                counters.payloadSent(frame.payloadBytes());
            }
            frame.release();
        }
        batch.clear();
    }

    // ---- reading

    private void read() {
        FrameReader reader = wire.reader();
        try {
            while (reader.next()) {
                keepalive.received(System.nanoTime());
                take(reader);
            }
            breakBecause(new LinkBrokenException(name + " was closed by the peer"));
        } catch (MalformedFrameException e) {
            if (breakBecause(new LinkBrokenException(name + " was closed: the peer sent " + e.getMessage(), e))) {
                log.warn("event=malformed_frame connection=\"{}\" cause=\"{}\"", name, e.getMessage());
            }
        } catch (IOException e) {
            breakBecause(new LinkBrokenException(name + " broke: " + Causes.text(e), e));
        } catch (InterruptedException e) {
            breakBecause(new LinkBrokenException(name + " was stopped", e));
        } catch (RuntimeException | Error e) {
            if (breakBecause(new LinkBrokenException(name + " broke by an internal error: " + e, e))) {
                log.error("event=reader_failed connection=\"{}\"", name, e);
            }
        }
    }

    private void take(FrameReader reader) throws IOException, InterruptedException {
        FrameKind kind = reader.kind();
        if (owner.servesJoiner()
                && kind != FrameKind.REQUEST
                && kind != FrameKind.PING
                && kind != FrameKind.PONG
                && kind != FrameKind.CANCEL) {
            throw new MalformedFrameException("a " + kind + " before it has joined");
        }
        switch (kind) {
            case REQUEST -> request(reader.callId(), reader.header());
            case REPLY -> reply(reader);
            case PART -> part(reader.callId(), reader.header());
            case FAILURE -> failure(reader.callId(), reader.header());
            case ONE_WAY -> message(reader.header());
            case CANCEL -> cancel(reader.callId());
            case PING -> queue.putNow(OutgoingFrame.bare(FrameKind.PONG, reader.callId()));
            case PONG -> {}
            case HELLO -> throw new MalformedFrameException("a second HELLO");
        }
    }

    private void request(int id, Envelope request) throws IOException, InterruptedException {
        if (owner.servesJoiner() && !request.hasJoinRequest()) {
            throw new MalformedFrameException("a " + request.getBodyCase() + " before it has joined");
        }
        InboundCall call = new InboundCall(this, id);
        takePlace();
        if (served.putIfAbsent(id, call) != null) {
            places.release();
            throw new MalformedFrameException("a second request with call id " + Integer.toUnsignedString(id));
        }
        if (broken.get()) {
            throw new LinkBrokenException(name + " is closed");
        }
        Thread.ofVirtual().name("serve " + name).start(() -> serve(request, call));
    }

    private void takePlace() throws InterruptedException {
        if (!places.tryAcquire()) {
            keepalive.pauseReading();
            places.acquire();
            keepalive.resumeReading(System.nanoTime());
        }
    }

    private void serve(Envelope request, InboundCall call) {
        try {
            if (request.getBodyCase() == Envelope.BodyCase.BODY_NOT_SET) {
                throw new FailureException(Failure.Code.BAD_REQUEST, "a request that this version does not know");
            }
            owner.request(request, call);
        } catch (Throwable e) {
            if (!(e instanceof IOException || e instanceof InterruptedException)) {
                log.error("event=request_failed request={} connection=\"{}\"", request.getBodyCase(), name, e);
            }
            if (call.isAnswered()) {
                return;
            }
            try {
                call.fail(Failures.of(e));
            } catch (IOException brokenMeanwhile) {
                log.debug("event=failure_not_sent connection=\"{}\" cause=\"{}\"", name, brokenMeanwhile.getMessage());
            }
        }
    }

    private void reply(FrameReader reader) throws IOException {
        int id = reader.callId();
        Envelope envelope = reader.header();
        PendingCall call = calls.find(id);
        int payload = reader.payloadLength();
        if (call == null) {
            reader.payload((source, offset, length) -> keepalive.received(System.nanoTime()));
            return;
        }
        if (!call.takesPayload(payload)) {
            throw new MalformedFrameException("a payload of " + payload + " bytes where none or less was asked for");
        }
        reader.payload((source, offset, length) -> {
            keepalive.received(System.nanoTime());
            counters.payloadReceived(length);
            call.piece(source, offset, length);
        });
        calls.remove(id);
        call.complete(envelope);
    }

    private void part(int id, Envelope envelope) throws IOException {
        PendingCall call = calls.find(id);
        if (call == null) {
            return;
        }
        if (!call.isStreamed()) {
            throw new MalformedFrameException("an answer in parts to a request that wants one answer");
        }
        keepalive.pauseReading();
        call.part(envelope);
        keepalive.resumeReading(System.nanoTime());
    }

    private void failure(int id, Envelope envelope) throws IOException {
        if (!envelope.hasFailure()) {
            throw new MalformedFrameException("a FAILURE that says nothing");
        }
        PendingCall call = calls.find(id);
        if (call != null) {
            calls.remove(id);
            call.fail(new FailureException(envelope.getFailure()));
        }
    }

    private void message(Envelope message) {
        if (message.getBodyCase() == Envelope.BodyCase.BODY_NOT_SET) {
            // Of a later version of the protocol: what is not understood can't have been vital.
            log.debug("event=message_unknown connection=\"{}\"", name);
            return;
        }
        try {
            owner.message(message);
        } catch (RuntimeException e) {
            log.error("event=message_failed message={} connection=\"{}\"", message.getBodyCase(), name, e);
        }
    }

    private void cancel(int id) {
        InboundCall call = served.get(id);
        if (call != null) {
            call.cancel();
        }
    }

    // ---- keepalive and end

    private void tick() {
        switch (keepalive.judge(System.nanoTime(), control, calls.isBusy())) {
            case FINE -> {}
            case PING -> queue.putNow(OutgoingFrame.bare(FrameKind.PING, 0));
            case PONG -> queue.putNow(OutgoingFrame.bare(FrameKind.PONG, 0));
            case SILENT ->
                breakElsewhere(
                        "nothing was received for " + limits.times().deadAfter().toMillis() + " ms");
            case STALLED ->
                breakElsewhere("nothing could be sent for "
                        + limits.times().stalledAfter().toMillis() + " ms");
        }
    }

    private void breakElsewhere(String why) {
        LinkBrokenException cause = new LinkBrokenException(name + " is dead: " + why);
        stopTicks();
        Thread.ofVirtual().name("break " + name).start(() -> breakBecause(cause));
    }

    private void stopTicks() {
        Future<?> scheduled = ticks;
        if (scheduled != null) {
            scheduled.cancel(false);
        }
    }

    void close() {
        breakBecause(new LinkBrokenException(name + " was closed on this side"));
    }

    /** False when it was broken before. */
    boolean breakBecause(LinkBrokenException cause) {
        if (!broken.compareAndSet(false, true)) {
            return false;
        }
        stopTicks();
        try {
            wire.socket().close();
        } catch (IOException e) {
            log.debug("event=close_failed connection=\"{}\" cause=\"{}\"", name, e.toString());
        }
        queue.close(cause);
        calls.close(cause);
        for (InboundCall call : served.values()) {
            call.cancel();
        }
        // A reader that waits for a place must see the end.
        places.release(limits.queues().requestsInFlight());
        owner.broken(this, cause);
        return true;
    }
}
