package spigot.catalog.client;

import spigot.model.FileId;

/** Told when what is cached elsewhere of a directory, above all by the kernel, is not covered by a lease any more. */
@FunctionalInterface
public interface NamespaceListener {
    /** For a process that keeps nothing. */
    NamespaceListener NONE = (directory, done) -> done.run();

    /**
     * Drop all that is cached of the directory: its names, its absent names, its attributes and those of its entries. The
     * client itself has forgotten them already, or calls them stale. Called on a thread that must not be blocked; the lease is
     * given back when {@code done} has been run, from any thread, exactly once.
     */
    void drop(FileId directory, Runnable done);
}
