package spigot.coherence;

import spigot.model.FileId;
import spigot.model.NodeId;

/** What a {@link Grantor} wants done, in order. */
public sealed interface GrantorAction {
    record Welcome(long request, long session, long epoch, long leaseMillis) implements GrantorAction {}

    record Renewed(long request, long epoch, long leaseMillis) implements GrantorAction {}

    /** The lease stands from now on. Only what is read of the object after this may be sent with the grant. */
    record Granted(long request, long session, long epoch, FileId object, long grantSequence)
            implements GrantorAction {}

    record Refused(long request, Reason reason) implements GrantorAction {}

    record Revoke(NodeId client, long session, long epoch, FileId object, long revokeSequence)
            implements GrantorAction {}

    /** Nobody holds an object of the change any more, and nobody will until {@link GrantorEvent.Finish}: it may take effect. */
    record Cleared(long change) implements GrantorAction {}

    /** The session has ended, by expiry or by a newer one; all it held is void. */
    record SessionEnded(NodeId client, long session) implements GrantorAction {}

    /** Why a request was refused. */
    enum Reason {
        UNKNOWN_SESSION,
        /** The session has not yet acknowledged a Revoke of the object: its answer must not wait for that, or both would. */
        REVOKING,
        TOO_MANY_SESSIONS,
        TOO_MANY_LEASES,
        TOO_MANY_WAITING
    }
}
