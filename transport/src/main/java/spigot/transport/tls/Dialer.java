package spigot.transport.tls;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Instant;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import spigot.transport.LinkBrokenException;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.IdentityException;
import spigot.transport.wire.Envelope;

/** Opens connections to one server: TCP, TLS, preface, hello. Safe for any thread; blocks within the bounds of the limits. */
final class Dialer {
    private final HostPort address;
    private final CredentialSource credentials;
    private final TransportLimits limits;
    private final TransportCounters counters;

    /** What this side shows, and whom it trusts. */
    record Credentials(SSLContext tls, GridTls.ServerTrust trust) {}

    /** Asked for each connection, as certificates are renewed. */
    interface CredentialSource {
        /** @throws IdentityException when there is nothing valid to show */
        Credentials get() throws IdentityException;
    }

    /** An open connection that nobody reads yet. */
    record Dialed(Wire wire, PeerIdentity peer) {}

    /** How far an attempt has come: so that what is said of a failure tells which of them it was. */
    private enum Step {
        CONNECT("TCP connection"),
        TLS("TLS handshake"),
        HELLO("hello of the server");

        private final String title;

        Step(String title) {
            this.title = title;
        }
    }

    Dialer(HostPort address, CredentialSource credentials, TransportLimits limits, TransportCounters counters) {
        this.address = address;
        this.credentials = credentials;
        this.limits = limits;
        this.counters = counters;
    }

    HostPort address() {
        return address;
    }

    /** @throws LinkBrokenException for whatever reason there is no connection; its message is for people */
    Dialed open(Preface preface) throws LinkBrokenException {
        CountingSocket socket = new CountingSocket(counters);
        @Nullable Deadline deadline = null;
        Step step = Step.CONNECT;
        try {
            Credentials own = credentials.get();
            connect(socket);
            deadline = new Deadline(socket, limits.times().handshakeWithin());
            step = Step.TLS;
            SSLSocket tls = handshake(socket, own);
            step = Step.HELLO;
            Dialed dialed = enter(socket, tls, own, preface);
            deadline.close();
            if (deadline.hasPassed()) {
                throw new EOFException();
            }
            return dialed;
        } catch (IOException | IdentityException | RuntimeException e) {
            Deadline.closeQuietly(socket);
            if (deadline != null) {
                deadline.close();
            }
            if (e instanceof LinkBrokenException clear) {
                throw clear;
            }
            boolean late = deadline != null && deadline.hasPassed();
            throw new LinkBrokenException("can't connect to " + address + ": " + why(step, e, late), e);
        }
    }

    private String why(Step step, Exception failure, boolean late) {
        if (late) {
            return "no " + step.title + " within "
                    + limits.times().handshakeWithin().toMillis() + " ms";
        }
        return switch (step) {
            case CONNECT ->
                failure instanceof SocketTimeoutException
                        ? "no " + step.title + " within "
                                + limits.times().connectWithin().toMillis() + " ms"
                        : Causes.text(failure);
            case TLS, HELLO -> "no " + step.title + ": " + Causes.text(failure);
        };
    }

    private void connect(CountingSocket socket) throws IOException {
        InetSocketAddress resolved = address.resolve();
        if (resolved.isUnresolved()) {
            throw new UnknownHostException(address.host());
        }
        socket.setTcpNoDelay(true);
        socket.connect(resolved, Math.toIntExact(limits.times().connectWithin().toMillis()));
    }

    private SSLSocket handshake(CountingSocket socket, Credentials own) throws IOException {
        SSLSocket tls =
                (SSLSocket) own.tls().getSocketFactory().createSocket(socket, address.host(), address.port(), true);
        tls.setSSLParameters(GridTls.parameters());
        tls.setUseClientMode(true);
        tls.startHandshake();
        return tls;
    }

    private Dialed enter(CountingSocket socket, SSLSocket tls, Credentials own, Preface preface)
            throws IOException, IdentityException {
        // Once more than in the handshake: a resumed session does not ask the trust manager, and time has gone on.
        PeerIdentity peer = own.trust().verify(GridTls.peerChain(tls.getSession()), Instant.now());
        tls.getOutputStream().write(preface.encode());
        FrameReader reader = new FrameReader(tls.getInputStream(), limits.frames(), true);
        requireWelcome(reader);
        reader.trustPeer();
        return new Dialed(
                new Wire(socket, tls.getInputStream(), tls.getOutputStream(), reader, address.toString()), peer);
    }

    private void requireWelcome(FrameReader reader) throws IOException {
        if (!reader.next()) {
            throw new EOFException();
        }
        if (reader.kind() != FrameKind.HELLO) {
            throw new MalformedFrameException("a " + reader.kind() + " where HELLO is due");
        }
        Envelope hello = reader.header();
        if (hello.hasFailure()) {
            throw new LinkBrokenException(
                    address + " refuses the link: " + hello.getFailure().getMessage());
        }
    }
}
