package spigot.model;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * The 128-bit identity of a file or directory, apart from its names: it survives rename and is shared by hard links.
 * On the wire 16 bytes, big-endian; in text 32 hexadecimal digits.
 */
public record FileId(long high, long low) implements Comparable<FileId> {
    public static final int BYTES = 16;

    /** The root directory of every grid. */
    public static final FileId ROOT = new FileId(0, 1);

    /** @param random where the bits come from; use a cryptographic one in production */
    public static FileId random(RandomGenerator random) {
        return new FileId(random.nextLong() | Long.MIN_VALUE, random.nextLong());
    }

    /** @throws IllegalArgumentException when there are not exactly 16 bytes */
    public static FileId of(byte[] bytes) {
        Ids.check(bytes.length, "file id");
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new FileId(buffer.getLong(), buffer.getLong());
    }

    /** @throws IllegalArgumentException when the text is not 32 hexadecimal digits */
    public static FileId parse(String text) {
        return of(Ids.parseHex(text, "file id"));
    }

    public byte[] bytes() {
        return Ids.bytes(high, low);
    }

    /**
     * The inode number that every node shows for this file: never 0, and 1 only for the root. Stable, equal on all nodes;
     * two files share one with a probability of 2^-63 per pair.
     */
    public long inode() {
        if (equals(ROOT)) {
            return 1;
        }
        long mixed = new SplittableRandom(high ^ Long.rotateLeft(low, 32)).nextLong() & Long.MAX_VALUE;
        return mixed <= 1 ? mixed + 2 : mixed;
    }

    @Override
    public int compareTo(FileId other) {
        int c = Long.compareUnsigned(high, other.high);
        return c != 0 ? c : Long.compareUnsigned(low, other.low);
    }

    @Override
    public String toString() {
        return Ids.hex(high, low);
    }
}
