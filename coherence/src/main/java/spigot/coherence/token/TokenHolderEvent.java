package spigot.coherence.token;

import spigot.model.FileId;
import spigot.model.Version;

/** What can happen to a {@link TokenHolder}, the client's side of one session with one home. */
public sealed interface TokenHolderEvent {
    /** There is a link to the home: resume the session, or begin one. */
    record LinkUp() implements TokenHolderEvent {}

    record LinkDown() implements TokenHolderEvent {}

    /**
     * @param nonce of the Hello that this answers
     * @param reclaimSequence as in {@link TokenHomeAction.Welcome}
     * @param sentMillis when that Hello was sent, by the holder's own clock
     */
    record Welcomed(long nonce, long session, long epoch, long leaseMillis, long reclaimSequence, long sentMillis)
            implements TokenHolderEvent {}

    /** @param sentMillis when the Renew that this answers was sent, by the holder's own clock */
    record Renewed(long session, long epoch, long leaseMillis, long sentMillis) implements TokenHolderEvent {}

    /** The home does not know the session. @param epoch the home's: a higher one than the session's means that it has restarted */
    record SessionUnknown(long session, long epoch) implements TokenHolderEvent {}

    /** A file is in use: its {@link FileTokens} stay the same until it is closed as often as opened. */
    record Opened(FileId file) implements TokenHolderEvent {}

    record Closed(FileId file) implements TokenHolderEvent {}

    /**
     * A program needs a token. Answered by {@link TokenHolderAction.Answered}; then look whether it is there.
     *
     * @param request the driver's own number, never used again
     * @param desired contains {@code required}
     */
    record Want(long request, FileId file, Mode mode, Range required, Range desired) implements TokenHolderEvent {}

    record Granted(
            long request, long session, long epoch, FileId file, Mode mode, Range range, long sequence, Version version)
            implements TokenHolderEvent {}

    /** The Acquire was refused, or failed, or nobody waits for it any more: a grant that comes later is not applied. */
    record NotGranted(long request, FileId file) implements TokenHolderEvent {}

    record Revoked(long session, long epoch, FileId file, Range range, Mode downTo, long sequence)
            implements TokenHolderEvent {}

    /** What {@link TokenHolderAction.Drop} asked for has been done. */
    record Dropped(FileId file, long number) implements TokenHolderEvent {}

    /** {@link Token#exit} said so. */
    record Idle(FileId file) implements TokenHolderEvent {}

    /** Bytes were written into the journal; told before {@link Token#exit}. */
    record Dirtied(FileId file, Range range) implements TokenHolderEvent {}

    /** What is dirty in this range is to be committed: fsync, close, or age. */
    record FlushWanted(FileId file, Range range) implements TokenHolderEvent {}

    /**
     * A program writes what the home serves itself. Answered by {@link TokenHolderAction.Answered}: true when it is committed, false
     * when it is not known whether it is, because the session is over.
     */
    record WriteSerialised(long request, FileId file, Range range) implements TokenHolderEvent {}

    /** {@link TokenHolderAction.SendSerialisedWrite} was answered by Committed. */
    record WroteSerialised(long session, long operation) implements TokenHolderEvent {}

    /** ... or was not. @param again whether to send it again with the next Tick, under the same number; otherwise it is given up */
    record NotWroteSerialised(long session, long operation, boolean again) implements TokenHolderEvent {}

    /** {@link TokenHolderAction.Flush} was answered by Committed. */
    record Flushed(long session, long operation, Version version) implements TokenHolderEvent {}

    /** ... or was not answered, or refused: it is sent again with the next Tick, under the same number. */
    record NotFlushed(long session, long operation) implements TokenHolderEvent {}

    /** ... or never will be, and its bytes are kept apart and reported: they are not dirty any more. */
    record FlushAbandoned(long session, long operation) implements TokenHolderEvent {}

    /** The client itself does not want this any more. */
    record GiveUp(FileId file, Range range) implements TokenHolderEvent {}

    record Tick() implements TokenHolderEvent {}
}
