package spigot.coherence;

import java.util.List;
import java.util.Optional;
import spigot.model.FileId;
import spigot.model.NodeId;

/** What can happen to a {@link Grantor}. {@code request} and {@code change} numbers are the caller's own, to match answers. */
public sealed interface GrantorEvent {
    /**
     * A client begins a session. Its older session ends, with all that it held, when it first uses the new one: a late copy
     * of an old Hello ends nothing.
     *
     * @param nonce the same in every repetition of this Hello: they begin one session
     */
    record Hello(long request, ClientId client, long nonce) implements GrantorEvent {}

    record Renew(long request, NodeId client, long session) implements GrantorEvent {}

    /** The client asks for a shared lease on an object. */
    record Acquire(long request, NodeId client, long session, FileId object) implements GrantorEvent {}

    /** Whoever waits for this Acquire has lost patience. */
    record Withdraw(long request) implements GrantorEvent {}

    /** The client gives a grant back. */
    record Release(NodeId client, long session, FileId object, long grantSequence) implements GrantorEvent {}

    record RevokeAck(NodeId client, long session, FileId object, long revokeSequence) implements GrantorEvent {}

    /** The client ends its session: its caches are dropped. */
    record Bye(NodeId client, long session) implements GrantorEvent {}

    /**
     * The objects are to change together: all their leases must be gone first, and none is granted until {@link Finish}.
     * Changes of one object happen in order.
     *
     * @param actor on whose behalf: its leases on the objects stay. It learns what they lead to now with its answer, and until it
     *     has said {@link Seen} nobody else is shown the change
     */
    record Change(long change, List<FileId> objects, Optional<Actor> actor) implements GrantorEvent {
        public Change(long change, List<FileId> objects) {
            this(change, objects, Optional.empty());
        }
    }

    /**
     * What a former life has changed on behalf of clients that may not have seen it: nobody is shown these objects before the leases of
     * that life have run out. It is finished then by itself.
     */
    record Hide(long change, List<FileId> objects) implements GrantorEvent {}

    /** A client in its session, which need not exist any more. */
    record Actor(NodeId client, long session) {}

    /** The change has taken effect, or is given up; also while it is not {@link GrantorAction.Cleared} yet. */
    record Finish(long change) implements GrantorEvent {}

    /** The change has taken effect: it is finished when its actor has seen it; at once when the actor has none of its objects. */
    record Visible(long change) implements GrantorEvent {}

    /** The actor's caches, its kernel's too, show what its own change made, or nothing. May come again. */
    record Seen(NodeId client, long session, long change) implements GrantorEvent {}

    /** Time has passed. */
    record Tick() implements GrantorEvent {}
}
