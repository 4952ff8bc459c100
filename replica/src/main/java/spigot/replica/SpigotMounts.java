package spigot.replica;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import spigot.model.RawBytes;

/**
 * The mounts of grids on this machine, by mount id, from /proc/self/mountinfo (proc_pid_mountinfo(5)). They are never published:
 * a server that reads its own grid waits for itself.
 */
record SpigotMounts(Map<Long, RawBytes> points) {
    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");
    private static final String TYPE = "fuse.spigot";

    static SpigotMounts now() throws IOException {
        return parse(Files.readString(MOUNTINFO, StandardCharsets.ISO_8859_1));
    }

    static SpigotMounts parse(String mountinfo) {
        Map<Long, RawBytes> points = new HashMap<>();
        for (String line : mountinfo.split("\n")) {
            String[] halves = line.split(" - ", 2);
            String[] fields = halves[0].split(" ");
            if (halves.length == 2 && fields.length >= 5 && halves[1].startsWith(TYPE)) {
                points.put(Long.parseLong(fields[0]), unescape(fields[4]));
            }
        }
        return new SpigotMounts(Map.copyOf(points));
    }

    /** Whether there is such a mount of any kind, under other ones or not. */
    static boolean isMounted(long mountId) throws IOException {
        String id = Long.toString(mountId);
        try (Stream<String> lines = Files.lines(MOUNTINFO, StandardCharsets.ISO_8859_1)) {
            return lines.anyMatch(line -> line.startsWith(id) && line.startsWith(" ", id.length()));
        }
    }

    boolean contains(long mountId) {
        return points.containsKey(mountId);
    }

    /** Space, tab, newline and backslash stand there as three octal digits. */
    private static RawBytes unescape(String field) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < field.length(); i++) {
            if (field.charAt(i) == '\\' && i + 3 < field.length()) {
                bytes.write(Integer.parseInt(field.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                bytes.write(field.charAt(i));
            }
        }
        return RawBytes.copyOf(bytes.toByteArray());
    }
}
