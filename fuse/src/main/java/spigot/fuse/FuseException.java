package spigot.fuse;

import java.io.IOException;

/** A mount could not be made, or could not go on; the message is one line for the user that says what to do. */
public final class FuseException extends IOException {
    public FuseException(String message) {
        super(message);
    }

    public FuseException(String message, Throwable cause) {
        super(message, cause);
    }
}
