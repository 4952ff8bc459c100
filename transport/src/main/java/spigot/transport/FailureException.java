package spigot.transport;

import java.io.IOException;
import spigot.transport.wire.Failure;

/** A peer answered a request with a Failure; thrown by a request handler, it becomes that Failure. */
public class FailureException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Failure failure;

    public FailureException(Failure failure) {
        super(failure.getMessage());
        this.failure = failure;
    }

    public FailureException(Failure.Code code, String message) {
        this(Failure.newBuilder().setCode(code).setMessage(message).build());
    }

    public Failure failure() {
        return failure;
    }

    public Failure.Code code() {
        return failure.getCode();
    }
}
