package spigot.replica.commit;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Who reads a file at the moment, counted in two generations: a folding begins a new one and waits for the end of the older, so that
 * it never changes bytes under somebody who began to read before they were visible. Any thread enters and leaves, without a lock;
 * {@link #begin} and {@link #awaitOlder} are for one thread at a time.
 */
final class Readers {
    private final AtomicIntegerArray counts = new AtomicIntegerArray(2);
    private volatile int generation;
    private volatile @Nullable Thread waiting;

    /** @return to be given to {@link #leave}; the view is to be looked at afterwards */
    int enter() {
        while (true) {
            int now = generation;
            counts.incrementAndGet(now & 1);
            if (generation == now) {
                return now;
            }
            // Counted in a generation that ended meanwhile: who waits for its end may have seen it.
            leave(now);
        }
    }

    void leave(int entered) {
        if (counts.decrementAndGet(entered & 1) == 0 && entered != generation) {
            LockSupport.unpark(waiting);
        }
    }

    /** Begins a generation, when there are no readers of older ones any more. */
    void begin() {
        int next = generation + 1;
        generation = next;
    }

    /** Waits until only those of this generation are left. */
    void awaitOlder() throws InterruptedException {
        waiting = Thread.currentThread();
        try {
            while (counts.get((generation - 1) & 1) > 0) {
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                LockSupport.park(this);
            }
        } finally {
            waiting = null;
        }
    }
}
