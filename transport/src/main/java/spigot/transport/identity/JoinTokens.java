package spigot.transport.identity;

import com.google.protobuf.ByteString;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Optional;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.Failure;

/** Makes join tokens and judges the secrets that come back; who keeps them stores {@link Stored} and whether it was used. */
public final class JoinTokens {
    private JoinTokens() {}

    /** A new token for its bearer, and what the grid keeps of it. */
    public record Created(JoinToken token, Stored stored) {}

    /**
     * What the grid keeps of a token: enough to recognise its secret, not enough to make it.
     *
     * @param id 16 bytes
     * @param secretSha256 32 bytes
     * @param expires after it the token is void
     */
    public record Stored(RawBytes id, RawBytes secretSha256, PeerIdentity.Role role, String site, Instant expires) {}

    /** @throws IllegalArgumentException when the role is JOINER or the site can't be in a certificate */
    public static Created create(
            SecureRandom random, RawBytes authoritySha256, PeerIdentity.Role role, String site, Instant expires) {
        byte[] id = new byte[JoinToken.ID_BYTES];
        byte[] secret = new byte[JoinToken.SECRET_BYTES];
        random.nextBytes(id);
        random.nextBytes(secret);
        JoinToken token = new JoinToken(RawBytes.copyOf(id), RawBytes.copyOf(secret), authoritySha256, role, site);
        return new Created(
                token, new Stored(token.id(), RawBytes.copyOf(Certificates.sha256(secret)), role, site, expires));
    }

    /**
     * Which token a JoinRequest claims to have.
     *
     * @param requestSecret JoinRequest.secret
     * @throws FailureException BAD_TOKEN when it can't be one
     */
    public static RawBytes idOf(ByteString requestSecret) throws FailureException {
        if (requestSecret.size() != JoinToken.ID_BYTES + JoinToken.SECRET_BYTES) {
            throw refused("this is not the secret of a join token");
        }
        return RawBytes.copyOf(requestSecret.substring(0, JoinToken.ID_BYTES).toByteArray());
    }

    /**
     * The stored token, if the secret fits and it may still be used. The caller marks it as used in the same transaction.
     *
     * @param stored what is kept under {@link #idOf}; empty when there is none
     * @throws FailureException BAD_TOKEN, with the reason
     */
    public static Stored verify(ByteString requestSecret, Optional<Stored> stored, boolean used, Instant now)
            throws FailureException {
        RawBytes id = idOf(requestSecret);
        Stored token = stored.orElseThrow(() -> refused("this grid has not given out that join token"));
        byte[] digest =
                Certificates.sha256(requestSecret.substring(JoinToken.ID_BYTES).toByteArray());
        if (!token.id().equals(id)
                || !MessageDigest.isEqual(digest, token.secretSha256().toArray())) {
            throw refused("this grid has not given out that join token");
        }
        if (used) {
            throw refused("the join token has been used already: each lets in one process; make another one");
        }
        if (now.isAfter(token.expires())) {
            throw refused("the join token expired on " + token.expires() + ": make another one");
        }
        return token;
    }

    private static FailureException refused(String message) {
        return new FailureException(Failure.Code.BAD_TOKEN, message);
    }
}
