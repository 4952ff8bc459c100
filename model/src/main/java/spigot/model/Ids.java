package spigot.model;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/** The one representation that all 128-bit ids share. */
final class Ids {
    private static final int BYTES = 16;

    private Ids() {}

    static void check(int length, String what) {
        if (length != BYTES) {
            throw new IllegalArgumentException("a " + what + " has 16 bytes, not " + length);
        }
    }

    static byte[] bytes(long high, long low) {
        return ByteBuffer.allocate(BYTES).putLong(high).putLong(low).array();
    }

    static String hex(long high, long low) {
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(high) + hex.toHexDigits(low);
    }

    static byte[] parseHex(String text, String what) {
        if (text.length() != 2 * BYTES) {
            throw new IllegalArgumentException("a " + what + " is 32 hexadecimal digits, not '" + text + "'");
        }
        return HexFormat.of().parseHex(text);
    }
}
