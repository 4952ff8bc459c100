package spigot.transport.tls;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Supplier;
import spigot.transport.LinkHandler;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;

/** Accepts links: one port, TLS 1.3 with both sides authenticated, nothing else. */
public final class TransportServer implements Closeable {
    private TransportServer() {}

    /**
     * @param identity asked for each handshake, so that a renewed certificate is used at once
     * @throws IOException when the address can't be bound
     */
    public static TransportServer listen(
            InetSocketAddress address,
            Supplier<Identity> identity,
            LinkHandler handler,
            TransportLimits limits,
            ServerLimits serverLimits,
            TransportCounters counters)
            throws IOException {
        throw new IOException("not there yet");
    }

    /** The port that it listens on. */
    public int port() {
        return 0;
    }

    /** Stops listening and breaks all links. */
    @Override
    public void close() {}
}
