package spigot.transport.tls;

import java.io.IOException;

/** A peer sent what no frame may be: its connection is closed. */
final class MalformedFrameException extends IOException {
    private static final long serialVersionUID = 1L;

    MalformedFrameException(String message) {
        super(message);
    }

    MalformedFrameException(String message, Throwable cause) {
        super(message, cause);
    }
}
