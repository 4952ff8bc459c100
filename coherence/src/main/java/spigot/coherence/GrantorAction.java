package spigot.coherence;

import java.util.List;
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

    /**
     * Nobody but its actor holds an object of the change any more, and nobody will until it is finished: it may take effect.
     */
    record Cleared(long change) implements GrantorAction {}

    /**
     * For the actor of a change that has taken effect: it has to say {@link GrantorEvent.Seen}.
     *
     * @param held its leases on the objects
     */
    record OwnChange(long change, long session, long epoch, List<Held> held) implements GrantorAction {}

    /**
     * @param sequence all grants of the object with lower ones are void
     * @param kept the lease is of the object as it is now; else it had been revoked before with this sequence: its holder, which may
     *     not have heard of that, must not use it any more
     */
    record Held(FileId object, long sequence, boolean kept) {}

    /** The change that had taken effect is seen by its actor, or the actor's session has ended, maybe with a former life. */
    record Finished(long change) implements GrantorAction {}

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
