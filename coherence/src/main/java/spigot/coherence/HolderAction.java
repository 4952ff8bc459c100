package spigot.coherence;

import spigot.model.FileId;

/** What a {@link Holder} wants done, in order. */
public sealed interface HolderAction {
    record SendHello(long nonce, long instance) implements HolderAction {}

    record SendRenew(long session) implements HolderAction {}

    record SendRevokeAck(long session, FileId object, long revokeSequence) implements HolderAction {}

    record SendRelease(long session, FileId object, long grantSequence) implements HolderAction {}

    /**
     * Drop all that is cached of the object under its lease (the kernel's caches too), then say
     * {@link HolderEvent.Dropped}. There is no second Drop of the object before that.
     */
    record Drop(FileId object) implements HolderAction {}

    /** A new session is established. */
    record SessionReady(long session) implements HolderAction {}

    /** The session has ended, or its lease has run out: nothing that was held is valid any more. Its Drops follow. */
    record SessionLost(long session) implements HolderAction {}
}
