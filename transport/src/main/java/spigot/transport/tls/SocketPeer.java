package spigot.transport.tls;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import spigot.model.NodeId;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;

/**
 * A server at a fixed address. At most one attempt to connect runs at a time, on a virtual thread of its own; all who want the
 * link wait for it, each as long as its patience. Safe for any thread.
 */
final class SocketPeer implements Peer {
    /** A link that broke sooner counts as a failed attempt, so that a server that fails at once is not hammered. */
    private static final long STABLE_NANOS = 1_000_000_000L;

    private final Dialer dialer;
    private final LinkHandler handler;
    private final SocketLink.Terms terms;
    private final RandomGenerator random;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock.
    private @Nullable SocketLink link;
    private long linkedNanos;
    private boolean connecting;
    private boolean closed;
    private int failures;
    private long notBeforeNanos = System.nanoTime();
    private @Nullable LinkBrokenException lastFailure;

    /** @param random used under the lock alone */
    SocketPeer(Dialer dialer, LinkHandler handler, SocketLink.Terms terms, RandomGenerator random) {
        this.dialer = dialer;
        this.handler = handler;
        this.terms = terms;
        this.random = random;
    }

    @Override
    public String address() {
        return dialer.address().toString();
    }

    @Override
    public Link link(Duration patience) throws LinkBrokenException, InterruptedException {
        boolean once = patience.isZero() || patience.isNegative();
        long deadline = System.nanoTime() + Patience.nanos(patience);
        boolean attempted = false;
        lock.lockInterruptibly();
        try {
            while (true) {
                SocketLink current = link;
                if (current != null && current.isOpen()) {
                    return current;
                }
                if (closed) {
                    throw new LinkBrokenException("the peer " + address() + " is closed on this side");
                }
                long now = System.nanoTime();
                boolean waiting = !connecting && now - notBeforeNanos < 0;
                boolean givesUp = once ? waiting || (attempted && !connecting) : now - deadline >= 0;
                if (givesUp) {
                    throw noLink(patience);
                }
                if (!connecting && !waiting) {
                    connecting = true;
                    Thread.ofVirtual().name("connect " + address()).start(this::connect);
                }
                attempted = true;
                long until = connecting ? deadline : earlier(deadline, notBeforeNanos);
                long left = once ? Long.MAX_VALUE : until - now;
                // What is left of it then, the loop finds out.
                long _ = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private static long earlier(long a, long b) {
        return a - b < 0 ? a : b;
    }

    private LinkBrokenException noLink(Duration patience) {
        LinkBrokenException last = lastFailure;
        if (last != null) {
            return last.again();
        }
        return new LinkBrokenException("can't connect to " + address() + " within " + patience.toMillis() + " ms");
    }

    private void connect() {
        try {
            NodeId linkId = newLinkId();
            Dialer.Dialed dialed = dialer.open(new Preface(true, 0, linkId));
            SocketLink made = new SocketLink(
                    dialed.wire(),
                    dialed.peer(),
                    handler,
                    terms,
                    (index, of) -> openBulk(index, linkId, of.peer()),
                    this::closed);
            made.start();
            publish(made);
        } catch (LinkBrokenException e) {
            failed(e);
        } catch (RuntimeException e) {
            failed(new LinkBrokenException("can't connect to " + address() + ": internal error: " + e, e));
        } finally {
            lock.lock();
            try {
                connecting = false;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void publish(SocketLink made) {
        boolean wanted;
        lock.lock();
        try {
            wanted = !closed;
            if (wanted) {
                link = made;
                linkedNanos = System.nanoTime();
            }
        } finally {
            lock.unlock();
        }
        if (!wanted) {
            made.close();
        }
    }

    private NodeId newLinkId() {
        lock.lock();
        try {
            return NodeId.random(random);
        } finally {
            lock.unlock();
        }
    }

    private Wire openBulk(int index, NodeId linkId, PeerIdentity expected) throws LinkBrokenException {
        Dialer.Dialed dialed = dialer.open(new Preface(false, index, linkId));
        if (!dialed.peer().id().equals(expected.id())) {
            Deadline.closeQuietly(dialed.wire().socket());
            throw new LinkBrokenException(
                    "at " + address() + " now answers " + dialed.peer().name() + ", not " + expected.name());
        }
        return dialed.wire();
    }

    private void failed(LinkBrokenException cause) {
        lock.lock();
        try {
            lastFailure = cause;
            failures++;
            notBeforeNanos = System.nanoTime() + Backoff.pauseNanos(failures, random);
        } finally {
            lock.unlock();
        }
    }

    private void closed(SocketLink broken) {
        lock.lock();
        try {
            if (link != broken) {
                return;
            }
            link = null;
            if (System.nanoTime() - linkedNanos >= STABLE_NANOS) {
                failures = 0;
            } else {
                failures++;
                notBeforeNanos = System.nanoTime() + Backoff.pauseNanos(failures, random);
                lastFailure = new LinkBrokenException("the link to " + address() + " broke as soon as it was made");
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        SocketLink open;
        lock.lock();
        try {
            closed = true;
            open = link;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (open != null) {
            open.close();
        }
    }
}
