package spigot.coherence.token;

import org.jspecify.annotations.Nullable;
import spigot.coherence.ClientId;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/** What a {@link TokenHome} wants done, in order. */
public sealed interface TokenHomeAction {
    /** Write down, durably and before any later action is done: there is such a session. It is to be handed to the next life. */
    record Remember(ClientId client, long session) implements TokenHomeAction {}

    /** The session is over, or has been reclaimed: the next life need not wait for it. May be written down lazily. */
    record Forget(long session) implements TokenHomeAction {}

    /** @param reclaimSequence the sequence of all tokens that were reclaimed; 0 when none was, and the client holds nothing */
    record Welcome(long request, long session, long epoch, long leaseMillis, long reclaimSequence)
            implements TokenHomeAction {}

    record Renewed(long request, long epoch, long leaseMillis) implements TokenHomeAction {}

    /**
     * The token stands from now on. Only what is read of the range after this may be sent with the grant.
     *
     * @param range contains what was required
     * @param version of the file at this moment; what changed since an older one: {@link TokenHome#changesSince}
     */
    record Granted(
            long request, long session, long epoch, FileId file, Mode mode, Range range, long sequence, Version version)
            implements TokenHomeAction {}

    /**
     * Send {@code TokenRevoke}: what the session has of the range from grants before {@code sequence} is to be reduced.
     *
     * @param deadlineMillis by the home's clock, for logs: about then the session will not be renewed any more
     */
    record Revoke(
            NodeId client,
            long session,
            long epoch,
            FileId file,
            Range range,
            Mode downTo,
            long sequence,
            long deadlineMillis)
            implements TokenHomeAction {}

    /** Append the data to the log, make it durable, and say {@link TokenHomeEvent.Durable} or NotDurable. */
    record Admit(long commit, long request, FileId file, Range range) implements TokenHomeAction {}

    /** Committed, now or before. Nothing of it was shown to anybody else until now. */
    record Committed(long request, FileId file, Version version) implements TokenHomeAction {}

    /** Read the range, answer, and say {@link TokenHomeEvent.Served}: until then nobody changes it. */
    record Serve(long request, FileId file, Range range, Version version) implements TokenHomeAction {}

    /** Ask this client for size and times: message {@code Glimpse} from the home, answered by {@link TokenHomeEvent.GlimpseReply}. */
    record AskGlimpse(long request, NodeId client, long session, FileId file) implements TokenHomeAction {}

    /** @param glimpsed null when what the home itself knows is right */
    record Glimpse(long request, FileId file, TokenHomeEvent.@Nullable Glimpsed glimpsed) implements TokenHomeAction {}

    record Refused(long request, Reason reason) implements TokenHomeAction {}

    /** The session has ended, by expiry, Bye or a newer one; all it held is void. */
    record SessionEnded(NodeId client, long session) implements TokenHomeAction {}

    /** Why a request was refused. */
    enum Reason {
        /** Say Hello; the answer tells the home's epoch, so that the client knows whether to reclaim. */
        UNKNOWN_SESSION,
        /** The session has not acknowledged a Revoke for a whole lease. */
        REVOKING,
        /** The home serves this range itself: use the serialised operations. */
        SERIALISED,
        /** The client does not have the token that it writes under. */
        NO_TOKEN,
        /** Written for another life of the home. */
        OTHER_EPOCH,
        /** The same operation, or one that overlaps, is being committed: again later. */
        IN_PROGRESS,
        /** The client has said that it has the answer. */
        FORGOTTEN,
        /** The log could not take it; the operation may be sent again. */
        NOT_DURABLE,
        TOO_MANY_SESSIONS,
        TOO_MANY_TOKENS,
        TOO_MANY_WAITING,
        TOO_MANY_OPERATIONS
    }
}
