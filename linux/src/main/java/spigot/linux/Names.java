package spigot.linux;

import java.nio.charset.StandardCharsets;

/** Shows raw names in messages. */
final class Names {
    private Names() {}

    /** Bytes that are not printable ASCII show as {@code \xNN}, but for those of well-formed UTF-8. */
    static String show(byte[] name) {
        String text = new String(name, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') < 0 && text.codePoints().noneMatch(Character::isISOControl)) {
            return "'" + text + "'";
        }
        StringBuilder shown = new StringBuilder("'");
        for (byte b : name) {
            if (b >= 0x20 && b < 0x7f && b != '\\') {
                shown.append((char) b);
            } else {
                shown.append(String.format("\\x%02x", b & 0xff));
            }
        }
        return shown.append('\'').toString();
    }
}
