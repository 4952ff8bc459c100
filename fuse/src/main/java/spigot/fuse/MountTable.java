package spigot.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The mounts that this process sees, from {@code /proc/self/mountinfo} (proc(5)): the only way to know them without touching them. */
final class MountTable {
    private static final Path FILE = Path.of("/proc/self/mountinfo");

    /**
     * One mount.
     *
     * @param device major and minor number, such as {@code 0:52}
     * @param point where it is mounted
     * @param type such as {@code fuse.spigot}
     * @param source the first column of df
     */
    record Mount(String device, String point, String type, String source) {
        boolean isFuse() {
            return type.equals("fuse") || type.startsWith("fuse.");
        }

        int minor() {
            return Integer.parseInt(device.substring(device.indexOf(':') + 1));
        }
    }

    private MountTable() {}

    /** In the order in which they were mounted: of several at one point the last is seen. */
    static List<Mount> read() throws IOException {
        return parse(Files.readString(FILE, StandardCharsets.ISO_8859_1));
    }

    /** The mount seen at exactly this path, or none. */
    static List<Mount> at(Path point) throws IOException {
        List<Mount> found = read().stream()
                .filter(mount -> mount.point().equals(point.toString()))
                .toList();
        return found.isEmpty() ? found : List.of(found.getLast());
    }

    /** Whether what is seen at the path is the FUSE mount of this connection, and not another one that came later. */
    static boolean isSeen(Path point, int connection) throws IOException {
        List<Mount> there = at(point);
        return !there.isEmpty()
                && there.getFirst().isFuse()
                && there.getFirst().device().equals("0:" + connection);
    }

    static List<Mount> parse(String table) {
        List<Mount> mounts = new ArrayList<>();
        for (String line : table.split("\n")) {
            String[] fields = line.split(" ");
            int separator = 6;
            while (separator < fields.length && !fields[separator].equals("-")) {
                separator++;
            }
            if (separator + 2 < fields.length) {
                mounts.add(new Mount(
                        fields[2], unescaped(fields[4]), fields[separator + 1], unescaped(fields[separator + 2])));
            }
        }
        return mounts;
    }

    /** Blanks, tabs, newlines and backslashes stand as three octal digits; bytes are UTF-8. */
    private static String unescaped(String field) {
        byte[] bytes = new byte[field.length()];
        int length = 0;
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\\' && i + 3 < field.length()) {
                bytes[length++] = (byte) Integer.parseInt(field.substring(i + 1, i + 4), 8);
                i += 3;
            } else {
                bytes[length++] = (byte) c;
            }
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8);
    }
}
