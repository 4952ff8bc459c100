package spigot.transport.tls;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import spigot.transport.TransportLimits;

/**
 * Where things are in a frame; all numbers are big-endian. Shared by {@link FrameReader} and {@link FrameWriter}.
 *
 * <pre>
 *  0        4      5         9               13             13 + header length
 *  +--------+------+---------+---------------+--------------+-----------+
 *  | length | kind | call id | header length | header       | payload   |
 *  +--------+------+---------+---------------+--------------+-----------+
 * </pre>
 *
 * The length counts all that follows it. The payload is what the header leaves of the frame.
 */
final class FrameLayout {
    static final int LENGTH_OFFSET = 0;
    static final int KIND_OFFSET = 4;
    static final int CALL_ID_OFFSET = 5;
    static final int HEADER_LENGTH_OFFSET = 9;
    /** All that stands before the header. */
    static final int HEAD_BYTES = 13;
    /** What the length counts beside header and payload. */
    static final int COUNTED_HEAD_BYTES = HEAD_BYTES - KIND_OFFSET;

    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private FrameLayout() {}

    static void putHead(byte[] target, int at, FrameKind kind, int callId, int headerBytes, int payloadBytes) {
        INT.set(target, at + LENGTH_OFFSET, COUNTED_HEAD_BYTES + headerBytes + payloadBytes);
        target[at + KIND_OFFSET] = (byte) kind.code();
        INT.set(target, at + CALL_ID_OFFSET, callId);
        INT.set(target, at + HEADER_LENGTH_OFFSET, headerBytes);
    }

    static int length(byte[] source, int at) {
        return (int) INT.get(source, at + LENGTH_OFFSET);
    }

    static int kind(byte[] source, int at) {
        return source[at + KIND_OFFSET] & 0xff;
    }

    static int callId(byte[] source, int at) {
        return (int) INT.get(source, at + CALL_ID_OFFSET);
    }

    static int headerLength(byte[] source, int at) {
        return (int) INT.get(source, at + HEADER_LENGTH_OFFSET);
    }

    /**
     * Checks the lengths of a frame before anything is allocated for it.
     *
     * @param joiner whether the peer has no certificate of the grid yet
     * @return the length of the payload
     */
    static int checkLengths(FrameKind kind, int length, int headerLength, TransportLimits.Frames bounds, boolean joiner)
            throws MalformedFrameException {
        // A length of 2 GiB or more shows as a negative one.
        if (length < COUNTED_HEAD_BYTES || (joiner && length > bounds.joinerBytes())) {
            throw new MalformedFrameException("a frame of " + Integer.toUnsignedString(length) + " bytes");
        }
        int body = length - COUNTED_HEAD_BYTES;
        if (headerLength < 0 || headerLength > body || headerLength > bounds.headerBytes()) {
            throw new MalformedFrameException(
                    "a header of " + Integer.toUnsignedString(headerLength) + " bytes in a frame of " + length);
        }
        int payload = body - headerLength;
        if (payload > bounds.payloadBytes() || (payload > 0 && !kind.mayHavePayload())) {
            throw new MalformedFrameException("a " + kind + " with a payload of " + payload + " bytes");
        }
        if (kind.hasHeader() != headerLength > 0) {
            throw new MalformedFrameException("a " + kind + " with a header of " + headerLength + " bytes");
        }
        return payload;
    }
}
