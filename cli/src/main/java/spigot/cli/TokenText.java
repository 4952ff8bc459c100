package spigot.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A join token on the command line, or {@code @FILE}, so that it does not show in lists of processes. */
final class TokenText {
    private static final long MAX_BYTES = 4096;

    private TokenText() {}

    static Optional<String> read(@Nullable String text) {
        if (text == null || !text.startsWith("@")) {
            return Optional.ofNullable(text);
        }
        Path file = Path.of(text.substring(1));
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IllegalArgumentException(file + " is too large for a token");
            }
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            throw new IllegalArgumentException("the token can't be read from " + file, e);
        }
    }
}
