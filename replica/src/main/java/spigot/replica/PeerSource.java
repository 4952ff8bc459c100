package spigot.replica;

import spigot.model.NodeId;
import spigot.transport.Peer;

/** Gives access to other servers; the peers belong to the source and are shared. */
@FunctionalInterface
public interface PeerSource {
    /** @param address HOST:PORT, as the catalog knows it */
    Peer to(NodeId server, String address);
}
