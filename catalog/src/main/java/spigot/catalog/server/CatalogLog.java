package spigot.catalog.server;

import java.io.IOException;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Outcome;

/**
 * The replicated log of commands with the tables that they make. Safe for any thread; the methods block and are meant for
 * virtual threads.
 */
public interface CatalogLog extends AutoCloseable {
    /**
     * Appends a command and applies it. When this returns, the command survives a crash and every later {@link #read} sees it.
     *
     * @throws IOException when it is not known whether the command has been or will be applied; the same may be proposed again
     */
    Outcome propose(Command command) throws IOException, InterruptedException;

    /** A view of the tables that has all whose proposal returned before this call (linearizable). Close it soon. */
    View read() throws IOException, InterruptedException;

    /** Makes the tables durable and drops the log entries before; it happens by itself now and then. */
    void snapshot() throws IOException, InterruptedException;

    @Override
    void close() throws IOException;
}
