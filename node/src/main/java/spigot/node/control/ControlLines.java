package spigot.node.control;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Lines of UTF-8 text over a channel, bounded. One thread reads and one writes at a time.
 *
 * <p>A request is one line, an object with "verb". The answer is any number of {@code {"progress": ...}}, then
 * {@code {"result": ...}} or {@code {"error": "..."}}.
 */
final class ControlLines {
    static final int MAX_REQUEST_BYTES = 64 << 10;
    static final int MAX_REPLY_BYTES = 16 << 20;

    private final SocketChannel channel;
    private final int maxBytes;
    private final ByteBuffer in = ByteBuffer.allocate(8 << 10).flip();

    /** @param maxBytes of a line that is read */
    ControlLines(SocketChannel channel, int maxBytes) {
        this.channel = channel;
        this.maxBytes = maxBytes;
    }

    /** @return the next line without its end; null when the other side has closed */
    @Nullable
    String read() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(256);
        while (true) {
            while (in.hasRemaining()) {
                byte b = in.get();
                if (b == '\n') {
                    return line.toString(StandardCharsets.UTF_8);
                }
                if (line.size() == maxBytes) {
                    throw new IOException("a line of more than " + maxBytes + " bytes came over the control socket");
                }
                line.write(b);
            }
            in.clear();
            int count = channel.read(in);
            in.flip();
            if (count < 0) {
                return null;
            }
        }
    }

    void write(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
