package spigot.transport.tls;

import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportLimits;
import spigot.transport.identity.CertificateChains;
import spigot.transport.identity.Identity;
import spigot.transport.identity.IdentityException;
import spigot.transport.wire.Done;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * The accepting side of the handshake: TLS, who is there, preface. What it returns waits for {@link Accepted#welcome} or
 * {@link Accepted#refuse}. Safe for any thread; blocks until the socket is closed.
 */
final class Acceptor {
    private final Supplier<Identity> identity;
    private final TransportLimits.Frames bounds;
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by the lock: the TLS context of the identity that was last used.
    private @Nullable Identity lastIdentity;
    private @Nullable SSLContext lastContext;

    Acceptor(Supplier<Identity> identity, TransportLimits.Frames bounds) {
        this.identity = identity;
        this.bounds = bounds;
    }

    /** A connection whose peer is known. */
    record Accepted(Wire wire, PeerIdentity peer, Preface preface) {
        void welcome() throws IOException {
            hello(wire, Envelope.newBuilder().setDone(Done.getDefaultInstance()).build());
        }

        void refuse(Failure.Code code, String message) throws IOException {
            Acceptor.refuse(wire, code, message);
        }
    }

    /**
     * @throws IdentityException when the peer was told that it is not welcome, with the reason
     * @throws IOException when it broke off or does not speak the protocol
     */
    Accepted handshake(CountingSocket socket, String address) throws IOException, IdentityException {
        Identity own = identity.get();
        SSLSocket tls = (SSLSocket) context(own).getSocketFactory().createSocket(socket, null, true);
        tls.setSSLParameters(GridTls.parameters());
        tls.setUseClientMode(false);
        tls.startHandshake();
        List<X509Certificate> chain = GridTls.peerChain(tls.getSession());
        FrameReader reader = new FrameReader(tls.getInputStream(), bounds, true);
        Wire wire = new Wire(socket, tls.getInputStream(), tls.getOutputStream(), reader, address);
        Preface preface = preface(wire);
        try {
            PeerIdentity peer = identify(chain, own);
            if (peer.role() != PeerIdentity.Role.JOINER) {
                reader.trustPeer();
            }
            return new Accepted(wire, peer, preface);
        } catch (IdentityException e) {
            refuse(wire, Failure.Code.DENIED, String.valueOf(e.getMessage()));
            throw e;
        }
    }

    private static Preface preface(Wire wire) throws IOException {
        try {
            return Preface.read(wire.in());
        } catch (MalformedFrameException e) {
            refuse(wire, Failure.Code.BAD_REQUEST, String.valueOf(e.getMessage()));
            throw e;
        }
    }

    private static PeerIdentity identify(List<X509Certificate> chain, Identity own) throws IdentityException {
        return CertificateChains.isJoiner(chain)
                ? CertificateChains.joiner(chain.getFirst())
                : CertificateChains.verify(chain, own.authority(), Instant.now());
    }

    private SSLContext context(Identity own) {
        lock.lock();
        try {
            SSLContext context = lastContext;
            if (context == null || lastIdentity != own) {
                context = GridTls.server(own.key(), own.chain());
                lastIdentity = own;
                lastContext = context;
            }
            return context;
        } finally {
            lock.unlock();
        }
    }

    private static void refuse(Wire wire, Failure.Code code, String message) throws IOException {
        Failure failure = Failure.newBuilder().setCode(code).setMessage(message).build();
        hello(wire, Envelope.newBuilder().setFailure(Failures.bounded(failure)).build());
    }

    private static void hello(Wire wire, Envelope envelope) throws IOException {
        FrameWriter writer = new FrameWriter(wire.out());
        writer.write(OutgoingFrame.of(FrameKind.HELLO, 0, envelope, TransportLimits.DEFAULT.frames()));
        writer.flush();
    }
}
