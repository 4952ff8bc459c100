package spigot.coherence;

import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/** What can happen to a {@link Grantor}. {@code request} numbers are the caller's own, to match answers. */
public sealed interface GrantorEvent {
    /** A client begins a session; an older session of the same client ends by it, with all it held. */
    record Hello(long request, NodeId client, long session) implements GrantorEvent {}

    record Renew(long request, NodeId client, long session) implements GrantorEvent {}

    /** The client asks for a shared lease on an object. */
    record Acquire(long request, NodeId client, long session, FileId object) implements GrantorEvent {}

    /** The client gives a grant back. */
    record Release(NodeId client, long session, FileId object, long grantSequence) implements GrantorEvent {}

    record RevokeAck(NodeId client, long session, FileId object, long revokeSequence) implements GrantorEvent {}

    /** The object is to move to a new version: all its leases must be gone first. Changes of one object happen in order. */
    record Change(long request, FileId object, Version version) implements GrantorEvent {}

    /** Time has passed. */
    record Tick() implements GrantorEvent {}
}
