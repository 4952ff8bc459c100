package spigot.coherence;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;

/**
 * An object that is leased or about to change: who holds it, and what waits for it in order. The first that waits is always a
 * change; acquires only wait behind one.
 */
final class LeasedObject {
    /** What waits its turn. */
    sealed interface Waiting {}

    /** @param request the caller's number */
    record Acquiring(long request, long session, LeasedObject object) implements Waiting {}

    /** A change of one or more objects. */
    static final class Changing implements Waiting {
        final long change;

        /** Objects that may still be held, and one more while the grace lasts. */
        int remaining;

        Changing(long change) {
            this.change = change;
        }
    }

    final FileId id;

    @Nullable
    GrantedLease firstHolder;

    private @Nullable ArrayDeque<Waiting> queue;

    LeasedObject(FileId id) {
        this.id = id;
    }

    boolean changing() {
        return queue != null;
    }

    boolean unused() {
        return firstHolder == null && queue == null;
    }

    void addHolder(GrantedLease lease) {
        lease.nextHolder = firstHolder;
        if (firstHolder != null) {
            firstHolder.previousHolder = lease;
        }
        firstHolder = lease;
    }

    void removeHolder(GrantedLease lease) {
        GrantedLease previous = lease.previousHolder;
        GrantedLease next = lease.nextHolder;
        if (previous == null) {
            InvariantException.check(firstHolder == lease, "a lease is in the list of its object");
            firstHolder = next;
        } else {
            previous.nextHolder = next;
        }
        if (next != null) {
            next.previousHolder = previous;
        }
        lease.previousHolder = null;
        lease.nextHolder = null;
    }

    @Nullable
    Waiting first() {
        return queue == null ? null : queue.peekFirst();
    }

    /** @return whether it is the first */
    boolean enqueue(Waiting waiting) {
        if (queue == null) {
            queue = new ArrayDeque<>(2);
        }
        queue.addLast(waiting);
        return queue.size() == 1;
    }

    /** @return whether it was the first */
    boolean dequeue(Waiting waiting) {
        if (queue == null) {
            throw new InvariantException("what waits is in the queue of its object");
        }
        boolean first = queue.peekFirst() == waiting;
        boolean there = first ? queue.pollFirst() != null : queue.removeFirstOccurrence(waiting);
        InvariantException.check(there, "what waits is in the queue of its object");
        if (queue.isEmpty()) {
            queue = null;
        }
        return first;
    }
}
