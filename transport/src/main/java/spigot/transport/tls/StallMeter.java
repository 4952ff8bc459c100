package spigot.transport.tls;

import java.io.IOException;
import java.io.OutputStream;

/** Tells the keepalive while bytes wait for the socket to take them, piece by piece. Used by the writer alone. */
final class StallMeter extends OutputStream {
    /** So much must pass within the bound for a stalled write. */
    private static final int PIECE_BYTES = 256 << 10;

    private final OutputStream out;
    private final Keepalive keepalive;

    StallMeter(OutputStream out, Keepalive keepalive) {
        this.out = out;
        this.keepalive = keepalive;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
        for (int done = 0; done < length; done += PIECE_BYTES) {
            keepalive.writing(System.nanoTime());
            out.write(source, offset + done, Math.min(PIECE_BYTES, length - done));
            keepalive.written();
        }
    }

    @Override
    public void flush() throws IOException {
        keepalive.writing(System.nanoTime());
        out.flush();
        keepalive.written();
    }
}
