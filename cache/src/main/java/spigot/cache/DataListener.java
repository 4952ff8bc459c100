package spigot.cache;

import spigot.model.FileId;

/** Told when what the kernel has of a file's data and attributes is no longer known to be current. */
public interface DataListener {
    /**
     * The lease of a file that is open is gone: the home wants to change the file, or it was not heard of in time. The kernel's pages and
     * attributes of the file must go; a Revoke is acknowledged only after {@code done} has run.
     *
     * <p>Called on a thread that must not block: hand on to the notifier pool. {@link OpenFile#tryRead} of its handles answers -1 from
     * before this call until the file has been looked at again at its home.
     *
     * @param done to be run exactly once, by any thread, also when nothing had to be done
     */
    void changed(FileId file, Runnable done);
}
