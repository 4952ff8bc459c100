package spigot.session;

import java.util.ArrayList;
import java.util.List;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHolderAction;
import spigot.coherence.token.TokenHomeAction;
import spigot.coherence.token.TokenHomeEvent;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.TokenAcquire;
import spigot.transport.wire.TokenBye;
import spigot.transport.wire.TokenChange;
import spigot.transport.wire.TokenChanges;
import spigot.transport.wire.TokenHello;
import spigot.transport.wire.TokenMode;
import spigot.transport.wire.TokenRange;
import spigot.transport.wire.TokenRelease;
import spigot.transport.wire.TokenRenew;
import spigot.transport.wire.TokenRevoke;
import spigot.transport.wire.TokenRevokeAck;
import spigot.transport.wire.TokenWelcome;

/** The messages of tokens, in their envelopes, and back; what comes from a peer is checked here. */
final class TokenMessages {
    /** What one request may bring, so that it fits into the header of a frame. */
    static final int MAX_CHANGE_BYTES = 256 << 10;

    static final int MAX_PIECES = 64;

    /** What may come along with a grant, or be read at the home at once. */
    static final int MAX_FIRST_BYTES = 1 << 20;

    static final int MAX_READ_BYTES = 4 << 20;
    static final int MAX_RECLAIMS = 16_384;

    private TokenMessages() {}

    // ---- values -----------------------------------------------------------------------------------------------------

    static TokenRange wire(Range range) {
        return range.attributes()
                ? TokenRange.newBuilder().setAttributes(true).build()
                : TokenRange.newBuilder()
                        .setFrom(range.from())
                        .setTo(range.to())
                        .build();
    }

    static Range range(TokenRange wire) throws FailureException {
        if (wire.getAttributes()) {
            return Range.ATTRIBUTES;
        }
        if (wire.getTo() > Range.LIMIT) {
            throw Messages.bad("range", wire.getFrom() + " to " + wire.getTo());
        }
        try {
            return new Range(wire.getFrom(), wire.getTo());
        } catch (IllegalArgumentException e) {
            throw Messages.bad("range", String.valueOf(e.getMessage()));
        }
    }

    static TokenMode wire(Mode mode) {
        return switch (mode) {
            case NONE -> TokenMode.TOKEN_NONE;
            case SHARED -> TokenMode.TOKEN_SHARED;
            case EXCLUSIVE -> TokenMode.TOKEN_EXCLUSIVE;
        };
    }

    static Mode mode(TokenMode wire) throws FailureException {
        return switch (wire) {
            case TOKEN_NONE -> Mode.NONE;
            case TOKEN_SHARED -> Mode.SHARED;
            case TOKEN_EXCLUSIVE -> Mode.EXCLUSIVE;
            case UNRECOGNIZED -> throw Messages.bad("mode of a token", wire.toString());
        };
    }

    /** @param wire of a request to read or to write: with a mode that gives something */
    static Mode needed(TokenMode wire) throws FailureException {
        Mode mode = mode(wire);
        if (mode == Mode.NONE) {
            throw Messages.bad("mode of a token", "none");
        }
        return mode;
    }

    static TokenChanges wire(Changes changes, spigot.model.Version version) {
        TokenChanges.Builder wire =
                TokenChanges.newBuilder().setAll(changes.all()).setVersion(Messages.wire(version));
        changes.ranges().forEach(range -> wire.addRanges(wire(range)));
        return wire.build();
    }

    static Changes changes(TokenChanges wire) throws FailureException {
        List<Range> ranges = new ArrayList<>();
        for (TokenRange range : wire.getRangesList()) {
            ranges.add(range(range));
        }
        return new Changes(wire.getAll(), ranges);
    }

    /** A change as a client may send it: within the range, and with data or attributes as the range has. */
    static TokenChange checked(TokenChange change, Range range) throws FailureException {
        if (range.attributes() != change.hasAttributes() || (range.attributes() && change.getPiecesCount() > 0)) {
            throw Messages.bad("change", "data and attributes do not go together");
        }
        if (change.getPiecesCount() > MAX_PIECES) {
            throw Messages.bad("change", change.getPiecesCount() + " pieces");
        }
        if (change.hasAttributes()) {
            Messages.notNegative(change.getAttributes().getSize(), "size");
        }
        long bytes = 0;
        for (TokenChange.Piece piece : change.getPiecesList()) {
            long length = piece.getData().size();
            bytes += length;
            boolean within = length > 0
                    && piece.getOffset() >= range.from()
                    && piece.getOffset() <= range.to()
                    && length <= range.to() - piece.getOffset();
            if (!within || bytes > MAX_CHANGE_BYTES) {
                throw Messages.bad("change", length + " bytes at " + piece.getOffset() + " of range " + range);
            }
        }
        return change;
    }

    // ---- from the client --------------------------------------------------------------------------------------------

    static Envelope hello(TokenHolderAction.SendHello hello) {
        TokenHello.Builder message = TokenHello.newBuilder()
                .setNonce(hello.nonce())
                .setInstance(hello.instance())
                .setFormer(hello.former());
        for (TokenHomeEvent.Reclaim reclaim : hello.reclaims()) {
            message.addReclaims(TokenHello.Reclaim.newBuilder()
                    .setId(Messages.bytes(reclaim.file()))
                    .setRange(wire(reclaim.range()))
                    .setMode(wire(reclaim.mode())));
        }
        return Envelope.newBuilder().setTokenHello(message).build();
    }

    static List<TokenHomeEvent.Reclaim> reclaims(TokenHello hello) throws FailureException {
        if (hello.getReclaimsCount() > MAX_RECLAIMS) {
            throw Messages.bad("Hello", hello.getReclaimsCount() + " tokens to reclaim");
        }
        List<TokenHomeEvent.Reclaim> reclaims = new ArrayList<>();
        for (TokenHello.Reclaim reclaim : hello.getReclaimsList()) {
            reclaims.add(new TokenHomeEvent.Reclaim(
                    Messages.fileId(reclaim.getId()), range(reclaim.getRange()), needed(reclaim.getMode())));
        }
        return reclaims;
    }

    static Envelope renew(long session) {
        return Envelope.newBuilder()
                .setTokenRenew(TokenRenew.newBuilder().setSession(session))
                .build();
    }

    static Envelope bye(long session) {
        return Envelope.newBuilder()
                .setTokenBye(TokenBye.newBuilder().setSession(session))
                .build();
    }

    static TokenAcquire.Builder acquire(TokenHolderAction.SendAcquire acquire) {
        return TokenAcquire.newBuilder()
                .setSession(acquire.session())
                .setId(Messages.bytes(acquire.file()))
                .setMode(wire(acquire.mode()))
                .setRequired(wire(acquire.required()))
                .setDesired(wire(acquire.desired()));
    }

    static Envelope revokeAck(long session, long sequence) {
        return Envelope.newBuilder()
                .setTokenRevokeAck(
                        TokenRevokeAck.newBuilder().setSession(session).setSequence(sequence))
                .build();
    }

    static Envelope release(TokenHolderAction.SendRelease release) {
        return Envelope.newBuilder()
                .setTokenRelease(TokenRelease.newBuilder()
                        .setSession(release.session())
                        .setId(Messages.bytes(release.file()))
                        .setRange(wire(release.range()))
                        .setSequence(release.sequence()))
                .build();
    }

    // ---- from the home ----------------------------------------------------------------------------------------------

    static Envelope welcome(TokenHomeAction.Welcome welcome) {
        return Envelope.newBuilder()
                .setTokenWelcome(TokenWelcome.newBuilder()
                        .setSession(welcome.session())
                        .setEpoch(welcome.epoch())
                        .setLeaseMillis((int) welcome.leaseMillis())
                        .setReclaimSequence(welcome.reclaimSequence()))
                .build();
    }

    static Envelope revoke(TokenHomeAction.Revoke revoke) {
        return Envelope.newBuilder()
                .setTokenRevoke(TokenRevoke.newBuilder()
                        .setSession(revoke.session())
                        .setEpoch(revoke.epoch())
                        .setId(Messages.bytes(revoke.file()))
                        .setRange(wire(revoke.range()))
                        .setDownTo(wire(revoke.downTo()))
                        .setSequence(revoke.sequence()))
                .build();
    }

    static Failure failure(TokenHomeAction.Reason reason, String home, long epoch) {
        Failure.Builder failure = Failure.newBuilder().setEpoch(epoch);
        return switch (reason) {
            case UNKNOWN_SESSION, OTHER_EPOCH ->
                failure.setCode(Failure.Code.UNKNOWN_SESSION)
                        .setMessage("the session has ended at " + home + ": say Hello")
                        .build();
            case SERIALISED ->
                failure.setCode(Failure.Code.SERIALISED)
                        .setMessage(home + " serves this range itself for now: use the serialised operations")
                        .build();
            case NO_TOKEN ->
                failure.setCode(Failure.Code.NO_TOKEN)
                        .setMessage("the session does not have the token that it writes under at " + home)
                        .build();
            case IN_PROGRESS -> notReady(failure, "the operation, or one that overlaps, is being committed at " + home);
            case REVOKING -> notReady(failure, "the session has not given back what " + home + " wants");
            case FORGOTTEN ->
                failure.setCode(Failure.Code.BAD_REQUEST)
                        .setMessage("the answer to the operation has been acknowledged to " + home + " before")
                        .build();
            case NOT_DURABLE ->
                failure.setCode(Failure.Code.IO_ERROR)
                        .setMessage("the log of " + home + " could not take it")
                        .build();
            case TOO_MANY_SESSIONS, TOO_MANY_TOKENS, TOO_MANY_WAITING, TOO_MANY_OPERATIONS ->
                failure.setCode(Failure.Code.TOO_MANY)
                        .setRetryAfterMillis(50)
                        .setMessage("a bound of " + home + " is reached: "
                                + reason.name()
                                        .toLowerCase(java.util.Locale.ROOT)
                                        .replace('_', ' '))
                        .build();
        };
    }

    static Failure notReady(Failure.Builder failure, String message) {
        return failure.setCode(Failure.Code.NOT_READY)
                .setRetryAfterMillis(20)
                .setMessage(message)
                .build();
    }
}
