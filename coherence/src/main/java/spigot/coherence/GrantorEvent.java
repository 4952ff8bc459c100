package spigot.coherence;

import java.util.List;
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
     */
    record Change(long change, List<FileId> objects) implements GrantorEvent {}

    /** The change has taken effect, or is given up; also while it is not {@link GrantorAction.Cleared} yet. */
    record Finish(long change) implements GrantorEvent {}

    /** Time has passed. */
    record Tick() implements GrantorEvent {}
}
