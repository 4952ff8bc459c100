package spigot.node.server;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import spigot.model.NodeId;
import spigot.node.RefusingHandler;
import spigot.replica.PeerSource;
import spigot.transport.Peer;
import spigot.transport.tls.Connector;

/** Links to other servers of the grid, one for each, made when first asked for. Safe for any thread; bounded by the servers of the grid. */
final class ServerPeers implements PeerSource, AutoCloseable {
    private final Connector connector;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<NodeId, Peer> peers = new HashMap<>();

    ServerPeers(Connector connector) {
        this.connector = connector;
    }

    @Override
    public Peer to(NodeId server, String address) {
        lock.lock();
        try {
            Peer known = peers.get(server);
            if (known != null && known.address().equals(address)) {
                return known;
            }
            if (known != null) {
                known.close();
            }
            Peer peer = connector.peer(address, new RefusingHandler());
            peers.put(server, peer);
            return peer;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            peers.values().forEach(Peer::close);
            peers.clear();
        } finally {
            lock.unlock();
        }
    }
}
