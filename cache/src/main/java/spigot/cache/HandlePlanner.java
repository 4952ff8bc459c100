package spigot.cache;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.cache.plan.FetchAhead;
import spigot.cache.plan.FetchPlanner;
import spigot.cache.plan.PlannerLimits;
import spigot.model.FileVersion;

/** The planner of one handle, for several threads. */
final class HandlePlanner {
    /** What to fetch for one read. */
    record Plan(long demandStart, long demandEnd, @Nullable FetchAhead ahead) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final FetchPlanner planner; // guarded by the lock

    HandlePlanner(PlannerLimits limits) {
        planner = new FetchPlanner(limits);
    }

    /** Tells what need not be fetched. */
    @FunctionalInterface
    interface Presence {
        boolean contains(FileVersion content, long offset, long length);
    }

    /**
     * Of a read that memory answered. When another thread is planning right now, it is not noted: it would not matter. Allocates nothing when
     * there is nothing to fetch.
     */
    @Nullable
    FetchAhead onHit(long offset, int length, Content content, Presence memory) {
        if (!lock.tryLock()) {
            return null;
        }
        try {
            return planner.onRead(offset, length, content.size()) && !isAllThere(content, memory)
                    ? planner.ahead()
                    : null;
        } finally {
            lock.unlock();
        }
    }

    private boolean isAllThere(Content content, Presence memory) {
        for (int piece = 0; piece < planner.aheadPieces(); piece++) {
            long start = planner.aheadStart(piece);
            long length = Math.min(planner.aheadLength(), content.size() - start);
            if (!memory.contains(content.version(), start, length)) {
                return false;
            }
        }
        return true;
    }

    /** @param missing the first byte that is not in memory; -1: none */
    Plan onRead(long offset, int length, Content content, Presence memory, long missing) {
        long size = content.size();
        lock.lock();
        try {
            boolean due = planner.onRead(offset, length, size) && !isAllThere(content, memory);
            FetchAhead ahead = due ? planner.ahead() : null;
            if (missing < 0) {
                return new Plan(offset, offset, ahead);
            }
            planner.onMiss(missing);
            int left = (int) (offset + length - missing);
            return new Plan(planner.demandStart(missing, left), planner.demandEnd(missing, left, size), ahead);
        } finally {
            lock.unlock();
        }
    }
}
