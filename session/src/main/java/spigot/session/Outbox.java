package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.transport.Link;
import spigot.transport.wire.Envelope;

/**
 * Sends one-way messages without ever blocking who posts them: while a link has messages, a virtual thread sends them in
 * order. A slow peer delays only its own. Safe for any thread.
 *
 * <p>Bound: {@value #QUEUED} messages a link. Beyond it, and when the link breaks, they are lost: all messages that go this
 * way may be, because a Revoke is repeated, and what it misses is made up for by the next one or the end of the session.
 */
final class Outbox {
    static final int QUEUED = 16_384;

    private static final Logger log = LoggerFactory.getLogger(Outbox.class);

    private final ReentrantLock lock = new ReentrantLock();

    /** Links with a sending thread. */
    @GuardedBy("lock")
    private final Map<Link, ArrayDeque<Envelope>> queues = new HashMap<>();

    void post(Link link, Envelope message) {
        lock.lock();
        try {
            ArrayDeque<Envelope> queue = queues.get(link);
            if (queue == null) {
                queue = new ArrayDeque<>();
                queues.put(link, queue);
                Thread.ofVirtual().name("outbox-" + link.peer().name()).start(() -> send(link));
            }
            if (queue.size() < QUEUED) {
                queue.add(message);
            }
        } finally {
            lock.unlock();
        }
    }

    private void send(Link link) {
        for (Envelope message = next(link); message != null; message = next(link)) {
            try {
                link.send(message);
            } catch (IOException e) {
                log.debug(
                        "event=message_lost peer={} message={} cause=\"{}\"",
                        link.peer().name(),
                        message.getBodyCase(),
                        e.getMessage());
            }
        }
    }

    private @Nullable Envelope next(Link link) {
        lock.lock();
        try {
            ArrayDeque<Envelope> queue = queues.get(link);
            if (queue == null || queue.isEmpty() || !link.isOpen()) {
                queues.remove(link);
                return null;
            }
            return queue.poll();
        } finally {
            lock.unlock();
        }
    }
}
