package spigot.replica.commit;

import java.io.IOException;

/** A published file was removed for good. */
public final class GoneException extends IOException {
    private static final long serialVersionUID = 1L;

    public GoneException(String message) {
        super(message);
    }
}
