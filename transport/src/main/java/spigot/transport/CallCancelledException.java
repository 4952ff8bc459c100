package spigot.transport;

import java.io.IOException;

/** Whoever asked has given up: thrown to the one who still answers in parts. */
public class CallCancelledException extends IOException {
    private static final long serialVersionUID = 1L;

    public CallCancelledException(String message) {
        super(message);
    }
}
