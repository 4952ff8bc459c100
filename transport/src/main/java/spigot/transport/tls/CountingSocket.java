package spigot.transport.tls;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import spigot.transport.TransportCounters;

/**
 * A TCP socket that counts its bytes; TLS is layered above it. Reads are buffered, as TLS asks for each record in two steps.
 * One thread reads, one writes.
 */
final class CountingSocket extends Socket {
    private static final int BUFFER_BYTES = 64 << 10;

    private final TransportCounters counters;
    private final AtomicReference<@Nullable Runnable> whenClosed = new AtomicReference<>();

    CountingSocket(TransportCounters counters) {
        this.counters = counters;
    }

    /** Run once, when the socket is closed, by whom or whyever. Must not block. */
    void whenClosed(Runnable action) {
        whenClosed.set(action);
    }

    @Override
    public void close() throws IOException {
        try {
            super.close();
        } finally {
            Runnable action = whenClosed.getAndSet(null);
            if (action != null) {
                action.run();
            }
        }
    }

    @Override
    public InputStream getInputStream() throws IOException {
        return new CountingInput(super.getInputStream(), counters);
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        return new CountingOutput(super.getOutputStream(), counters);
    }

    private static final class CountingInput extends FilterInputStream {
        private final TransportCounters counters;
        private final byte[] buffer = new byte[BUFFER_BYTES];
        private int position;
        private int limit;

        CountingInput(InputStream in, TransportCounters counters) {
            super(in);
            this.counters = counters;
        }

        @Override
        public int read() throws IOException {
            return fill() ? buffer[position++] & 0xff : -1;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, limit - position);
            System.arraycopy(buffer, position, target, offset, count);
            position += count;
            return count;
        }

        private boolean fill() throws IOException {
            if (position == limit) {
                int read = in.read(buffer, 0, BUFFER_BYTES);
                if (read <= 0) {
                    return false;
                }
                counters.wireReceived(read);
                position = 0;
                limit = read;
            }
            return true;
        }

        @Override
        public long skip(long count) throws IOException {
            return count > 0 && fill() ? skipBuffered(count) : 0;
        }

        private long skipBuffered(long count) {
            int skipped = (int) Math.min(count, limit - position);
            position += skipped;
            return skipped;
        }

        @Override
        public int available() throws IOException {
            return limit - position + in.available();
        }
    }

    private static final class CountingOutput extends FilterOutputStream {
        private final TransportCounters counters;

        CountingOutput(OutputStream out, TransportCounters counters) {
            super(out);
            this.counters = counters;
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
            counters.wireSent(1);
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
            out.write(source, offset, length);
            counters.wireSent(length);
        }
    }
}
