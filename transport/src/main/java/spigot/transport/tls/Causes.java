package spigot.transport.tls;

import java.io.EOFException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLException;
import spigot.transport.identity.IdentityException;

/** Says in one clear line why a connection failed, where Java's own message does not. */
final class Causes {
    private Causes() {}

    static String text(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof IdentityException) {
                return message(cause);
            }
        }
        return switch (thrown) {
            case EOFException e -> "the connection was closed by the peer";
            case UnknownHostException e -> "unknown host " + e.getMessage();
            case ConnectException e -> "connection refused or host not reachable (" + e.getMessage() + ")";
            case SSLException e -> tls(message(e));
            case SocketException e -> message(e);
            default -> message(thrown);
        };
    }

    private static String tls(String message) {
        if (message.contains("certificate_unknown") || message.contains("bad_certificate")) {
            return "the peer does not accept this certificate: it is of a foreign grid, or a clock is wrong";
        }
        if (message.contains("certificate_expired")) {
            return "the peer says that this certificate has expired";
        }
        if (message.contains("plaintext connection") || message.contains("Unsupported or unrecognized")) {
            return "the peer does not speak TLS";
        }
        return message;
    }

    private static String message(Throwable thrown) {
        return thrown.getMessage() == null ? thrown.getClass().getSimpleName() : thrown.getMessage();
    }
}
