package spigot.transport.tls;

import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;

/** Makes links to servers. One for a process; safe for any thread. */
public final class Connector {
    /**
     * @param identity asked for each handshake, so that a renewed certificate is used at once
     * @param random for link ids and the jitter of the backoff
     */
    public Connector(
            Supplier<Identity> identity, TransportLimits limits, TransportCounters counters, RandomGenerator random) {}

    /**
     * A server, which must have the role SERVER in this process's grid. Nothing is connected yet.
     *
     * @param address HOST:PORT
     * @param handler what to do with what the server sends; told of each link that is made
     * @throws IllegalArgumentException when the address is not HOST:PORT
     */
    public Peer peer(String address, LinkHandler handler) {
        throw new IllegalArgumentException("not there yet");
    }
}
