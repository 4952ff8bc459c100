package spigot.catalog.server;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import spigot.model.FileId;

/** Ids for the new files of one command, made of its seed: every member makes the same. For one thread. */
final class FreshIds {
    private final byte[] seed;
    private final MessageDigest digest;
    private int made;

    FreshIds(byte[] seed) {
        this.seed = seed;
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    FileId next() {
        ByteBuffer number = ByteBuffer.allocate(Integer.BYTES).putInt(made++).flip();
        digest.update(seed);
        digest.update(number);
        ByteBuffer bits = ByteBuffer.wrap(digest.digest());
        return new FileId(bits.getLong() | Long.MIN_VALUE, bits.getLong());
    }
}
