package spigot.fuse;

/** More requests wait for their answers than the mount allows; the new one is answered with ENOMEM. */
public final class RequestRefusedException extends RuntimeException {
    RequestRefusedException(int limit) {
        super("more than " + limit + " requests wait for their answers");
    }
}
