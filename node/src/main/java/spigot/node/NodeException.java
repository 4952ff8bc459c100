package spigot.node;

import org.jspecify.annotations.Nullable;

/** Something that a user asked for can't be done. The message is one line: what was tried, on what, why not, what to do. */
public class NodeException extends Exception {
    private static final long serialVersionUID = 1L;

    public NodeException(String message) {
        super(oneLine(message));
    }

    public NodeException(String message, @Nullable Throwable cause) {
        super(oneLine(message), cause);
    }

    /** The reason in an exception, for the end of a message. */
    public static String reason(@Nullable Throwable cause) {
        if (cause == null) {
            return "the cause is not known";
        }
        String message = cause.getMessage();
        if (cause instanceof java.nio.file.NoSuchFileException) {
            return "there is no " + message;
        }
        if (cause instanceof java.nio.file.AccessDeniedException) {
            return "permission denied: " + message;
        }
        return message == null || message.isBlank() ? cause.getClass().getSimpleName() : oneLine(message);
    }

    private static String oneLine(String message) {
        return message.replaceAll("\\s*[\\r\\n]+\\s*", " ");
    }
}
