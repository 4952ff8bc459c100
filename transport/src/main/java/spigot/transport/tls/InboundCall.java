package spigot.transport.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.transport.CallCancelledException;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * A peer's request that is being served. Holds one of the connection's places for requests in flight until it is answered,
 * whichever thread does that.
 */
final class InboundCall implements Responder {
    private final Connection connection;
    private final int callId;
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by the lock.
    private boolean answered;
    private boolean cancelled;
    private @Nullable OutgoingFrame answer;

    InboundCall(Connection connection, int callId) {
        this.connection = connection;
        this.callId = callId;
    }

    @Override
    public void part(Envelope part) throws IOException {
        lock.lock();
        try {
            if (answered) {
                throw new IllegalStateException("a part after the answer");
            }
            if (cancelled) {
                throw new CallCancelledException("the peer does not wait for this answer any more");
            }
        } finally {
            lock.unlock();
        }
        connection.enqueue(OutgoingFrame.of(FrameKind.PART, callId, part, connection.frameBounds()));
    }

    @Override
    public void reply(Envelope reply) throws IOException {
        last(OutgoingFrame.of(FrameKind.REPLY, callId, reply, connection.frameBounds()));
    }

    @Override
    public void reply(Envelope reply, ByteBuffer payload) throws IOException {
        OutgoingFrame frame = OutgoingFrame.reply(callId, reply, payload, connection.frameBounds());
        try {
            if (answer(frame)) {
                frame.awaitRelease();
            }
        } finally {
            connection.answered(callId);
        }
    }

    @Override
    public void fail(Failure failure) throws IOException {
        Envelope envelope =
                Envelope.newBuilder().setFailure(Failures.bounded(failure)).build();
        last(OutgoingFrame.of(FrameKind.FAILURE, callId, envelope, connection.frameBounds()));
    }

    private void last(OutgoingFrame frame) throws IOException {
        try {
            answer(frame);
        } finally {
            connection.answered(callId);
        }
    }

    /** False when the answer is not wanted any more. */
    private boolean answer(OutgoingFrame frame) throws IOException {
        lock.lock();
        try {
            if (answered) {
                throw new IllegalStateException("a second answer to a request");
            }
            answered = true;
            if (cancelled) {
                return false;
            }
            answer = frame;
        } finally {
            lock.unlock();
        }
        connection.enqueue(frame);
        return true;
    }

    Connection connection() {
        return connection;
    }

    boolean isAnswered() {
        lock.lock();
        try {
            return answered;
        } finally {
            lock.unlock();
        }
    }

    /** The peer has given up: what was not sent yet need not be. */
    void cancel() {
        lock.lock();
        try {
            cancelled = true;
            if (answer != null) {
                answer.withdraw();
            }
        } finally {
            lock.unlock();
        }
    }
}
