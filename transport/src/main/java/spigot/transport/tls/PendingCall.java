package spigot.transport.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.transport.wire.Envelope;

/**
 * A request that waits for its answer. The caller's thread waits, the connection's reader delivers; the lock also guards the
 * destination of a payload, so that nothing is written into it once the caller has gone.
 */
final class PendingCall implements FrameReader.PayloadSink {
    /** Parts that wait for the caller; beyond it the connection is not read, until the caller takes one or gives up. */
    static final int MAX_PARTS = 64;

    private static final Logger log = LoggerFactory.getLogger(PendingCall.class);

    private final boolean streamed;
    private final @Nullable Runnable progress;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock.
    private final @Nullable ByteBuffer target;
    private final @Nullable ByteBuffer destination;
    private final ArrayDeque<Envelope> parts = new ArrayDeque<>(0);
    private @Nullable Envelope reply;
    private @Nullable IOException failure;
    private boolean abandoned;

    private PendingCall(boolean streamed, @Nullable ByteBuffer destination, @Nullable Runnable progress) {
        this.streamed = streamed;
        this.destination = destination;
        this.target = destination == null ? null : destination.duplicate();
        this.progress = progress;
    }

    static PendingCall single() {
        return new PendingCall(false, null, null);
    }

    static PendingCall streamed() {
        return new PendingCall(true, null, null);
    }

    static PendingCall fetch(ByteBuffer destination, @Nullable Runnable progress) {
        return new PendingCall(false, destination, progress);
    }

    boolean isStreamed() {
        return streamed;
    }

    /** Whether a payload of so many bytes has a place. */
    boolean takesPayload(int bytes) {
        lock.lock();
        try {
            return abandoned || bytes == 0 || (target != null && bytes <= target.remaining());
        } finally {
            lock.unlock();
        }
    }

    // ---- the reader's side

    /** Copies a piece of the payload, unless the caller has gone. */
    @Override
    public void piece(byte[] source, int offset, int length) {
        lock.lock();
        try {
            if (abandoned || failure != null || target == null) {
                return;
            }
            target.put(source, offset, length);
            if (progress != null) {
                progress.run();
            }
        } catch (RuntimeException e) {
            // The caller's buffer or callback, e.g. an arena that was closed: its call fails, the connection goes on.
            log.warn("event=payload_not_taken cause=\"{}\"", e.toString());
            failure = new IOException("the payload could not be stored: " + e, e);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void complete(Envelope envelope) {
        lock.lock();
        try {
            reply = envelope;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void fail(IOException cause) {
        lock.lock();
        try {
            if (reply == null && failure == null) {
                failure = cause;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits while the caller has {@link #MAX_PARTS} before it. */
    void part(Envelope part) {
        lock.lock();
        try {
            while (!abandoned && failure == null && parts.size() >= MAX_PARTS) {
                changed.awaitUninterruptibly();
            }
            if (!abandoned && failure == null) {
                parts.add(part);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- the caller's side

    /**
     * The next part of a stream, or the reply.
     *
     * @return null when nothing came in time
     * @throws IOException the failure of the call
     */
    @Nullable
    Answer await(long timeoutNanos) throws IOException, InterruptedException {
        long left = timeoutNanos;
        lock.lockInterruptibly();
        try {
            while (true) {
                Envelope part = parts.poll();
                if (part != null) {
                    changed.signalAll();
                    return new Answer(part, false);
                }
                if (failure != null) {
                    throw failure;
                }
                if (reply != null) {
                    if (destination != null && target != null) {
                        destination.position(target.position());
                    }
                    return new Answer(reply, true);
                }
                if (left <= 0) {
                    return null;
                }
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    record Answer(Envelope envelope, boolean last) {}

    /** After this nothing is written into the destination and no part is kept. */
    void abandon() {
        lock.lock();
        try {
            abandoned = true;
            parts.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
