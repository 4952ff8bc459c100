package spigot.linux;

import java.io.IOException;

/** A system call failed; the message says which, on what, and why. */
public final class SystemCallException extends IOException {
    private final int errno;

    /**
     * @param call the call or what was tried, such as {@code open}
     * @param object on what, such as a path
     * @param errno the positive error number
     */
    public SystemCallException(String call, String object, int errno) {
        super(call + " " + object + ": " + Errno.describe(errno));
        this.errno = errno;
    }

    /** The positive error number, see {@link Errno}. */
    public int errno() {
        return errno;
    }
}
