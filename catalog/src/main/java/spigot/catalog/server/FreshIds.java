package spigot.catalog.server;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import spigot.model.FileId;

/** Ids for the new files of one command, made of its seed: every member makes the same. For one thread. */
final class FreshIds {
    private final byte[] seed;
    private int made;

    FreshIds(byte[] seed) {
        this.seed = seed;
    }

    FileId next() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(ByteBuffer.allocate(seed.length + Integer.BYTES)
                            .put(seed)
                            .putInt(made++)
                            .array());
            ByteBuffer bits = ByteBuffer.wrap(digest);
            return new FileId(bits.getLong() | Long.MIN_VALUE, bits.getLong());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
