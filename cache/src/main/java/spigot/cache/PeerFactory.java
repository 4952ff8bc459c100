package spigot.cache;

import spigot.transport.LinkHandler;
import spigot.transport.Peer;

/** Makes the peers of a process, with its identity. */
@FunctionalInterface
public interface PeerFactory {
    /**
     * A peer that connects when first used.
     *
     * @param address HOST:PORT
     */
    Peer peer(String address, LinkHandler handler);
}
