package spigot.replica;

import spigot.linux.Errno;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/** What an error number of a system call on a published tree means. Pure. */
final class TreeErrors {
    private TreeErrors() {}

    /**
     * Whether the entry is not there (any more). A symbolic link or a plain file in the place of a directory, and a path that leads
     * out of the tree, mean the same. Everything else is trouble that may pass: it never makes a name vanish from the grid.
     */
    static boolean isAbsence(int errno) {
        return switch (errno) {
            case Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.EXDEV, Errno.ESTALE -> true;
            default -> false;
        };
    }

    static FailureException failure(String what, int errno) {
        return new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.IO_ERROR)
                .setErrno(errno)
                .setMessage(what + ": " + Errno.describe(errno))
                .build());
    }
}
