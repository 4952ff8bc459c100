package spigot.transport.tls;

import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import spigot.transport.TransportLimits;
import spigot.transport.wire.Envelope;

/**
 * A frame that waits to be written. Whoever gave a payload waits in {@link #awaitRelease}: until then the connection's writer
 * may read from it. Safe for any thread.
 */
final class OutgoingFrame {
    private final FrameKind kind;
    private final int callId;
    private final @Nullable Envelope header;
    private final int headerBytes;
    private final @Nullable ByteBuffer payload;
    private final @Nullable CountDownLatch released;
    private volatile boolean withdrawn;

    private OutgoingFrame(FrameKind kind, int callId, @Nullable Envelope header, @Nullable ByteBuffer payload) {
        this.kind = kind;
        this.callId = callId;
        this.header = header;
        this.headerBytes = header == null ? 0 : header.getSerializedSize();
        this.payload = payload;
        this.released = payload == null ? null : new CountDownLatch(1);
    }

    static OutgoingFrame bare(FrameKind kind, int callId) {
        return new OutgoingFrame(kind, callId, null, null);
    }

    /** @throws IllegalArgumentException when the message is larger than any peer would take */
    static OutgoingFrame of(FrameKind kind, int callId, Envelope header, TransportLimits.Frames bounds) {
        return checked(new OutgoingFrame(kind, callId, header, null), bounds);
    }

    /** @throws IllegalArgumentException when message or payload are larger than any peer would take */
    static OutgoingFrame reply(int callId, Envelope header, ByteBuffer payload, TransportLimits.Frames bounds) {
        return checked(new OutgoingFrame(FrameKind.REPLY, callId, header, payload.duplicate()), bounds);
    }

    private static OutgoingFrame checked(OutgoingFrame frame, TransportLimits.Frames bounds) {
        if (frame.headerBytes > bounds.headerBytes() || frame.headerBytes == 0) {
            throw new IllegalArgumentException(
                    "a message has 1 to " + bounds.headerBytes() + " bytes, not " + frame.headerBytes);
        }
        if (frame.payloadBytes() > bounds.payloadBytes()) {
            throw new IllegalArgumentException(
                    "a payload has at most " + bounds.payloadBytes() + " bytes, not " + frame.payloadBytes());
        }
        return frame;
    }

    FrameKind kind() {
        return kind;
    }

    int callId() {
        return callId;
    }

    @Nullable
    Envelope header() {
        return header;
    }

    int headerBytes() {
        return headerBytes;
    }

    @Nullable
    ByteBuffer payload() {
        return payload;
    }

    int payloadBytes() {
        return payload == null ? 0 : payload.remaining();
    }

    /** What it counts for in the queue. */
    int queuedBytes() {
        return FrameLayout.HEAD_BYTES + headerBytes;
    }

    /** Nobody wants it any more: it is not written if that has not begun. */
    void withdraw() {
        withdrawn = true;
    }

    boolean isWithdrawn() {
        return withdrawn;
    }

    /** Written, or never to be written: the payload is its owner's again. */
    void release() {
        if (released != null) {
            released.countDown();
        }
    }

    /** Not interruptible, as the payload can't be given back earlier; a stalled connection is broken within a bound. */
    void awaitRelease() {
        if (released == null) {
            return;
        }
        boolean interrupted = false;
        while (true) {
            try {
                released.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
