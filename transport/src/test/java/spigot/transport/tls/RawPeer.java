package spigot.transport.tls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLSocket;
import spigot.model.NodeId;
import spigot.transport.PeerIdentity;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;
import spigot.transport.wire.Envelope;

/** Speaks TLS to a server, and then whatever a test wants: for peers that do not behave. */
final class RawPeer implements AutoCloseable {
    final SSLSocket socket;
    final InputStream in;
    final OutputStream out;
    final FrameReader reader;

    RawPeer(int port, Identity identity) throws IOException {
        this(port, identity.key(), identity.chain());
    }

    RawPeer(int port, PrivateKey key, List<X509Certificate> chain) throws IOException {
        GridTls.ServerTrust anyone =
                (shown, now) -> new PeerIdentity(NodeId.NONE, PeerIdentity.Role.SERVER, "anyone", "anywhere", "");
        socket = (SSLSocket)
                GridTls.client(key, chain, anyone).getSocketFactory().createSocket();
        socket.connect(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSSLParameters(GridTls.parameters());
        socket.setSoTimeout(20_000);
        socket.startHandshake();
        in = socket.getInputStream();
        out = socket.getOutputStream();
        reader = new FrameReader(in, TransportLimits.DEFAULT.frames(), false);
    }

    /** Sends the preface of a control connection and takes the answer. */
    Envelope hello() throws IOException {
        return hello(new Preface(true, 0, NodeId.random(TestGrid.RANDOM)).encode());
    }

    Envelope hello(byte[] preface) throws IOException {
        out.write(preface);
        if (!reader.next()) {
            throw new IOException("closed without an answer to the preface");
        }
        return reader.header();
    }

    void send(FrameKind kind, int callId, Envelope header) throws IOException {
        send(kind.code(), callId, header.toByteArray(), new byte[0]);
    }

    /** Any frame, with lengths that fit; in one piece, as a peer that closes after the head would make a further write fail. */
    void send(int kind, int callId, byte[] header, byte[] payload) throws IOException {
        out.write(ByteBuffer.allocate(FrameLayout.HEAD_BYTES + header.length + payload.length)
                .put(head(9 + header.length + payload.length, kind, callId, header.length))
                .put(header)
                .put(payload)
                .array());
    }

    /** A head alone, with whatever lengths. */
    void sendHead(int length, int kind, int callId, int headerLength) throws IOException {
        out.write(head(length, kind, callId, headerLength));
    }

    private static byte[] head(int length, int kind, int callId, int headerLength) {
        return ByteBuffer.allocate(FrameLayout.HEAD_BYTES)
                .putInt(length)
                .put((byte) kind)
                .putInt(callId)
                .putInt(headerLength)
                .array();
    }

    /** Reads on until the server closes the connection; fails by a timeout when it does not. */
    void awaitEnd() throws IOException {
        try {
            while (in.read() >= 0) {
                // What it still had to say does not matter.
            }
        } catch (java.net.SocketTimeoutException e) {
            throw e;
        } catch (IOException reset) {
            // A reset is an end as well.
            if (!socket.isConnected()) {
                throw reset;
            }
        }
    }

    static Socket plain(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(20_000);
        return socket;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
