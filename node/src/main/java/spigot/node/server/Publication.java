package spigot.node.server;

import java.nio.file.Path;
import spigot.model.LogicalPath;

/** A tree to publish: {@code SRC=/path} or {@code SRC=/path:ro} on the command line. */
public record Publication(Path source, LogicalPath path, boolean readOnly) {
    private static final String READ_ONLY = ":ro";

    /** @throws IllegalArgumentException when it is not written so */
    public static Publication parse(String text) {
        int equals = text.lastIndexOf("=/");
        if (equals <= 0) {
            throw new IllegalArgumentException(
                    "a publication is SRC=/path or SRC=/path:ro, such as /srv/data=/data, not '" + text + "'");
        }
        boolean readOnly = text.endsWith(READ_ONLY);
        String path = text.substring(equals + 1, text.length() - (readOnly ? READ_ONLY.length() : 0));
        return new Publication(Path.of(text.substring(0, equals)).toAbsolutePath(), LogicalPath.parse(path), readOnly);
    }
}
