package spigot.catalog.server;

import java.io.IOException;

/** The durable tables of one member. Any thread may open views; one thread commits. */
interface Tables extends AutoCloseable {
    /** The log entry that was applied last. */
    record Applied(long term, long index) {
        static final Applied NOTHING = new Applied(0, -1);
    }

    /** @throws IOException when the tables are closed */
    View view() throws IOException;

    /** What is in the tables now, whether it would survive a crash or not. */
    Applied applied();

    /** Makes the changes visible, all at once and together with the entry that they come from. */
    void commit(Transaction changes, Applied entry) throws IOException;

    /** Returns when all that was committed survives a crash. */
    void flush() throws IOException;

    /** Waits for open views; idempotent. */
    @Override
    void close() throws IOException;
}
