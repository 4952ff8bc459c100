package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static spigot.transport.tls.TestGrid.LONG;
import static spigot.transport.tls.TestGrid.RANDOM;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.Responder;
import spigot.transport.identity.Identity;
import spigot.transport.identity.JoinToken;
import spigot.transport.identity.JoinTokens;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.JoinRequest;

/** A process without a certificate gets one, once, for a token. */
class JoiningTest {
    @TempDir
    private Path directory;

    private final Map<RawBytes, JoinTokens.Stored> stored = new HashMap<>();
    private final Set<RawBytes> used = new HashSet<>();
    private TestGrid grid;

    @BeforeEach
    void listen() throws Exception {
        grid = new TestGrid(directory, new Admitting());
    }

    @AfterEach
    void close() throws Exception {
        grid.close();
    }

    /** As the catalog does it, with a map for its log. */
    private final class Admitting implements LinkHandler {
        private final ReentrantLock lock = new ReentrantLock();

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            if (from.peer().role() != Role.JOINER) {
                new ServingHandler().request(from, request, responder);
                return;
            }
            JoinRequest join = request.getJoinRequest();
            lock.lock();
            try {
                RawBytes id = JoinTokens.idOf(join.getSecret());
                JoinTokens.Stored token = JoinTokens.verify(
                        join.getSecret(), Optional.ofNullable(stored.get(id)), used.contains(id), Instant.now());
                var reply = grid.authority.sign(
                        join.getCertificateRequest(),
                        NodeId.random(RANDOM),
                        token.role(),
                        join.getName(),
                        token.site());
                used.add(id);
                responder.reply(Envelope.newBuilder().setJoinReply(reply).build());
            } finally {
                lock.unlock();
            }
        }
    }

    private JoinToken token(Role role, Duration valid) {
        JoinTokens.Created created = JoinTokens.create(
                RANDOM,
                grid.authority.certificateSha256(),
                role,
                "kaohsiung",
                Instant.now().plus(valid));
        stored.put(created.token().id(), created.stored());
        return created.token();
    }

    private Identity join(JoinToken token) throws IOException, InterruptedException {
        return Joining.join(grid.address(), token, "beta", TestGrid.LIMITS, grid.clientCounters);
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable join, String why) {
        assertThatThrownBy(join).isInstanceOfSatisfying(FailureException.class, e -> {
            assertThat(e.code()).isEqualTo(Failure.Code.BAD_TOKEN);
            assertThat(e).hasMessageContaining(why);
        });
    }

    @Test
    void aTokenMakesAMemberWithItsRoleAndSite() throws Exception {
        Identity identity = join(JoinToken.parse(token(Role.SERVER, LONG).text()));
        assertThat(identity.self().role()).isEqualTo(Role.SERVER);
        assertThat(identity.self().site()).isEqualTo("kaohsiung");
        assertThat(identity.self().name()).isEqualTo("beta");
        assertThat(identity.self().grid()).isEqualTo(grid.authority.grid());
        identity.store(directory.resolve("beta"));
        Identity loaded = Identity.load(directory.resolve("beta"));
        try (var peer = grid.client(new ServingHandler(), loaded, TestGrid.LIMITS)) {
            assertThat(peer.link(LONG).call(ServingHandler.renew(3), LONG).hasRenewed())
                    .isTrue();
        }
    }

    @Test
    void aTokenIsGoodOnce() throws Exception {
        JoinToken token = token(Role.NODE, LONG);
        join(token);
        assertRefused(() -> join(token), "has been used already");
    }

    @Test
    void anExpiredTokenIsRefused() {
        JoinToken token = token(Role.NODE, Duration.ofSeconds(-5));
        assertRefused(() -> join(token), "expired on ");
    }

    @Test
    void aTokenWithAWrongSecretIsRefusedAndStaysUsable() throws Exception {
        JoinToken token = token(Role.NODE, LONG);
        byte[] secret = token.secret().toArray();
        secret[0] ^= 1;
        JoinToken forged =
                new JoinToken(token.id(), RawBytes.copyOf(secret), token.authoritySha256(), token.role(), token.site());
        assertRefused(() -> join(forged), "has not given out");
        assertThat(join(token).self().role()).isEqualTo(Role.NODE);
    }

    @Test
    void aTokenOfAnotherGridIsNotShownToThisOne() throws Exception {
        JoinToken token = token(Role.NODE, LONG);
        byte[] digest = token.authoritySha256().toArray();
        digest[3] ^= 4;
        JoinToken foreign =
                new JoinToken(token.id(), token.secret(), RawBytes.copyOf(digest), token.role(), token.site());
        assertThatThrownBy(() -> join(foreign))
                .isInstanceOf(LinkBrokenException.class)
                .hasMessageContaining("certificate of a foreign grid")
                .hasMessageContaining("have a token made in that server's grid")
                .hasMessageContaining("join token");
        assertThat(used).isEmpty();
    }

    @Test
    void aNameThatCannotBeInACertificateIsRefused() {
        JoinToken token = token(Role.NODE, LONG);
        assertThatThrownBy(
                        () -> Joining.join(grid.address(), token, "x".repeat(65), TestGrid.LIMITS, grid.clientCounters))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.BAD_REQUEST))
                .hasMessageContaining("a name is 1 to 64 printable characters");
    }

    @Test
    void aServerThatIsNotThereIsNamed() {
        JoinToken token = token(Role.NODE, LONG);
        grid.server.close();
        assertThatThrownBy(() -> join(token))
                .isInstanceOf(LinkBrokenException.class)
                .hasMessageContaining("can't connect to " + grid.address())
                .hasMessageContaining("refused");
    }
}
