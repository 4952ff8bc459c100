package spigot.transport.tls;

import java.io.IOException;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/** How what a handler throws becomes the Failure that its peer sees. */
final class Failures {
    private static final int MAX_MESSAGE_CHARACTERS = 1024;
    /** EIO of {@code <errno.h>}. */
    private static final int EIO = 5;

    private Failures() {}

    static Failure of(Throwable thrown) {
        return switch (thrown) {
            case FailureException e -> e.failure();
            case IOException e ->
                Failure.newBuilder()
                        .setCode(Failure.Code.IO_ERROR)
                        .setErrno(EIO)
                        .setMessage(text(e))
                        .build();
            case InterruptedException e ->
                Failure.newBuilder()
                        .setCode(Failure.Code.NOT_READY)
                        .setMessage("the peer is stopping")
                        .build();
            // What is no I/O error is a fault of the handler: its log has the details, the peer need not.
            default ->
                Failure.newBuilder()
                        .setCode(Failure.Code.UNKNOWN)
                        .setMessage("internal error: " + thrown.getClass().getSimpleName())
                        .build();
        };
    }

    private static String text(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    /** A message of a length that any peer takes. */
    static Failure bounded(Failure failure) {
        String message = failure.getMessage();
        if (message.length() <= MAX_MESSAGE_CHARACTERS) {
            return failure;
        }
        return failure.toBuilder()
                .setMessage(message.substring(0, MAX_MESSAGE_CHARACTERS) + "...")
                .build();
    }
}
