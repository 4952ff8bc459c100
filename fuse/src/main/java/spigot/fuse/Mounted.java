package spigot.fuse;

import java.nio.file.Path;

/** What a way of mounting left in the system, and how to take it away again. Any thread. */
interface Mounted {
    Path mountPoint();

    int connectionNumber();

    /** Takes the mount out of the tree, also when it is in use; nothing happens if it is gone already. */
    void detach() throws FuseException;

    /** Cuts the connection with the kernel. */
    void abort() throws FuseException;

    /** Ends what would have unmounted after a crash. */
    void dismissGuard();
}
