package spigot.cache;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.cache.source.Source;
import spigot.coherence.HolderConfig;
import spigot.model.NodeId;
import spigot.session.BootClock;
import spigot.session.DropListener;
import spigot.session.LeaseHolder;
import spigot.transport.wire.LeaseKind;

/** The replica servers that this node has heard of, one {@link Source} each. Safe for any thread. */
final class Sources implements AutoCloseable {
    private static final int MAX_REVOKES_REMEMBERED = 4_096;

    private final PeerFactory peers;
    private final HolderConfig holderConfig;
    private final BootClock clock;
    private final DropListener drops;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<NodeId, Source> known = new HashMap<>();
    private boolean closed;

    Sources(PeerFactory peers, long instance, int maxLeases, BootClock clock, DropListener drops) {
        this.peers = peers;
        this.holderConfig = new HolderConfig(instance, maxLeases, MAX_REVOKES_REMEMBERED);
        this.clock = clock;
        this.drops = drops;
    }

    /** @return null when its address is not known yet */
    @Nullable
    Source known(NodeId server) {
        lock.lock();
        try {
            return known.get(server);
        } finally {
            lock.unlock();
        }
    }

    /** The server, at the address where it is now. */
    Source at(NodeId server, String address) {
        Source moved;
        Source source;
        lock.lock();
        try {
            source = known.get(server);
            if (source != null && source.address().equals(address)) {
                return source;
            }
            if (closed) {
                throw new IllegalStateException("the cache is closed");
            }
            moved = source;
            LeaseHolder leases = new LeaseHolder(address, LeaseKind.FILES, holderConfig, clock, drops);
            source = new Source(server, leases, handler -> peers.peer(address, handler));
            known.put(server, source);
        } finally {
            lock.unlock();
        }
        if (moved != null) {
            moved.close();
        }
        return source;
    }

    List<Source> all() {
        lock.lock();
        try {
            return new ArrayList<>(known.values());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        List<Source> sources;
        lock.lock();
        try {
            closed = true;
            sources = new ArrayList<>(known.values());
            known.clear();
        } finally {
            lock.unlock();
        }
        sources.forEach(Source::close);
    }
}
