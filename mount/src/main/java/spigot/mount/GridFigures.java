package spigot.mount;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.Grid;

/**
 * What statfs shows: the last figures that the catalog told, asked for again in the background when they are older than ten
 * seconds. {@link #now} never blocks. Safe for any thread; at most one question is on its way.
 */
final class GridFigures {
    private static final Logger log = LoggerFactory.getLogger(GridFigures.class);
    private static final long REFRESH_NANOS = 10_000_000_000L;

    /** Asks the catalog. */
    @FunctionalInterface
    interface Question {
        Grid ask() throws IOException, InterruptedException;
    }

    /** In bytes and files; all zero before the first answer. */
    record Figures(long bytes, long freeBytes, long files) {}

    private final Question question;
    private final AtomicBoolean asking = new AtomicBoolean();
    private final AtomicLong askedNanos;
    private volatile Figures last = new Figures(0, 0, 0);

    GridFigures(Question question) {
        this.question = question;
        this.askedNanos = new AtomicLong(System.nanoTime() - REFRESH_NANOS);
    }

    Figures now() {
        if (System.nanoTime() - askedNanos.get() >= REFRESH_NANOS && asking.compareAndSet(false, true)) {
            Thread.ofVirtual().name("grid-figures").start(this::refresh);
        }
        return last;
    }

    /** Whether the catalog has told some. */
    boolean areKnown() {
        return last.files() > 0;
    }

    private void refresh() {
        try {
            last = figures(question.ask());
        } catch (IOException e) {
            log.debug("event=grid_figures_failed reason=\"{}\"", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            askedNanos.set(System.nanoTime());
            asking.set(false);
        }
    }

    /** Servers on the same file system count it once each: the catalog can't tell. At least the published bytes are shown as used. */
    private static Figures figures(Grid grid) {
        long capacity = 0;
        long free = 0;
        for (Grid.Server server : grid.servers()) {
            if (server.alive()) {
                capacity += server.capacityBytes();
                free += server.freeBytes();
            }
        }
        return new Figures(Math.max(capacity, grid.bytes()), free, grid.files() + grid.directories());
    }
}
