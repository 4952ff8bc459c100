package spigot.transport;

import java.io.IOException;

/** A peer did not answer in time. The message names the request, the peer and the time. */
public class CallTimeoutException extends IOException {
    private static final long serialVersionUID = 1L;

    public CallTimeoutException(String message) {
        super(message);
    }
}
