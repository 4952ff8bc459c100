package spigot.transport.tls;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import spigot.model.NodeId;
import spigot.transport.TransportLimits;

/**
 * The first bytes of a connection within TLS, from the side that connects: {@code SPIGOT1}, the version (1), the role of the
 * connection (0 control, 1 bulk), its number among the bulk connections, and the 16 bytes of the link's id.
 *
 * @param index 0 for the control connection
 * @param link chosen at random for each link by the side that connects; with its identity it names the link
 */
record Preface(boolean control, int index, NodeId link) {
    private static final byte[] MAGIC = "SPIGOT1".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int LINK_BYTES = 16;
    static final int BYTES = 7 + 3 + LINK_BYTES;

    byte[] encode() {
        return ByteBuffer.allocate(BYTES)
                .put(MAGIC)
                .put((byte) VERSION)
                .put((byte) (control ? 0 : 1))
                .put((byte) index)
                .put(link.bytes())
                .array();
    }

    /** @throws MalformedFrameException when it is none, or of a version that is not spoken here */
    static Preface read(InputStream in) throws IOException {
        byte[] bytes = in.readNBytes(BYTES);
        if (bytes.length < BYTES) {
            throw new EOFException("the connection ended before it said what it is for");
        }
        ByteBuffer preface = ByteBuffer.wrap(bytes);
        byte[] magic = new byte[MAGIC.length];
        preface.get(magic);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new MalformedFrameException("no Spigot preface");
        }
        int version = preface.get();
        int role = preface.get();
        int index = preface.get();
        if (version != VERSION) {
            throw new MalformedFrameException("version " + version + " of the protocol; this side speaks " + VERSION);
        }
        if (role < 0 || role > 1 || index < 0 || index >= TransportLimits.MAX_BULK_CONNECTIONS) {
            throw new MalformedFrameException("a connection of role " + role + ", number " + index);
        }
        byte[] link = new byte[LINK_BYTES];
        preface.get(link);
        return new Preface(role == 0, index, NodeId.of(link));
    }
}
