package spigot.session;

import spigot.model.FileId;

/** Who caches what is leased. */
@FunctionalInterface
public interface DropListener {
    /**
     * Drop all that is cached of the object under its lease, the kernel's caches too, then run {@code done}, on any thread.
     * The lease is not valid any more when this is called. Called on a virtual thread without a lock: may block, but a
     * change at the grantor waits for it.
     */
    void drop(FileId object, Runnable done);
}
