package spigot.coherence.token;

import java.util.List;
import spigot.model.FileId;
import spigot.model.Version;

/** What a {@link TokenHolder} wants done, in order. */
public sealed interface TokenHolderAction {
    /** As {@link TokenHomeEvent.Hello}. */
    record SendHello(long nonce, long instance, long former, List<TokenHomeEvent.Reclaim> reclaims)
            implements TokenHolderAction {
        public SendHello {
            reclaims = List.copyOf(reclaims);
        }
    }

    record SendRenew(long session) implements TokenHolderAction {}

    record SendAcquire(long request, long session, FileId file, Mode mode, Range required, Range desired)
            implements TokenHolderAction {}

    /**
     * The request has its answer.
     *
     * @param applied of a Want: whether a grant was applied, so look whether the token is there; of a write: whether it is committed
     */
    record Answered(long request, boolean applied) implements TokenHolderAction {}

    /**
     * Drop what the kernel caches of the range (for {@link Range#ATTRIBUTES}: of the attributes), from the notifier, then say
     * {@link TokenHolderEvent.Dropped}. What this launders is written under the token, which is still there. May come again with the
     * same number when something was in service meanwhile.
     */
    record Drop(FileId file, Range range, long number) implements TokenHolderAction {}

    /**
     * Send {@code TokenWrite} with what the journal has of the range now; then say Flushed, NotFlushed or FlushAbandoned. May come
     * again with the same number: then it is the same operation.
     *
     * @param unacknowledged as in {@link TokenHomeEvent.Write}
     */
    record Flush(
            long session, long epoch, FileId file, Range range, long operation, long tokenSequence, long unacknowledged)
            implements TokenHolderAction {}

    /** Send {@code SerialisedWrite}; otherwise as {@link Flush}, with the bytes of the request. */
    record SendSerialisedWrite(
            long request, long session, long epoch, FileId file, Range range, long operation, long unacknowledged)
            implements TokenHolderAction {}

    record SendRevokeAck(long session, long sequence) implements TokenHolderAction {}

    record SendRelease(long session, FileId file, Range range, long sequence) implements TokenHolderAction {}

    /** A session is established, or has been brought over to the home's new life with all its tokens. */
    record SessionReady(long session, boolean reclaimed) implements TokenHolderAction {}

    /** The session has ended, or its lease has run out: nothing that was held is valid any more. Orphaned and Drops follow. */
    record SessionLost(long session) implements TokenHolderAction {}

    /**
     * Bytes that were written under a token that is lost, and not committed as far as is known. The journal gets an exclusive
     * token again and, if the home says that the range has not changed since {@code version}, tells Dirtied; otherwise it
     * keeps the bytes apart and reports EIO: they, or some of them, may even be committed.
     */
    record Orphaned(FileId file, Range range, Version version) implements TokenHolderAction {}
}
