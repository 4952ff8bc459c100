package spigot.transport.tls;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.transport.LinkBrokenException;
import spigot.transport.TransportLimits;

/**
 * The frames of one connection that wait to be written, in order. Any thread puts, the connection's writer takes. Bounded by
 * frames and by encoded bytes; a put beyond the bound waits. Once closed nothing can be put, and what waited is released.
 */
final class SendQueue {
    private final TransportLimits.Queues bounds;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition hasFrames = lock.newCondition();
    private final Condition hasRoom = lock.newCondition();
    // Guarded by the lock.
    private final ArrayDeque<OutgoingFrame> frames = new ArrayDeque<>();
    private int bytes;
    private boolean pongQueued;
    private @Nullable LinkBrokenException closed;

    SendQueue(TransportLimits.Queues bounds) {
        this.bounds = bounds;
    }

    /**
     * @return false when there was no room in time
     * @throws IOException why it is closed
     */
    boolean put(OutgoingFrame frame, long timeoutNanos) throws IOException, InterruptedException {
        long left = timeoutNanos;
        lock.lockInterruptibly();
        try {
            while (closed == null && isFull(frame)) {
                if (left <= 0) {
                    return false;
                }
                left = hasRoom.awaitNanos(left);
            }
            add(frame);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #put}, for as long as it takes: the queue of a stalled connection is closed within a bound. */
    void putUninterruptibly(OutgoingFrame frame) throws IOException {
        lock.lock();
        try {
            while (closed == null && isFull(frame)) {
                hasRoom.awaitUninterruptibly();
            }
            add(frame);
        } finally {
            lock.unlock();
        }
    }

    /** Never waits and ignores the bounds: for the few frames without a header. More than one PONG is never queued. */
    void putNow(OutgoingFrame frame) {
        lock.lock();
        try {
            boolean pong = frame.kind() == FrameKind.PONG;
            if (closed == null && !(pong && pongQueued)) {
                pongQueued |= pong;
                enqueue(frame);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean isFull(OutgoingFrame frame) {
        return !frames.isEmpty() && (frames.size() >= bounds.frames() || bytes + frame.queuedBytes() > bounds.bytes());
    }

    private void add(OutgoingFrame frame) throws IOException {
        if (closed != null) {
            throw closed.again();
        }
        enqueue(frame);
    }

    private void enqueue(OutgoingFrame frame) {
        frames.add(frame);
        bytes += frame.queuedBytes();
        if (frames.size() == 1) {
            hasFrames.signal();
        }
    }

    /** Moves all that waits into the list; waits for a first frame, if {@code wait}. False when closed. */
    boolean take(List<OutgoingFrame> target, boolean wait) {
        lock.lock();
        try {
            while (wait && closed == null && frames.isEmpty()) {
                hasFrames.awaitUninterruptibly();
            }
            if (closed != null) {
                return false;
            }
            if (!frames.isEmpty()) {
                target.addAll(frames);
                frames.clear();
                bytes = 0;
                pongQueued = false;
                hasRoom.signalAll();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Idempotent; the first cause stays. */
    void close(LinkBrokenException cause) {
        List<OutgoingFrame> dropped;
        lock.lock();
        try {
            if (closed != null) {
                return;
            }
            closed = cause;
            dropped = new ArrayList<>(frames);
            frames.clear();
            hasFrames.signalAll();
            hasRoom.signalAll();
        } finally {
            lock.unlock();
        }
        dropped.forEach(OutgoingFrame::release);
    }
}
