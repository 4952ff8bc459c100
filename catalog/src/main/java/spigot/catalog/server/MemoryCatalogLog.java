package spigot.catalog.server;

import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Outcome;

/** The twin of {@link RatisCatalogLog} without files, for tests and simulations. Commands are applied under one lock. */
public final class MemoryCatalogLog implements CatalogLog {
    private final ReentrantLock applying = new ReentrantLock();
    private final MemoryTables tables = new MemoryTables();

    @Override
    public Outcome propose(Command command) throws IOException {
        applying.lock();
        try {
            Tables.Applied entry = new Tables.Applied(1, tables.applied().index() + 1);
            return Applier.apply(tables, command, entry);
        } finally {
            applying.unlock();
        }
    }

    @Override
    public View read() {
        return tables.view();
    }

    @Override
    public void snapshot() {}

    /** What was proposed stays readable, so that a test can open another catalog upon it. */
    @Override
    public void close() {}
}
