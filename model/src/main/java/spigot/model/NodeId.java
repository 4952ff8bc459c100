package spigot.model;

import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;

/** The 128-bit identity of a process of the grid, server or computing node; its certificate carries it. */
public record NodeId(long high, long low) implements Comparable<NodeId> {
    /** No node: a directory has no home. */
    public static final NodeId NONE = new NodeId(0, 0);

    /** @param random where the bits come from; use a cryptographic one in production */
    public static NodeId random(RandomGenerator random) {
        return new NodeId(random.nextLong() | Long.MIN_VALUE, random.nextLong());
    }

    /** @throws IllegalArgumentException when there are not exactly 16 bytes */
    public static NodeId of(byte[] bytes) {
        Ids.check(bytes.length, "node id");
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new NodeId(buffer.getLong(), buffer.getLong());
    }

    /** @throws IllegalArgumentException when the text is not 32 hexadecimal digits */
    public static NodeId parse(String text) {
        return of(Ids.parseHex(text, "node id"));
    }

    public byte[] bytes() {
        return Ids.bytes(high, low);
    }

    @Override
    public int compareTo(NodeId other) {
        int c = Long.compareUnsigned(high, other.high);
        return c != 0 ? c : Long.compareUnsigned(low, other.low);
    }

    @Override
    public String toString() {
        return Ids.hex(high, low);
    }
}
