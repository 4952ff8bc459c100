package spigot.transport.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.LinkBrokenException;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/** One request in flight, seen from both ends: the caller awaits it, the handler answers it. All fields are guarded by the lock. */
final class MemoryCall implements Responder {
    static final int PARTS = 16;

    private final Envelope request;
    private final @Nullable ByteBuffer destination;
    private final @Nullable Runnable progress;
    private final Supplier<LinkBrokenException> broken;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Envelope> parts = new ArrayDeque<>();
    private @Nullable Envelope reply;
    private @Nullable IOException failure;
    private boolean abandoned;

    MemoryCall(
            Envelope request,
            @Nullable ByteBuffer destination,
            @Nullable Runnable progress,
            Supplier<LinkBrokenException> broken) {
        this.request = request;
        this.destination = destination;
        this.progress = progress;
        this.broken = broken;
    }

    Envelope request() {
        return request;
    }

    Envelope await(String peer, Duration timeout, Consumer<Envelope> part) throws IOException, InterruptedException {
        long nanos = timeout.toNanos();
        while (true) {
            Envelope next;
            lock.lock();
            try {
                while (parts.isEmpty()) {
                    if (failure != null) {
                        throw failure;
                    }
                    if (reply != null) {
                        return reply;
                    }
                    if (nanos <= 0) {
                        throw new CallTimeoutException("no reply to " + request.getBodyCase() + " from " + peer + " in "
                                + timeout.toMillis() + " ms");
                    }
                    nanos = changed.awaitNanos(nanos);
                }
                next = parts.remove();
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            part.accept(next);
            nanos = timeout.toNanos();
        }
    }

    /** The caller has gone: late answers go nowhere, and the destination is not written any more. */
    void abandon() {
        lock.lock();
        try {
            abandoned = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void linkBroken() {
        finish(null, broken.get());
    }

    @Override
    public void part(Envelope part) throws IOException {
        lock.lock();
        try {
            while (parts.size() >= PARTS && !abandoned && failure == null) {
                changed.awaitUninterruptibly();
            }
            if (failure instanceof LinkBrokenException) {
                throw broken.get();
            }
            requireUnanswered();
            if (!abandoned) {
                parts.add(part);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void reply(Envelope reply) throws IOException {
        reply(reply, ByteBuffer.allocate(0));
    }

    @Override
    public void reply(Envelope reply, ByteBuffer payload) throws IOException {
        lock.lock();
        try {
            if (failure instanceof LinkBrokenException) {
                throw broken.get();
            }
            requireUnanswered();
            if (abandoned) {
                return;
            }
            if (payload.hasRemaining()) {
                if (destination == null || destination.remaining() < payload.remaining()) {
                    finish(
                            null,
                            new IOException("protocol error: " + payload.remaining() + " payload bytes in "
                                    + reply.getBodyCase() + ", room for "
                                    + (destination == null ? 0 : destination.remaining())));
                    return;
                }
                destination.put(payload.duplicate());
                if (progress != null) {
                    progress.run();
                }
            }
            finish(reply, null);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void fail(Failure failure) throws IOException {
        finish(null, new FailureException(failure));
    }

    private void finish(@Nullable Envelope answer, @Nullable IOException problem) {
        lock.lock();
        try {
            if (reply == null && failure == null) {
                reply = answer;
                failure = problem;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private void requireUnanswered() {
        if (reply != null || failure != null) {
            throw new IllegalStateException(request.getBodyCase() + " was answered already");
        }
    }
}
