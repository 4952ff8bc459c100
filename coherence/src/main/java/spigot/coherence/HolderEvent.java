package spigot.coherence;

import spigot.model.FileId;
import spigot.model.Version;

/** What can happen to a {@link Holder}, the client's side of one session with one grantor. */
public sealed interface HolderEvent {
    /** There is a link to the grantor: resume the session, or begin one. */
    record LinkUp() implements HolderEvent {}

    record LinkDown() implements HolderEvent {}

    /**
     * @param nonce of the Hello that this answers
     * @param sentMillis when that Hello was sent, by the holder's own clock
     */
    record Welcomed(long nonce, long session, long epoch, long leaseMillis, long sentMillis) implements HolderEvent {}

    /** @param sentMillis when the Renew that this answers was sent, by the holder's own clock */
    record Renewed(long session, long epoch, long leaseMillis, long sentMillis) implements HolderEvent {}

    /** The grantor does not know the session. */
    record SessionUnknown(long session) implements HolderEvent {}

    record Granted(long session, long epoch, FileId object, long grantSequence, Version version)
            implements HolderEvent {}

    /**
     * A change that this client asked for itself has taken effect: its lease stays, and is of the object as it is now. What was
     * stored before is not valid under it.
     *
     * @param sequence as that of a grant; all grants with lower ones are void
     * @param from the version that the object had before
     */
    record OwnChange(long session, long epoch, FileId object, long sequence, Version from, Version version)
            implements HolderEvent {}

    record Revoked(long session, long epoch, FileId object, long revokeSequence) implements HolderEvent {}

    /** What {@link HolderAction.Drop} asked for has been done. */
    record Dropped(FileId object) implements HolderEvent {}

    /** The client itself no longer wants the lease (eviction); its caches of the object are dropped already. */
    record GiveUp(FileId object) implements HolderEvent {}

    record Tick() implements HolderEvent {}
}
