package spigot.transport.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * One end of a link between two handlers in one process, with the threads of a real one: messages come in order on a reading
 * thread of each end, every request runs on a virtual thread of its own, replies in parts push back on who answers. Replies
 * may overtake messages, as they do between the connections of a real link. Safe for any thread.
 *
 * <p>Bounds: {@value #QUEUED} messages and requests wait at an end, then the sender waits; {@value MemoryCall#PARTS} parts
 * wait for a caller.
 */
public final class MemoryLink implements Link {
    static final int QUEUED = 1_024;

    /** The two ends: {@code left} is the one that the left process holds, so its peer is the right one. */
    public record Pair(MemoryLink left, MemoryLink right) {}

    private sealed interface Incoming {
        record Message(Envelope message) implements Incoming {}

        record Request(MemoryCall call) implements Incoming {}

        record End() implements Incoming {}
    }

    private final PeerIdentity peer;
    private final LinkHandler handler;
    private final AtomicBoolean open;
    private final BlockingQueue<Incoming> incoming = new LinkedBlockingQueue<>(QUEUED);
    private final AtomicLong nextCall = new AtomicLong();
    private final Map<Long, MemoryCall> calls = new ConcurrentHashMap<>();
    private @Nullable MemoryLink other;

    private MemoryLink(PeerIdentity peer, LinkHandler handler, AtomicBoolean open) {
        this.peer = peer;
        this.handler = handler;
        this.open = open;
    }

    /** Connects two processes; both have been told {@link LinkHandler#opened} when this returns. */
    public static Pair pair(PeerIdentity left, LinkHandler leftHandler, PeerIdentity right, LinkHandler rightHandler) {
        AtomicBoolean open = new AtomicBoolean(true);
        MemoryLink leftEnd = new MemoryLink(right, leftHandler, open);
        MemoryLink rightEnd = new MemoryLink(left, rightHandler, open);
        leftEnd.other = rightEnd;
        rightEnd.other = leftEnd;
        leftHandler.opened(leftEnd);
        rightHandler.opened(rightEnd);
        leftEnd.startReading();
        rightEnd.startReading();
        return new Pair(leftEnd, rightEnd);
    }

    @Override
    public PeerIdentity peer() {
        return peer;
    }

    @Override
    public boolean isOpen() {
        return open.get();
    }

    @Override
    public Envelope call(Envelope request, Duration timeout) throws IOException, InterruptedException {
        return exchange(request, new MemoryCall(request, null, null, this::broken), timeout, part -> {
            throw new IllegalStateException("a reply in parts to a call: " + part.getBodyCase());
        });
    }

    @Override
    public Envelope fetch(Envelope request, ByteBuffer destination, Duration timeout, @Nullable Runnable progress)
            throws IOException, InterruptedException {
        return exchange(request, new MemoryCall(request, destination, progress, this::broken), timeout, part -> {
            throw new IllegalStateException("a reply in parts to a fetch: " + part.getBodyCase());
        });
    }

    @Override
    public Envelope stream(Envelope request, Duration timeout, Consumer<Envelope> part)
            throws IOException, InterruptedException {
        return exchange(request, new MemoryCall(request, null, null, this::broken), timeout, part);
    }

    @Override
    public void send(Envelope message) throws IOException {
        try {
            deliver(new Incoming.Message(message));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a message to " + peer.name() + " waited for its queue", e);
        }
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            end();
            other().end();
        }
    }

    @Override
    public String toString() {
        return "memory link to " + peer.name();
    }

    private Envelope exchange(Envelope request, MemoryCall call, Duration timeout, Consumer<Envelope> part)
            throws IOException, InterruptedException {
        long number = nextCall.incrementAndGet();
        calls.put(number, call);
        try {
            deliver(new Incoming.Request(call));
            if (!isOpen()) {
                throw broken();
            }
            return call.await(peer.name(), timeout, part);
        } finally {
            calls.remove(number);
            call.abandon();
        }
    }

    private void deliver(Incoming frame) throws IOException, InterruptedException {
        do {
            if (!isOpen()) {
                throw broken();
            }
        } while (!other().incoming.offer(frame, 20, TimeUnit.MILLISECONDS));
    }

    private void startReading() {
        Thread.ofVirtual().name("memory-link-" + peer.name()).start(this::read);
    }

    private void read() {
        try {
            for (Incoming frame = incoming.take(); ; frame = incoming.take()) {
                switch (frame) {
                    case Incoming.Message(Envelope message) -> handler.message(this, message);
                    case Incoming.Request(MemoryCall call) -> Thread.ofVirtual().start(() -> answer(call));
                    case Incoming.End() -> {
                        handler.closed(this);
                        return;
                    }
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the reading thread of a link", e);
        }
    }

    private void answer(MemoryCall call) {
        try {
            try {
                handler.request(this, call.request(), call);
            } catch (FailureException e) {
                call.fail(e.failure());
            } catch (Exception e) {
                call.fail(Failure.newBuilder()
                        .setCode(Failure.Code.UNKNOWN)
                        .setMessage(call.request().getBodyCase() + " failed: " + e)
                        .build());
            }
        } catch (IOException _) {
            // The caller is gone: nobody is left to be told.
        }
    }

    private void end() {
        incoming.clear();
        boolean accepted = incoming.offer(new Incoming.End());
        while (!accepted) {
            incoming.clear();
            accepted = incoming.offer(new Incoming.End());
        }
        calls.values().forEach(MemoryCall::linkBroken);
    }

    private LinkBrokenException broken() {
        return new LinkBrokenException("the link to " + peer.name() + " is closed");
    }

    private MemoryLink other() {
        MemoryLink end = other;
        if (end == null) {
            throw new IllegalStateException("a link has two ends");
        }
        return end;
    }
}
