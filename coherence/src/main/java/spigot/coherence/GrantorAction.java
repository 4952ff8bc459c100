package spigot.coherence;

import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/** What a {@link Grantor} wants done, in order. */
public sealed interface GrantorAction {
    record Welcome(long request, NodeId client, long session, long epoch, long leaseMillis) implements GrantorAction {}

    record Renewed(long request, NodeId client, long session, long epoch, long leaseMillis) implements GrantorAction {}

    record Granted(
            long request, NodeId client, long session, long epoch, FileId object, long grantSequence, Version version)
            implements GrantorAction {}

    record Refused(long request, NodeId client, Reason reason) implements GrantorAction {}

    record Revoke(NodeId client, long session, long epoch, FileId object, long revokeSequence)
            implements GrantorAction {}

    /** Nobody holds the object at an older version any more: the change may take effect, now. */
    record Changed(long request, FileId object, Version version) implements GrantorAction {}

    /** The session has ended, by expiry or by a newer one; all it held is void. */
    record SessionEnded(NodeId client, long session) implements GrantorAction {}

    /** Why a request was refused. */
    enum Reason {
        UNKNOWN_SESSION,
        /** The grantor's earlier life may have given leases that still run. */
        IN_GRACE,
        TOO_MANY_SESSIONS,
        TOO_MANY_LEASES,
        TOO_MANY_WAITING
    }
}
