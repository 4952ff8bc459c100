package spigot.cache;

import java.io.IOException;

/** No server that has the file could be reached in the time that the policy gives. The message names the file and the last cause. */
public class UnreachableException extends IOException {
    private static final long serialVersionUID = 1L;

    public UnreachableException(String message) {
        super(message);
    }

    public UnreachableException(String message, Throwable cause) {
        super(message, cause);
    }
}
