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

        /** The session whose leases stay; it may have ended meanwhile. */
        final @Nullable LeaseSession actor;

        /** Whether it has taken effect in a former life. */
        final boolean former;

        Changing(long change, @Nullable LeaseSession actor, boolean former) {
            this.change = change;
            this.actor = actor;
            this.former = former;
        }
    }

    final FileId id;

    @Nullable
    GrantedLease firstHolder;

    /** Whether the first change need not wait for a holder of this object any more. */
    boolean cleared;

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

    /** Whether nobody holds it, or this session alone. */
    boolean heldByNoOther(@Nullable LeaseSession session) {
        GrantedLease holder = firstHolder;
        return holder == null || (holder.nextHolder == null && holder.session == session);
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

    /**
     * Lets it wait behind the changes that are there, but not behind one whose actor the session is: that waits for the actor, whose
     * kernel may be waiting for this answer. Not to be called when that is the first.
     */
    void enqueueBeforeOwn(Acquiring acquiring, LeaseSession session) {
        ArrayDeque<Waiting> waiting = queue;
        if (waiting == null) {
            throw new InvariantException("acquires wait only behind changes");
        }
        ArrayDeque<Waiting> reordered = new ArrayDeque<>(waiting.size() + 1);
        boolean placed = false;
        for (Waiting next : waiting) {
            if (!placed && next instanceof Changing changing && changing.actor == session) {
                reordered.addLast(acquiring);
                placed = true;
            }
            reordered.addLast(next);
        }
        if (!placed) {
            reordered.addLast(acquiring);
        }
        queue = reordered;
    }

    /** @return whether it was the first */
    boolean dequeue(Waiting waiting) {
        if (queue == null) {
            throw new InvariantException("what waits is in the queue of its object");
        }
        boolean first = queue.peekFirst() == waiting;
        if (first) {
            cleared = false;
        }
        boolean there = first ? queue.pollFirst() != null : queue.removeFirstOccurrence(waiting);
        InvariantException.check(there, "what waits is in the queue of its object");
        if (queue.isEmpty()) {
            queue = null;
        }
        return first;
    }
}
