package spigot.model;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Shows raw bytes to people, on one line. */
final class PrintableBytes {
    private static final HexFormat HEX = HexFormat.of();

    private PrintableBytes() {}

    static String of(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            if (text.codePoints().noneMatch(Character::isISOControl)) {
                return text;
            }
        } catch (CharacterCodingException e) {
            // Not UTF-8: shown byte by byte below.
        }
        StringBuilder shown = new StringBuilder(bytes.length + 8);
        for (byte b : bytes) {
            if (b >= 0x20 && b < 0x7f && b != '\\') {
                shown.append((char) b);
            } else {
                HEX.toHexDigits(shown.append("\\x"), b);
            }
        }
        return shown.toString();
    }
}
