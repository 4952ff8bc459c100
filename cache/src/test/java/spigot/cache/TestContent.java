package spigot.cache;

import java.util.Random;

/** Bytes of a file that a {@link TestServer} has. */
interface TestContent {
    long size();

    byte at(long offset);

    /** Reproducible noise. */
    static TestContent noise(long size, long seed) {
        return new TestContent() {
            @Override
            public long size() {
                return size;
            }

            @Override
            public byte at(long offset) {
                long x = (offset / 8 + seed * 0x9E3779B97F4A7C15L) * 0xBF58476D1CE4E5B9L;
                x ^= x >>> 31;
                x *= 0x94D049BB133111EBL;
                return (byte) (x >>> (offset % 8 * 8));
            }
        };
    }

    static TestContent zeros(long size) {
        return new TestContent() {
            @Override
            public long size() {
                return size;
            }

            @Override
            public byte at(long offset) {
                return 0;
            }
        };
    }

    default byte[] bytes(long offset, int length) {
        byte[] bytes = new byte[(int) Math.max(0, Math.min(length, size() - offset))];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = at(offset + i);
        }
        return bytes;
    }

    static long anySeed() {
        return Long.getLong("spigot.test.seed", new Random().nextLong());
    }
}
