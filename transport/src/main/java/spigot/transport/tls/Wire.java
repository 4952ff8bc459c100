package spigot.transport.tls;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;

/** An established, authenticated TLS stream: what a {@link Connection} lives on. Closing the socket ends all three. */
record Wire(Socket socket, InputStream in, OutputStream out, FrameReader reader, String address) {}
