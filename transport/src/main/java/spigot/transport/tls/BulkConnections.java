package spigot.transport.tls;

import java.io.IOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.transport.LinkBrokenException;

/**
 * The bulk connections of a link. The side that connected opens them as they are needed, another one whenever all that are open
 * have something to do, and again after they broke, with growing pauses; the side that accepted takes what comes. Safe for any
 * thread; nothing is opened under the lock.
 */
final class BulkConnections {
    private static final Logger log = LoggerFactory.getLogger(BulkConnections.class);
    private static final long FIRST_PAUSE_NANOS = 100_000_000L;
    private static final int MAX_DOUBLINGS = 6;

    /** How the connecting side makes the n-th connection. */
    interface Opener {
        /** The connection, already reading. */
        Connection open(int index) throws LinkBrokenException;
    }

    private final @Nullable Opener opener;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock.
    private final Slot[] slots;
    private boolean closed;

    private static final class Slot {
        @Nullable
        Connection connection;

        boolean opening;
        long outstandingBytes;
        int failures;
        long notBeforeNanos = System.nanoTime();

        /** Also false for one that has broken a moment ago and is about to say so. */
        boolean isOpen() {
            return connection != null && connection.isOpen();
        }
    }

    /** One fetch on one connection; to be closed when it is over. */
    record Ticket(BulkConnections of, int index, Connection connection, long bytes) implements AutoCloseable {
        @Override
        public void close() {
            of.done(this);
        }
    }

    /** @param opener null on the side that accepted */
    BulkConnections(int count, @Nullable Opener opener) {
        this.opener = opener;
        this.slots = new Slot[count];
        for (int i = 0; i < count; i++) {
            slots[i] = new Slot();
        }
    }

    /**
     * The connection with the least to do, for a fetch of so many bytes.
     *
     * @param patienceNanos how long to wait if none is open but one is being opened
     * @return null when there is none to be had: the control connection must do
     */
    @Nullable
    Ticket pick(long bytes, long patienceNanos) throws InterruptedException {
        long left = patienceNanos;
        lock.lockInterruptibly();
        try {
            while (true) {
                openAnotherIfBusy();
                int best = leastBusy();
                Connection connection = best < 0 ? null : slots[best].connection;
                if (connection != null) {
                    slots[best].outstandingBytes += bytes;
                    return new Ticket(this, best, connection, bytes);
                }
                if (left <= 0 || !isOpening()) {
                    return null;
                }
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private int leastBusy() {
        int best = -1;
        for (int i = 0; i < slots.length; i++) {
            if (slots[i].isOpen() && (best < 0 || slots[i].outstandingBytes < slots[best].outstandingBytes)) {
                best = i;
            }
        }
        return best;
    }

    private boolean isOpening() {
        for (Slot slot : slots) {
            if (slot.opening) {
                return true;
            }
        }
        return false;
    }

    private void openAnotherIfBusy() {
        Opener by = opener;
        if (by == null || closed || isOpening()) {
            return;
        }
        int next = -1;
        long now = System.nanoTime();
        for (int i = 0; i < slots.length; i++) {
            if (slots[i].isOpen() && slots[i].outstandingBytes == 0) {
                return;
            }
            if (!slots[i].isOpen() && next < 0 && now - slots[i].notBeforeNanos >= 0) {
                next = i;
            }
        }
        if (next >= 0) {
            int index = next;
            slots[index].opening = true;
            Thread.ofVirtual().name("open bulk connection").start(() -> open(by, index));
        }
    }

    private void open(Opener by, int index) {
        @Nullable Connection opened = null;
        try {
            opened = by.open(index);
        } catch (IOException e) {
            log.info("event=bulk_connection_failed cause=\"{}\"", e.getMessage());
        } finally {
            opened(index, opened);
        }
    }

    private void opened(int index, @Nullable Connection connection) {
        boolean unwanted = false;
        lock.lock();
        try {
            Slot slot = slots[index];
            slot.opening = false;
            if (connection != null && connection.isOpen() && !closed) {
                slot.connection = connection;
                slot.outstandingBytes = 0;
                slot.failures = 0;
            } else {
                pause(slot);
                unwanted = connection != null;
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (unwanted && connection != null) {
            connection.close();
        }
    }

    private static void pause(Slot slot) {
        slot.notBeforeNanos = System.nanoTime() + (FIRST_PAUSE_NANOS << Math.min(slot.failures, MAX_DOUBLINGS));
        slot.failures++;
    }

    /**
     * The accepting side: the peer has opened its n-th connection; one that was there before is closed.
     *
     * @return false when the link is closed
     */
    boolean attach(int index, Connection connection) {
        Connection old;
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            old = slots[index].connection;
            slots[index].connection = connection;
            slots[index].outstandingBytes = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (old != null) {
            old.close();
        }
        return true;
    }

    /** A connection broke: its slot is free. */
    void broken(Connection connection) {
        lock.lock();
        try {
            for (Slot slot : slots) {
                if (slot.connection == connection) {
                    slot.connection = null;
                    slot.outstandingBytes = 0;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void done(Ticket ticket) {
        lock.lock();
        try {
            Slot slot = slots[ticket.index()];
            if (slot.connection == ticket.connection()) {
                slot.outstandingBytes -= ticket.bytes();
            }
        } finally {
            lock.unlock();
        }
    }

    void close(LinkBrokenException cause) {
        Connection[] open = new Connection[slots.length];
        lock.lock();
        try {
            closed = true;
            for (int i = 0; i < slots.length; i++) {
                open[i] = slots[i].connection;
                slots[i].connection = null;
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        for (Connection connection : open) {
            if (connection != null) {
                connection.breakBecause(cause);
            }
        }
    }
}
