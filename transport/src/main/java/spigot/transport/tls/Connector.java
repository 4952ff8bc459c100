package spigot.transport.tls;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.CertificateChains;
import spigot.transport.identity.Identity;
import spigot.transport.identity.IdentityException;

/** Makes links to servers. One for a process; safe for any thread. */
public final class Connector {
    private final Supplier<Identity> identity;
    private final SocketLink.Terms terms;
    private final RandomGenerator random;

    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by the lock: the TLS context of the identity that was last used.
    private @Nullable Identity lastIdentity;
    private @Nullable SSLContext lastContext;

    /**
     * @param identity asked for each handshake, so that a renewed certificate is used at once
     * @param random for link ids and the jitter of the backoff; must be safe for several threads, as SecureRandom is
     */
    public Connector(
            Supplier<Identity> identity, TransportLimits limits, TransportCounters counters, RandomGenerator random) {
        this.identity = identity;
        this.terms = new SocketLink.Terms(limits, counters);
        this.random = random;
    }

    /**
     * A server, which must have the role SERVER in this process's grid. Nothing is connected yet.
     *
     * @param address HOST:PORT
     * @param handler what to do with what the server sends; told of each link that is made
     * @throws IllegalArgumentException when the address is not HOST:PORT
     */
    public Peer peer(String address, LinkHandler handler) {
        HostPort to = HostPort.parse(address);
        return new SocketPeer(
                new Dialer(to, this::credentials, terms.limits(), terms.counters()), handler, terms, random);
    }

    private Dialer.Credentials credentials() throws IdentityException {
        Identity own = identity.get();
        own.requireValid(Instant.now());
        GridTls.ServerTrust trust = (chain, now) -> server(chain, own.authority(), now);
        lock.lock();
        try {
            SSLContext context = lastContext;
            if (context == null || lastIdentity != own) {
                context = GridTls.client(own.key(), own.chain(), trust);
                lastIdentity = own;
                lastContext = context;
            }
            return new Dialer.Credentials(context, trust);
        } finally {
            lock.unlock();
        }
    }

    /** A server of the grid with that authority. */
    static PeerIdentity server(List<X509Certificate> chain, X509Certificate authority, Instant now)
            throws IdentityException {
        PeerIdentity peer = CertificateChains.verify(chain, authority, now);
        if (peer.role() != PeerIdentity.Role.SERVER) {
            throw new IdentityException(peer.name() + " is a computing node and no server");
        }
        return peer;
    }
}
