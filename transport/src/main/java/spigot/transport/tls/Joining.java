package spigot.transport.tls;

import java.io.IOException;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;
import spigot.transport.identity.JoinToken;

/** Enters a grid with a one-time token. */
public final class Joining {
    private Joining() {}

    /**
     * Makes a key, has it signed by the grid that the token pins, and returns the identity, which is not stored yet.
     *
     * @param address HOST:PORT of the server that carries the catalog
     * @param name of this process, for people
     * @throws IOException when the server can't be reached, is not of the token's grid, or refuses the token
     */
    public static Identity join(
            String address, JoinToken token, String name, TransportLimits limits, TransportCounters counters)
            throws IOException, InterruptedException {
        throw new IOException("not there yet");
    }
}
