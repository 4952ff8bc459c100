package spigot.node.mount;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The mounts that this process sees, from {@code /proc/self/mountinfo}. Reading it never touches a mount, so it answers when
 * a mount's daemon does not.
 */
public record MountTable(List<Entry> entries) {
    /** The file system type of every mount of a grid. */
    public static final String TYPE = "fuse.spigot";

    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

    public MountTable {
        entries = List.copyOf(entries);
    }

    /**
     * @param device MAJOR:MINOR
     * @param minor names the connection below /sys/fs/fuse/connections
     */
    public record Entry(String mountPoint, String type, String source, String device) {
        public int minor() {
            return Integer.parseInt(device.substring(device.indexOf(':') + 1));
        }
    }

    public static MountTable read() throws IOException {
        return parse(Files.readAllBytes(MOUNTINFO));
    }

    /** The format is described in proc(5), in the order of mounting. */
    static MountTable parse(byte[] mountinfo) {
        List<Entry> entries = new ArrayList<>();
        for (String line : new String(mountinfo, StandardCharsets.ISO_8859_1).split("\n")) {
            String[] fields = line.split(" ");
            int dash = 6;
            while (dash < fields.length && !fields[dash].equals("-")) {
                dash++;
            }
            if (dash + 2 < fields.length) {
                entries.add(new Entry(
                        unescape(fields[4]), unescape(fields[dash + 1]), unescape(fields[dash + 2]), fields[2]));
            }
        }
        return new MountTable(entries);
    }

    /** What lies on top at exactly this path. */
    public Optional<Entry> at(String path) {
        return entries.stream().filter(entry -> entry.mountPoint().equals(path)).reduce((_, later) -> later);
    }

    /** Mounts of grids, in the order of mounting. */
    public List<Entry> ofGrids() {
        return entries.stream().filter(entry -> entry.type().equals(TYPE)).toList();
    }

    /** Undoes the kernel's octal escapes of space, tab, newline and backslash. */
    private static String unescape(String field) {
        byte[] raw = field.getBytes(StandardCharsets.ISO_8859_1);
        ByteArrayOutputStream plain = new ByteArrayOutputStream(raw.length);
        for (int i = 0; i < raw.length; i++) {
            if (raw[i] == '\\' && i + 3 < raw.length) {
                plain.write((raw[i + 1] - '0') << 6 | (raw[i + 2] - '0') << 3 | (raw[i + 3] - '0'));
                i += 3;
            } else {
                plain.write(raw[i]);
            }
        }
        return plain.toString(StandardCharsets.UTF_8);
    }
}
