package spigot.session;

import java.io.IOException;

/** A commit that was refused, and has left no trace. */
public final class NotCommittedException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /** @param errno as a system call would have it: ENOSPC, EDQUOT, EFBIG, EROFS, EIO */
    public NotCommittedException(String message, int errno) {
        super(message);
        this.errno = errno;
    }

    public int errno() {
        return errno;
    }
}
