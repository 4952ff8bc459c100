package spigot.coherence;

import spigot.model.FileId;

/** What a {@link Holder} wants done, in order. */
public sealed interface HolderAction {
    record SendHello(long session) implements HolderAction {}

    record SendRenew(long session) implements HolderAction {}

    record SendRevokeAck(long session, FileId object, long revokeSequence) implements HolderAction {}

    record SendRelease(long session, FileId object, long grantSequence) implements HolderAction {}

    /** Drop all that is cached of the object under its lease (the kernel's caches too), then say {@link HolderEvent.Dropped}. */
    record Drop(FileId object, long dropSequence) implements HolderAction {}

    /** The session's lease has run out: nothing that was held is valid any more. A Drop for each object follows. */
    record SessionLost(long session) implements HolderAction {}

    /** A new session is established. */
    record SessionReady(long session) implements HolderAction {}
}
