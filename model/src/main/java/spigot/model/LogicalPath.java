package spigot.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** An absolute path in the grid's one namespace (LFN, logical file name), such as {@code /data/2026/run7.h5}. */
public record LogicalPath(List<FileName> names) {
    public static final LogicalPath ROOT = new LogicalPath(List.of());

    public LogicalPath {
        names = List.copyOf(names);
    }

    /** @throws IllegalArgumentException when it does not begin with '/' or a component is no file name */
    public static LogicalPath parse(String text) {
        return parse(RawBytes.ofUtf8(text));
    }

    /** @throws IllegalArgumentException when it does not begin with '/' or a component is no file name */
    public static LogicalPath parse(RawBytes text) {
        byte[] raw = text.toArray();
        if (raw.length == 0 || raw[0] != '/') {
            throw new IllegalArgumentException("a logical path begins with '/': '" + text + "'");
        }
        List<FileName> names = new ArrayList<>();
        int start = 1;
        for (int i = 1; i <= raw.length; i++) {
            if (i == raw.length || raw[i] == '/') {
                if (i > start) {
                    names.add(FileName.of(Arrays.copyOfRange(raw, start, i)));
                }
                start = i + 1;
            }
        }
        return new LogicalPath(names);
    }

    public boolean isRoot() {
        return names.isEmpty();
    }

    @Override
    public String toString() {
        return names.stream().map(FileName::toString).collect(Collectors.joining("/", "/", ""));
    }
}
