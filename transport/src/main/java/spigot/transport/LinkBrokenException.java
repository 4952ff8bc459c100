package spigot.transport;

import java.io.IOException;

/** The link to a peer broke, or could not be made. The message names the peer and the cause. */
public class LinkBrokenException extends IOException {
    private static final long serialVersionUID = 1L;

    public LinkBrokenException(String message) {
        super(message);
    }

    public LinkBrokenException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The same for one more caller, whose stack trace it has. */
    public LinkBrokenException again() {
        return new LinkBrokenException(String.valueOf(getMessage()), this);
    }
}
