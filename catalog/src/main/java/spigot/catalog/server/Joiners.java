package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import spigot.catalog.server.state.AddToken;
import spigot.catalog.server.state.TokenEntry;
import spigot.catalog.server.state.UseToken;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.JoinToken;
import spigot.transport.identity.JoinTokens;
import spigot.transport.wire.CreateToken;
import spigot.transport.wire.Failure;
import spigot.transport.wire.JoinReply;
import spigot.transport.wire.JoinRequest;

/** Makes join tokens and lets their bearers in. Safe for any thread; blocks. */
final class Joiners {
    private static final Duration DEFAULT_VALIDITY = Duration.ofHours(1);
    private static final Duration MAX_VALIDITY = Duration.ofDays(366);

    /** Stands for the token's site as long as it is not known. */
    private static final String ANY_SITE = "any";

    private final Proposer proposer;
    private final GridAuthority authority;
    private final InstantSource clock;
    private final SecureRandom random = new SecureRandom();

    Joiners(Proposer proposer, GridAuthority authority, InstantSource clock) {
        this.proposer = proposer;
        this.authority = authority;
        this.clock = clock;
    }

    /** @throws FailureException BAD_REQUEST when there can be no such token */
    JoinToken create(PeerIdentity.Role role, String site, Duration validity) throws IOException, InterruptedException {
        if (!validity.isPositive() || validity.compareTo(MAX_VALIDITY) > 0) {
            throw bad("a join token is valid for up to " + MAX_VALIDITY.toDays() + " days, not " + validity);
        }
        Instant expires = clock.instant().plus(validity);
        JoinTokens.Created created;
        try {
            created = JoinTokens.create(random, authority.certificateSha256(), role, site, expires);
        } catch (IllegalArgumentException e) {
            throw bad("no join token for role " + role + " at site '" + site + "': " + e.getMessage());
        }
        proposer.propose(proposer.command(NodeId.NONE)
                .setAddToken(AddToken.newBuilder()
                        .setId(Messages.bytes(created.stored().id()))
                        .setSecretSha256(Messages.bytes(created.stored().secretSha256()))
                        .setRole(role.name())
                        .setSite(site)
                        .setExpiresNanos(Proposer.nanos(expires)))
                .build());
        return created.token();
    }

    JoinToken create(CreateToken request) throws IOException, InterruptedException {
        PeerIdentity.Role role = switch (request.getRole().toLowerCase(Locale.ROOT)) {
            case "server" -> PeerIdentity.Role.SERVER;
            case "node" -> PeerIdentity.Role.NODE;
            default -> throw bad("a join token is for a 'server' or a 'node', not '" + request.getRole() + "'");
        };
        Duration validity =
                request.getValidMillis() == 0 ? DEFAULT_VALIDITY : Duration.ofMillis(request.getValidMillis());
        return create(role, request.getSite(), validity);
    }

    /** The certificate is made before the token is used up, so that a bad request does not cost it. */
    JoinReply join(JoinRequest request) throws IOException, InterruptedException {
        ByteString secret = request.getSecret();
        ByteString id = Messages.bytes(JoinTokens.idOf(secret));
        NodeId node = NodeId.random(random);
        authority.sign(request.getCertificateRequest(), node, PeerIdentity.Role.NODE, request.getName(), ANY_SITE);
        TokenEntry used = proposer.propose(proposer.command(NodeId.NONE)
                        .setUseToken(UseToken.newBuilder()
                                .setId(id)
                                .setSecretSha256(sha256(secret.substring(JoinToken.ID_BYTES)))
                                .setRequestSha256(sha256(request.getCertificateRequest()))
                                .setNode(Messages.bytes(node)))
                        .build())
                .getToken();
        PeerIdentity.Role role = PeerIdentity.Role.valueOf(used.getToken().getRole());
        return authority.sign(
                request.getCertificateRequest(),
                Messages.nodeId(used.getNode()),
                role,
                request.getName(),
                used.getToken().getSite());
    }

    JoinReply renew(ByteString certificateRequest, PeerIdentity peer) throws FailureException {
        return authority.renew(certificateRequest, peer);
    }

    private static ByteString sha256(ByteString bytes) {
        try {
            return ByteString.copyFrom(MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static FailureException bad(String message) {
        return new FailureException(Failure.Code.BAD_REQUEST, message);
    }
}
