package spigot.mount;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/** The one place where what went wrong becomes what a system call returns. */
final class ErrorNumbers {
    private ErrorNumbers() {}

    /**
     * The error number for a program. Servers that can't be reached, and all that a program can't know what to do about, are
     * EIO; never ETIMEDOUT, which programs take for a connection of their own.
     */
    static int of(Throwable failure) {
        return switch (failure) {
            case InterruptedException _ -> Errno.EINTR;
            case InterruptedIOException _ -> Errno.EINTR;
            case ClosedByInterruptException _ -> Errno.EINTR;
            case TooManyOpenException _ -> Errno.ENFILE;
            case StaleNodeException _ -> Errno.ESTALE;
            case FailureException refused -> ofRefusal(refused.failure());
            case SystemCallException local -> ofServerErrno(local.errno());
            default -> Errno.EIO;
        };
    }

    private static int ofRefusal(Failure failure) {
        return switch (failure.getCode()) {
            // A name that is absent is no failure; a node whose file is gone makes the kernel look the name up again.
            case NOT_FOUND -> Errno.ESTALE;
            case NOT_DIRECTORY -> Errno.ENOTDIR;
            case DENIED -> Errno.EACCES;
            case NO_ATTRIBUTE -> Errno.ENODATA;
            case IO_ERROR -> ofServerErrno(failure.getErrno());
            case UNKNOWN,
                    VERSION_GONE,
                    NOT_HOME,
                    UNKNOWN_SESSION,
                    NOT_READY,
                    BAD_REQUEST,
                    TOO_MANY,
                    CONFLICT,
                    BAD_TOKEN,
                    SERIALISED,
                    NO_TOKEN,
                    UNRECOGNIZED -> Errno.EIO;
        };
    }

    /** What a file operation at a server ran into: shown as it is where it says something about the file itself. */
    private static int ofServerErrno(int errno) {
        return switch (errno) {
            case Errno.ENOENT,
                    Errno.EACCES,
                    Errno.EPERM,
                    Errno.ENODATA,
                    Errno.ENXIO,
                    Errno.EISDIR,
                    Errno.EOVERFLOW,
                    Errno.EOPNOTSUPP,
                    Errno.ELOOP,
                    Errno.ENAMETOOLONG -> errno;
            default -> Errno.EIO;
        };
    }

    /** Whether operators should read of it: not what is a normal answer to a program. */
    static boolean isTrouble(int errno) {
        return errno == Errno.EIO || errno == Errno.ENFILE || errno == Errno.ENOMEM;
    }

    /** More is open at this mount than it allows. */
    static final class TooManyOpenException extends IOException {
        private static final long serialVersionUID = 1L;

        TooManyOpenException(String message) {
            super(message);
        }
    }

    /** The kernel, or a client of a re-exported mount, named a node that was forgotten. */
    static final class StaleNodeException extends IOException {
        private static final long serialVersionUID = 1L;

        StaleNodeException(long node) {
            super("node " + Long.toUnsignedString(node) + " is not known: it was forgotten");
        }
    }
}
