package spigot.transport.tls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLSocket;
import spigot.transport.TransportLimits;
import spigot.transport.identity.Identity;
import spigot.transport.wire.Done;
import spigot.transport.wire.Envelope;

/** Welcomes whoever connects, and then does whatever a test wants: for servers that do not behave. */
final class RawServer implements AutoCloseable {
    private final ServerSocket listening = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    private final List<Socket> accepted = new CopyOnWriteArrayList<>();
    final List<Throwable> failures = new CopyOnWriteArrayList<>();

    /** A welcomed connection; frames are written by {@link #send}. */
    record Accepted(Preface preface, FrameReader reader, OutputStream out) {
        void send(FrameKind kind, int callId, Envelope header, int payloadBytes) throws IOException {
            byte[] encoded = header.toByteArray();
            byte[] frame = new byte[FrameLayout.HEAD_BYTES + encoded.length];
            FrameLayout.putHead(frame, 0, kind, callId, encoded.length, payloadBytes);
            System.arraycopy(encoded, 0, frame, FrameLayout.HEAD_BYTES, encoded.length);
            out.write(frame);
        }

        void sendBare(FrameKind kind) throws IOException {
            byte[] frame = new byte[FrameLayout.HEAD_BYTES];
            FrameLayout.putHead(frame, 0, kind, 0, 0, 0);
            out.write(frame);
        }

        /** Answers pings until a request comes; returns its call id. */
        int nextRequest() throws IOException {
            while (reader.next()) {
                switch (reader.kind()) {
                    case REQUEST -> {
                        reader.header();
                        return reader.callId();
                    }
                    case PING -> sendBare(FrameKind.PONG);
                    case CANCEL, PONG -> {}
                    default -> throw new IOException("unexpected " + reader.kind());
                }
            }
            throw new IOException("closed");
        }
    }

    interface Behaviour {
        void serve(Accepted connection) throws Exception;
    }

    RawServer(Identity identity, Behaviour behaviour) throws IOException {
        Thread.ofVirtual().start(() -> accept(identity, behaviour));
    }

    String address() {
        return "127.0.0.1:" + listening.getLocalPort();
    }

    private void accept(Identity identity, Behaviour behaviour) {
        try {
            while (true) {
                Socket socket = listening.accept();
                accepted.add(socket);
                Thread.ofVirtual().start(() -> serve(socket, identity, behaviour));
            }
        } catch (IOException closed) {
            failures.add(closed);
        }
    }

    private void serve(Socket socket, Identity identity, Behaviour behaviour) {
        try {
            SSLSocket tls = (SSLSocket) GridTls.server(identity.key(), identity.chain())
                    .getSocketFactory()
                    .createSocket(socket, null, true);
            tls.setSSLParameters(GridTls.parameters());
            tls.setUseClientMode(false);
            InputStream in = tls.getInputStream();
            Preface preface = Preface.read(in);
            Accepted connection = new Accepted(
                    preface, new FrameReader(in, TransportLimits.DEFAULT.frames(), false), tls.getOutputStream());
            connection.send(
                    FrameKind.HELLO,
                    0,
                    Envelope.newBuilder().setDone(Done.getDefaultInstance()).build(),
                    0);
            behaviour.serve(connection);
        } catch (Exception e) {
            failures.add(e);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : accepted) {
            socket.close();
        }
    }
}
