package spigot.cache;

import java.io.IOException;
import spigot.model.FileVersion;

/** The home of a file does not have this version any more: it has changed. */
final class VersionGoneException extends IOException {
    private static final long serialVersionUID = 1L;

    VersionGoneException(FileVersion content) {
        super("the home does not have " + content + " any more");
    }
}
