package spigot.cli.demo;

import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** Shows what was measured. */
final class DemoTable {
    private static final String FORMAT = "%-38s %11s %11s %9s %14s %11s  %s";
    private static final double MIB = 1 << 20;

    private DemoTable() {}

    /** @param copyBytesPerSecond as measured, of copying the whole large file out of the grid first */
    static void print(List<Measured> rows, double copyBytesPerSecond, Consumer<String> out) {
        out.accept(line("program", "asked", "moved", "time", "copying first", "would take", "result"));
        for (Measured row : rows) {
            out.accept(line(
                    row.program(),
                    size(row.asked()),
                    size(row.moved()),
                    seconds(row.nanos() / 1e9),
                    size(row.whole()),
                    seconds(row.whole() / copyBytesPerSecond),
                    row.same() ? "as the original" : "DIFFERS"));
        }
        out.accept(String.format(
                Locale.ROOT,
                "(copying first: all bytes of the files that were read, at the %.0f MiB/s measured for 'cp' of run7.dat through a second mount"
                        + " with an empty cache)",
                copyBytesPerSecond / MIB));
    }

    private static String line(String... cells) {
        return String.format(Locale.ROOT, FORMAT, (Object[]) cells).stripTrailing();
    }

    private static String size(long bytes) {
        if (bytes < 10 << 10) {
            return bytes + " B";
        }
        return bytes < 10 << 20
                ? String.format(Locale.ROOT, "%.0f KiB", bytes / 1024.0)
                : String.format(Locale.ROOT, "%.1f MiB", bytes / MIB);
    }

    private static String seconds(double seconds) {
        return String.format(Locale.ROOT, "%.2f s", seconds);
    }
}
