package spigot.node.http;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * This process as the kernel and the JVM see it. Figures that can't be read are 0.
 *
 * @param residentBytes VmRSS
 * @param peakResidentBytes VmHWM
 */
public record ProcessFigures(
        long residentBytes,
        long peakResidentBytes,
        long openDescriptors,
        long maxDescriptors,
        double startSeconds,
        long heapUsedBytes,
        long heapMaxBytes,
        int threads) {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    public static ProcessFigures now() {
        Runtime runtime = Runtime.getRuntime();
        return new ProcessFigures(
                field(STATUS, "VmRSS:") << 10,
                field(STATUS, "VmHWM:") << 10,
                descriptors(),
                field(LIMITS, "Max open files"),
                ProcessHandle.current()
                        .info()
                        .startInstant()
                        .map(instant -> instant.toEpochMilli() / 1e3)
                        .orElse(0.0),
                runtime.totalMemory() - runtime.freeMemory(),
                runtime.maxMemory(),
                (int) field(STATUS, "Threads:"));
    }

    /** The first number of the line that begins so. */
    private static long field(Path file, String name) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(name)) {
                    String[] words = line.substring(name.length()).strip().split("\\s+");
                    return words[0].matches("\\d{1,18}") ? Long.parseLong(words[0]) : 0;
                }
            }
            return 0;
        } catch (IOException e) {
            return 0;
        }
    }

    private static long descriptors() {
        try (var entries = Files.list(DESCRIPTORS)) {
            return entries.count();
        } catch (IOException e) {
            return 0;
        }
    }
}
