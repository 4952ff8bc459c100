package spigot.cache;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.cache.plan.FetchAhead;
import spigot.cache.plan.FetchPlanner;
import spigot.cache.plan.PlannerLimits;

/** The planner of one handle, for several threads. */
final class HandlePlanner {
    /** What to fetch for one read. */
    record Plan(long demandStart, long demandEnd, @Nullable FetchAhead ahead) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final FetchPlanner planner; // guarded by the lock

    HandlePlanner(PlannerLimits limits) {
        planner = new FetchPlanner(limits);
    }

    /** Of a read that memory answered. When another thread is planning right now, it is not noted: it would not matter. */
    @Nullable
    FetchAhead onHit(long offset, int length, long size) {
        if (!lock.tryLock()) {
            return null;
        }
        try {
            return planner.onRead(offset, length, size);
        } finally {
            lock.unlock();
        }
    }

    /** @param missing the first byte that is not in memory; -1: none */
    Plan onRead(long offset, int length, long size, long missing) {
        lock.lock();
        try {
            FetchAhead ahead = planner.onRead(offset, length, size);
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
