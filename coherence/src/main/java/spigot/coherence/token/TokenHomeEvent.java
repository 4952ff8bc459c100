package spigot.coherence.token;

import java.util.List;
import org.jspecify.annotations.Nullable;
import spigot.coherence.ClientId;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/**
 * What can happen to a {@link TokenHome}. {@code request} numbers are the driver's own, never used again; each is answered by one
 * action that has it, unless it is withdrawn.
 */
public sealed interface TokenHomeEvent {
    /**
     * A client begins a session; message {@code TokenHello}. Its older session ends, with all that it held, when it first uses
     * the new one, or at once when it reclaims.
     *
     * @param nonce the same in every repetition of this Hello: they begin one session
     * @param former the session that the client had last with this home, in whatever life; 0 when it had none or has forgotten
     * @param reclaims what it still holds from {@code former}; empty says: nothing any more
     */
    record Hello(long request, ClientId client, long nonce, long former, List<Reclaim> reclaims)
            implements TokenHomeEvent {
        public Hello {
            reclaims = List.copyOf(reclaims);
        }
    }

    /** One token that a client brings along from the home's former life. */
    record Reclaim(FileId file, Range range, Mode mode) {}

    /** Message {@code TokenRenew}. */
    record Renew(long request, NodeId client, long session) implements TokenHomeEvent {}

    /**
     * Message {@code TokenAcquire}.
     *
     * @param required less is of no use
     * @param desired contains {@code required}; granted as far as nobody objects
     */
    record Acquire(long request, NodeId client, long session, FileId file, Mode mode, Range required, Range desired)
            implements TokenHomeEvent {}

    /** Whoever waits for an Acquire, a Glimpse or a serialised operation has lost patience. */
    record Withdraw(long request) implements TokenHomeEvent {}

    /**
     * Message {@code TokenRelease}: the client gives back what it has of the range from grants up to this one; it is clean.
     */
    record Release(NodeId client, long session, FileId file, Range range, long sequence) implements TokenHomeEvent {}

    /** Message {@code TokenRevokeAck}. */
    record RevokeAck(NodeId client, long session, long sequence) implements TokenHomeEvent {}

    /**
     * Message {@code TokenWrite}: commit what is written under an exclusive token.
     *
     * @param operation counted by the client in its session from 1
     * @param tokenSequence the last grant under which this was sent
     * @param unacknowledged the lowest operation whose answer the client does not have yet: replies below are forgotten
     */
    record Write(
            long request,
            NodeId client,
            long session,
            long epoch,
            FileId file,
            Range range,
            long operation,
            long tokenSequence,
            long unacknowledged)
            implements TokenHomeEvent {}

    /** Message {@code SerialisedRead}: read at the home, under no token. */
    record SerialisedRead(long request, NodeId client, long session, FileId file, Range range)
            implements TokenHomeEvent {}

    /** Message {@code SerialisedWrite}: write at the home, under no token. Operations are counted apart from those of {@link Write}. */
    record SerialisedWrite(
            long request,
            NodeId client,
            long session,
            long epoch,
            FileId file,
            Range range,
            long operation,
            long unacknowledged)
            implements TokenHomeEvent {}

    /** The driver has read what {@link TokenHomeAction.Serve} allowed, or given up. */
    record Served(long request) implements TokenHomeEvent {}

    /**
     * What {@link TokenHomeAction.Admit} allowed is on stable storage. To be told in the order of the log.
     *
     * @param version that the log has given to it: higher than all before it of this file
     * @param also what it has changed besides its range: of a cut, what was behind. The session has the exclusive token of it
     */
    record Durable(long commit, Version version, @Nullable Range also) implements TokenHomeEvent {
        public Durable(long commit, Version version) {
            this(commit, version, null);
        }
    }

    /** ... or could not be done (no space, quota): it must leave no trace, also not after a crash. */
    record NotDurable(long commit) implements TokenHomeEvent {}

    /** Message {@code Glimpse}: size and times, without taking the token from whom changes them. */
    record Glimpse(long request, NodeId client, long session, FileId file) implements TokenHomeEvent {}

    /**
     * Answer to {@link TokenHomeAction.AskGlimpse}.
     *
     * @param glimpsed null when the client does not have the token
     */
    record GlimpseReply(
            NodeId client,
            long session,
            long request,
            @Nullable Glimpsed glimpsed) implements TokenHomeEvent {}

    /** What the holder of the attributes knows. @param size in bytes */
    record Glimpsed(long size, long modifiedNanos, long changedNanos) {}

    /** The client ends its session: its caches are dropped, and all is committed. */
    record Bye(NodeId client, long session) implements TokenHomeEvent {}

    /** Time has passed. */
    record Tick() implements TokenHomeEvent {}
}
