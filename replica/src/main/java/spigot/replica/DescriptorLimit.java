package spigot.replica;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How many descriptors this process may have: RLIMIT_NOFILE, as /proc/self/limits shows it. */
final class DescriptorLimit {
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final String LINE = "Max open files";
    private static final int USUAL = 1024;

    private DescriptorLimit() {}

    static int ofThisProcess() {
        try {
            return parse(Files.readString(LIMITS));
        } catch (IOException e) {
            return USUAL;
        }
    }

    /** The soft limit; the usual one when the text does not tell. */
    static int parse(String limits) {
        for (String line : limits.split("\n")) {
            if (line.startsWith(LINE)) {
                String soft = line.substring(LINE.length()).strip().split("\\s+")[0];
                return soft.equals("unlimited")
                        ? Integer.MAX_VALUE
                        : (int) Math.min(Integer.MAX_VALUE, Long.parseLong(soft));
            }
        }
        return USUAL;
    }
}
