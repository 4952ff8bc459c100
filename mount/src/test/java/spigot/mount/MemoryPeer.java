package spigot.mount;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.memory.MemoryLink;

/** A peer in this process, which can be cut off. */
final class MemoryPeer implements Peer {
    private final PeerIdentity self;
    private final LinkHandler handler;
    private final PeerIdentity server;
    private final LinkHandler serverHandler;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable MemoryLink link;
    private boolean cut;

    MemoryPeer(PeerIdentity self, LinkHandler handler, PeerIdentity server, LinkHandler serverHandler) {
        this.self = self;
        this.handler = handler;
        this.server = server;
        this.serverHandler = serverHandler;
    }

    @Override
    public String address() {
        return "memory:7440";
    }

    @Override
    public Link link(Duration patience) throws LinkBrokenException, InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = patience.toNanos();
            while (cut) {
                if (left <= 0) {
                    throw new LinkBrokenException("cut off by the test");
                }
                left = changed.awaitNanos(left);
            }
            MemoryLink current = link;
            if (current == null || !current.isOpen()) {
                current = MemoryLink.pair(self, handler, server, serverHandler).left();
                link = current;
            }
            return current;
        } finally {
            lock.unlock();
        }
    }

    void cut(boolean now) {
        MemoryLink broken = null;
        lock.lock();
        try {
            cut = now;
            if (now) {
                broken = link;
                link = null;
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (broken != null) {
            broken.close();
        }
    }

    @Override
    public void close() {
        cut(true);
    }
}
