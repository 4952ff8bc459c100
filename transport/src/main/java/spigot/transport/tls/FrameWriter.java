package spigot.transport.tls;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import spigot.transport.wire.Envelope;

/** Encodes frames into a stream through one buffer, so that many small ones leave together. Used by one thread. */
final class FrameWriter {
    private static final int BUFFER_BYTES = 32 << 10;

    private final OutputStream out;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private int position;

    FrameWriter(OutputStream out) {
        this.out = out;
    }

    /** May leave the frame, or its end, in the buffer: see {@link #flush}. */
    void write(OutgoingFrame frame) throws IOException {
        int headerBytes = frame.headerBytes();
        if (BUFFER_BYTES - position < FrameLayout.HEAD_BYTES + headerBytes) {
            drain();
        }
        FrameLayout.putHead(buffer, position, frame.kind(), frame.callId(), headerBytes, frame.payloadBytes());
        position += FrameLayout.HEAD_BYTES;
        Envelope header = frame.header();
        if (header != null) {
            writeHeader(header, headerBytes);
        }
        ByteBuffer payload = frame.payload();
        if (payload != null && payload.hasRemaining()) {
            writePayload(payload.duplicate());
        }
    }

    private void writeHeader(Envelope header, int headerBytes) throws IOException {
        if (headerBytes <= BUFFER_BYTES - position) {
            CodedOutputStream coded = CodedOutputStream.newInstance(buffer, position, headerBytes);
            header.writeTo(coded);
            coded.checkNoSpaceLeft();
            position += headerBytes;
        } else {
            drain();
            out.write(header.toByteArray());
        }
    }

    private void writePayload(ByteBuffer payload) throws IOException {
        if (payload.hasArray() && payload.remaining() > BUFFER_BYTES) {
            drain();
            out.write(payload.array(), payload.arrayOffset() + payload.position(), payload.remaining());
            return;
        }
        while (payload.hasRemaining()) {
            if (position == BUFFER_BYTES) {
                drain();
            }
            int length = Math.min(payload.remaining(), BUFFER_BYTES - position);
            payload.get(buffer, position, length);
            position += length;
        }
    }

    /** Sends all that was written so far on its way. */
    void flush() throws IOException {
        drain();
        out.flush();
    }

    private void drain() throws IOException {
        if (position > 0) {
            int length = position;
            position = 0;
            out.write(buffer, 0, length);
        }
    }
}
