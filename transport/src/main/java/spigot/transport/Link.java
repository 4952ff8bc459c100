package spigot.transport;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.transport.wire.Envelope;

/**
 * One authenticated relation with a peer process: a control connection and several bulk connections under it. Safe for any
 * thread; the calls block and are meant for virtual threads. A link that broke stays broken: {@link #isOpen} turns false,
 * all calls in flight fail with {@link LinkBrokenException}, and whoever owns it makes another (see {@link Peer}).
 */
public interface Link extends Closeable {
    PeerIdentity peer();

    boolean isOpen();

    /**
     * Sends a request on the control connection and waits for its only reply.
     *
     * @throws FailureException when the peer answered with a Failure
     * @throws LinkBrokenException when the link broke before the reply came: whether it was carried out is not known
     * @throws CallTimeoutException when no reply came in time; a late reply is dropped
     */
    Envelope call(Envelope request, Duration timeout) throws IOException, InterruptedException;

    /**
     * As {@link #call}, on a bulk connection, for a reply with a payload.
     *
     * @param destination receives the payload at its position, which moves behind it; a payload larger than its remaining
     *     space is a protocol error. Not written any more once this method has returned or thrown.
     * @param progress told each time that bytes of the reply have come, so that a slow peer can be told from a dead one; called
     *     on the link's reading thread: must not block
     */
    Envelope fetch(Envelope request, ByteBuffer destination, Duration timeout, @Nullable Runnable progress)
            throws IOException, InterruptedException;

    /**
     * As {@link #call}, for a reply in parts; the timeout is for each part. Parts come in order.
     *
     * @param part called on the caller's thread with every part but the last, which is returned; while it is slow the link may
     *     stop reading, so it must not wait for anything that comes over the same link
     */
    Envelope stream(Envelope request, Duration timeout, Consumer<Envelope> part)
            throws IOException, InterruptedException;

    /** Queues a message that has no reply. Order is kept among one-way messages and requests of the control connection. */
    void send(Envelope message) throws IOException;

    /** Breaks the link from this side; idempotent, never blocks for long. */
    @Override
    void close();
}
