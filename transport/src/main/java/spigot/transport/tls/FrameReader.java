package spigot.transport.tls;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import spigot.transport.TransportLimits;
import spigot.transport.wire.Envelope;

/**
 * Takes frames from a stream, one after another: {@link #next} reads and checks the head, then {@link #header} and
 * {@link #payload} must take what it announced. Used by one thread. Allocates for a frame only after its lengths were checked,
 * and never for a payload, which passes in pieces through the one buffer.
 */
final class FrameReader {
    static final int BUFFER_BYTES = 32 << 10;
    /** Messages nest a handful of levels; protobuf's own limit of 100 would let a peer build deep trees. */
    private static final int MAX_NESTING = 16;

    /** Takes a piece of a payload, which lasts only for the call. */
    interface PayloadSink {
        void piece(byte[] source, int offset, int length);
    }

    private final InputStream in;
    private final TransportLimits.Frames bounds;
    private final byte[] buffer;
    private int position;
    private int limit;
    private boolean joiner;

    private FrameKind kind = FrameKind.HELLO;
    private int callId;
    private int headerLength;
    private int payloadLength;

    /** @param joiner whether the tight bound holds until {@link #trustPeer} */
    FrameReader(InputStream in, TransportLimits.Frames bounds, boolean joiner) {
        this(in, bounds, joiner, new byte[BUFFER_BYTES]);
    }

    /** @param buffer of {@link #BUFFER_BYTES}, for this reader alone while it is used */
    FrameReader(InputStream in, TransportLimits.Frames bounds, boolean joiner, byte[] buffer) {
        this.in = in;
        this.bounds = bounds;
        this.joiner = joiner;
        this.buffer = buffer;
    }

    /** The peer has shown a certificate of the grid: the wide bounds hold from the next frame on. */
    void trustPeer() {
        joiner = false;
    }

    /**
     * Waits for the next frame and reads its head.
     *
     * @return false when the stream ended between two frames
     * @throws MalformedFrameException when the head breaks a rule or a bound
     */
    boolean next() throws IOException {
        if (position == limit && !fillMore()) {
            return false;
        }
        require(FrameLayout.HEAD_BYTES);
        kind = FrameKind.ofCode(FrameLayout.kind(buffer, position));
        callId = FrameLayout.callId(buffer, position);
        headerLength = FrameLayout.headerLength(buffer, position);
        payloadLength =
                FrameLayout.checkLengths(kind, FrameLayout.length(buffer, position), headerLength, bounds, joiner);
        position += FrameLayout.HEAD_BYTES;
        return true;
    }

    FrameKind kind() {
        return kind;
    }

    int callId() {
        return callId;
    }

    int payloadLength() {
        return payloadLength;
    }

    /** The header of a frame whose kind has one. */
    Envelope header() throws IOException {
        try {
            if (headerLength <= BUFFER_BYTES) {
                require(headerLength);
                int start = position;
                position += headerLength;
                return parse(CodedInputStream.newInstance(buffer, start, headerLength));
            }
            byte[] large = new byte[headerLength];
            int buffered = limit - position;
            System.arraycopy(buffer, position, large, 0, buffered);
            position = limit;
            if (in.readNBytes(large, buffered, headerLength - buffered) < headerLength - buffered) {
                throw new EOFException("the connection ended within a frame");
            }
            return parse(CodedInputStream.newInstance(large));
        } catch (InvalidProtocolBufferException e) {
            throw new MalformedFrameException("a header that is no message: " + e.getMessage(), e);
        }
    }

    private static Envelope parse(CodedInputStream coded) throws IOException {
        coded.setRecursionLimit(MAX_NESTING);
        Envelope envelope = Envelope.parseFrom(coded);
        coded.checkLastTagWas(0);
        return envelope;
    }

    /** Hands on the whole payload, as it comes. */
    void payload(PayloadSink sink) throws IOException {
        int left = payloadLength;
        while (left > 0) {
            if (position == limit && !fillMore()) {
                throw new EOFException("the connection ended within a payload");
            }
            int length = Math.min(left, limit - position);
            sink.piece(buffer, position, length);
            position += length;
            left -= length;
        }
    }

    /** Makes so many bytes, at most the buffer, stand in the buffer. */
    private void require(int bytes) throws IOException {
        if (BUFFER_BYTES - position < bytes) {
            System.arraycopy(buffer, position, buffer, 0, limit - position);
            limit -= position;
            position = 0;
        }
        while (limit - position < bytes) {
            int read = in.read(buffer, limit, BUFFER_BYTES - limit);
            if (read < 0) {
                throw new EOFException("the connection ended within a frame");
            }
            limit += read;
        }
    }

    private boolean fillMore() throws IOException {
        position = 0;
        limit = 0;
        int read = in.read(buffer, 0, BUFFER_BYTES);
        if (read <= 0) {
            return false;
        }
        limit = read;
        return true;
    }
}
