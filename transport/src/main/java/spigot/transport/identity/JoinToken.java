package spigot.transport.identity;

import com.google.protobuf.ByteString;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import spigot.model.RawBytes;
import spigot.transport.PeerIdentity;

/**
 * Lets one process into a grid, once. Its text is {@code spigot1.} and, in URL-safe base64 without padding: a byte for the
 * role, the token's id, its secret, the SHA-256 of the grid's CA certificate, the site, and four bytes of the SHA-256 over all
 * that, so that a token which lost a character is told from a wrong one.
 *
 * @param id 16 bytes: which token it is; not secret
 * @param secret 32 bytes; the grid keeps only its SHA-256
 * @param authoritySha256 32 bytes: what the first handshake is checked against
 */
public record JoinToken(RawBytes id, RawBytes secret, RawBytes authoritySha256, PeerIdentity.Role role, String site) {
    public static final int ID_BYTES = 16;
    public static final int SECRET_BYTES = 32;

    private static final int DIGEST_BYTES = 32;
    private static final int CHECK_BYTES = 4;
    private static final int MAX_TEXT_CHARACTERS = 512;
    private static final String PREFIX = "spigot1.";

    /** @throws IllegalArgumentException when a part has another length, or role or site can't be in a certificate */
    public JoinToken {
        if (id.length() != ID_BYTES || secret.length() != SECRET_BYTES || authoritySha256.length() != DIGEST_BYTES) {
            throw new IllegalArgumentException("a join token has an id of 16, a secret and a digest of 32 bytes");
        }
        IdentityUri.role(IdentityUri.roleText(role));
        IdentityUri.checkSite(site);
    }

    /** @throws IllegalArgumentException when it is no token, or was not copied completely */
    public static JoinToken parse(String text) {
        String trimmed = text.strip();
        if (!trimmed.startsWith(PREFIX) || trimmed.length() > MAX_TEXT_CHARACTERS) {
            throw new IllegalArgumentException(
                    "not a join token: one begins with '" + PREFIX + "' and is printed by 'spigot token create'");
        }
        try {
            byte[] all = Base64.getUrlDecoder().decode(trimmed.substring(PREFIX.length()));
            int body = all.length - CHECK_BYTES;
            if (body < 0
                    || !Arrays.equals(check(Arrays.copyOf(all, body)), Arrays.copyOfRange(all, body, all.length))) {
                throw incomplete(null);
            }
            ByteBuffer in = ByteBuffer.wrap(all, 0, body);
            PeerIdentity.Role role = in.get() == 0 ? PeerIdentity.Role.NODE : PeerIdentity.Role.SERVER;
            RawBytes id = take(in, ID_BYTES);
            RawBytes secret = take(in, SECRET_BYTES);
            RawBytes digest = take(in, DIGEST_BYTES);
            String site = StandardCharsets.UTF_8.decode(in).toString();
            return new JoinToken(id, secret, digest, role, site);
        } catch (IllegalArgumentException | BufferUnderflowException e) {
            throw incomplete(e);
        }
    }

    /** What goes into JoinRequest.secret: the id, then the secret. */
    public ByteString requestSecret() {
        return ByteString.copyFrom(id.toArray()).concat(ByteString.copyFrom(secret.toArray()));
    }

    /** The whole token, secret included; see {@link #parse}. */
    public String text() {
        byte[] siteBytes = site.getBytes(StandardCharsets.UTF_8);
        byte[] body = ByteBuffer.allocate(1 + ID_BYTES + SECRET_BYTES + DIGEST_BYTES + siteBytes.length)
                .put((byte) (role == PeerIdentity.Role.NODE ? 0 : 1))
                .put(id.toArray())
                .put(secret.toArray())
                .put(authoritySha256.toArray())
                .put(siteBytes)
                .array();
        byte[] all = Arrays.copyOf(body, body.length + CHECK_BYTES);
        System.arraycopy(check(body), 0, all, body.length, CHECK_BYTES);
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(all);
    }

    /** For logs: without the secret. */
    @Override
    public String toString() {
        return "join token " + id + " for a " + IdentityUri.roleText(role) + " at " + site;
    }

    private static byte[] check(byte[] body) {
        return Arrays.copyOf(Certificates.sha256(body), CHECK_BYTES);
    }

    private static RawBytes take(ByteBuffer in, int length) {
        byte[] bytes = new byte[length];
        in.get(bytes);
        return RawBytes.copyOf(bytes);
    }

    private static IllegalArgumentException incomplete(@org.jspecify.annotations.Nullable Throwable cause) {
        return new IllegalArgumentException("the join token is damaged: copy it again, completely", cause);
    }
}
