package spigot.transport.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.PeerIdentity;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.wire.Failure;
import spigot.transport.wire.JoinReply;

class IdentityTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final NodeId GRID = NodeId.random(new Random(1));
    private static final NodeId ID = NodeId.random(new Random(2));

    @TempDir
    private Path directory;

    private GridAuthority authority;

    @BeforeEach
    void found() throws IOException {
        authority = GridAuthority.create(directory.resolve("ca"), GRID, GridAuthority.DEFAULT_VALIDITY, CLOCK);
    }

    private Identity issue() throws Exception {
        return authority.issue(ID, Role.SERVER, "Größe, \"alpha\"=1", "hsinchu");
    }

    @Test
    void aCertificateSaysWhoItIsFor() throws Exception {
        Identity identity = issue();
        assertThat(identity.self())
                .isEqualTo(new PeerIdentity(ID, Role.SERVER, "Größe, \"alpha\"=1", "hsinchu", GRID.toString()));
        assertThat(authority.grid()).isEqualTo(GRID.toString());
        assertThat(CertificateChains.verify(identity.chain(), authority.certificate(), NOW))
                .isEqualTo(identity.self());
        assertThat(identity.expires()).isEqualTo(NOW.plus(Duration.ofDays(30)));
    }

    @Test
    void filesAreForTheirOwnerAloneAndComeBack() throws Exception {
        Identity identity = issue();
        identity.store(directory.resolve("server"));
        issue().store(directory.resolve("server"));
        identity.store(directory.resolve("server"));
        Identity loaded = Identity.load(directory.resolve("server"));
        assertThat(loaded.self()).isEqualTo(identity.self());
        assertThat(loaded.chain()).isEqualTo(identity.chain());
        assertThat(loaded.key()).isEqualTo(identity.key());
        GridAuthority opened = GridAuthority.open(directory.resolve("ca"), Duration.ofDays(1), CLOCK);
        assertThat(opened.certificate()).isEqualTo(authority.certificate());
        for (String name : List.of("ca", "server")) {
            try (Stream<Path> files = Files.list(directory.resolve(name))) {
                List<Path> found = files.toList();
                assertThat(found).hasSize(1);
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(found.getFirst())))
                        .isEqualTo("rw-------");
            }
        }
    }

    @Test
    void anAuthorityIsNotReplaced() {
        assertThatThrownBy(() ->
                        GridAuthority.create(directory.resolve("ca"), GRID, GridAuthority.DEFAULT_VALIDITY, CLOCK))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("already has the authority");
    }

    @Test
    void damagedFilesAreNamed() throws Exception {
        Path server = directory.resolve("server");
        assertThat(Identity.exists(server)).isFalse();
        assertThatThrownBy(() -> Identity.load(server)).isInstanceOf(IOException.class);
        issue().store(server);
        Path file = server.resolve("identity.pem");
        String good = Files.readString(file);
        for (String bad : List.of(
                "",
                "hello",
                good.substring(0, good.length() / 2),
                good.replace("PRIVATE KEY", "PUBLIC KEY"),
                good.replaceFirst("MIG", "AAA"),
                "x".repeat(100_000))) {
            Files.writeString(file, bad);
            assertThatThrownBy(() -> Identity.load(server))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(file.toString());
        }
    }

    @Test
    void aKeyIsSignedOnRequestAndOnlyForItsOwner() throws Exception {
        IdentityRequest request = new IdentityRequest();
        JoinReply reply = authority.sign(request.certificateRequest(), ID, Role.NODE, "laptop", "tainan");
        Identity identity = request.accept(reply, authority.certificate(), NOW);
        assertThat(identity.self()).isEqualTo(new PeerIdentity(ID, Role.NODE, "laptop", "tainan", GRID.toString()));
        assertThatThrownBy(() -> new IdentityRequest().accept(reply, authority.certificate(), NOW))
                .isInstanceOf(IdentityException.class)
                .hasMessageContaining("another key");
        GridAuthority other =
                GridAuthority.create(directory.resolve("other"), ID, GridAuthority.DEFAULT_VALIDITY, CLOCK);
        assertThatThrownBy(() -> request.accept(reply, other.certificate(), NOW))
                .hasMessageContaining("foreign grid");
        assertThatThrownBy(() -> request.accept(JoinReply.getDefaultInstance(), authority.certificate(), NOW))
                .hasMessageContaining("0 certificates");
    }

    @Test
    void aRequestThatIsNoneIsABadRequest() throws Exception {
        byte[] good = new IdentityRequest().certificateRequest().toByteArray();
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 2_000; i++) {
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 + random.nextInt(255));
            try {
                authority.sign(ByteString.copyFrom(bad), ID, Role.NODE, "x", "y");
            } catch (FailureException e) {
                assertThat(e.code()).isEqualTo(Failure.Code.BAD_REQUEST);
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(1_900);
        assertThatThrownBy(() -> authority.sign(ByteString.EMPTY, ID, Role.NODE, "x", "y"))
                .isInstanceOf(FailureException.class);
        assertThatThrownBy(() -> authority.sign(ByteString.copyFrom(new byte[9000]), ID, Role.NODE, "x", "y"))
                .hasMessageContaining("more than 8192 bytes");
        ByteString request = ByteString.copyFrom(good);
        assertThatThrownBy(() -> authority.sign(request, ID, Role.NODE, "", "y"))
                .hasMessageContaining("a name is");
        assertThatThrownBy(() -> authority.sign(request, ID, Role.NODE, "x", "a/b"))
                .hasMessageContaining("a site is");
    }

    @Test
    void onlyMembersRenew() throws Exception {
        ByteString request = new IdentityRequest().certificateRequest();
        assertThat(authority.renew(request, issue().self()).getChainCount()).isEqualTo(2);
        PeerIdentity joiner = CertificateChains.joiner(new IdentityRequest().selfSigned(NOW));
        assertThatThrownBy(() -> authority.renew(request, joiner))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.DENIED));
    }

    @Test
    void aSelfSignedCertificateIsAJoinersAndNothingElse() throws Exception {
        IdentityRequest request = new IdentityRequest();
        var own = List.of(request.selfSigned(NOW));
        assertThat(CertificateChains.isJoiner(own)).isTrue();
        assertThat(CertificateChains.isJoiner(issue().chain())).isFalse();
        assertThat(CertificateChains.isJoiner(issue().chain().subList(0, 1))).isFalse();
        assertThatThrownBy(() -> CertificateChains.verify(own, authority.certificate(), NOW))
                .hasMessageContaining("not a certificate of a Spigot node");
        assertThatThrownBy(() -> CertificateChains.verify(List.of(), authority.certificate(), NOW))
                .hasMessageContaining("no certificate");
    }

    @Test
    void theAuthorityItselfIsNoNodeAndANodeIsNoAuthority() throws Exception {
        assertThatThrownBy(
                        () -> CertificateChains.verify(List.of(authority.certificate()), authority.certificate(), NOW))
                .isInstanceOf(IdentityException.class);
        // A leaf that a node has signed for somebody else, in the name of the grid.
        Identity node = issue();
        var name = Certificates.distinguishedName("eve", "spigot");
        var forged = Certificates.sign(
                new Certificates.Content(
                        Certificates.distinguishedName(GRID.toString(), "spigot"),
                        name,
                        "spigot://" + GRID + "/server/x/" + ID,
                        NOW.minusSeconds(9),
                        NOW.plusSeconds(9),
                        false),
                Certificates.newKeys().getPublic(),
                node.key());
        assertThatThrownBy(() -> CertificateChains.verify(
                        List.of(forged, authority.certificate()), authority.certificate(), NOW))
                .hasMessageContaining("foreign grid");
    }

    @Test
    void validityIsLookedAtOnBothEnds() throws Exception {
        Identity identity = issue();
        assertThatThrownBy(() -> CertificateChains.verify(
                        identity.chain(),
                        authority.certificate(),
                        identity.expires().plusSeconds(1)))
                .hasMessageContaining("expired on 2026-03-31T12:00:00Z");
        assertThatThrownBy(() -> CertificateChains.verify(
                        identity.chain(), authority.certificate(), NOW.minus(Duration.ofHours(1))))
                .hasMessageContaining("not valid before")
                .hasMessageContaining("check the clocks");
    }

    @Test
    void renewalIsDueAfterTwoThirds() throws Exception {
        Identity identity = issue();
        assertThat(Duration.between(NOW, identity.renewAt())).isBetween(Duration.ofHours(479), Duration.ofHours(480));
        assertThat(IdentityRenewer.retryAfter(Duration.ofDays(10))).isEqualTo(Duration.ofHours(1));
        assertThat(IdentityRenewer.retryAfter(Duration.ofMinutes(20))).isEqualTo(Duration.ofMinutes(1));
        assertThat(IdentityRenewer.retryAfter(Duration.ofSeconds(9))).isEqualTo(Duration.ofSeconds(1));
        assertThat(IdentityRenewer.retryAfter(Duration.ofSeconds(-9))).isEqualTo(Duration.ofMinutes(1));
    }

    @Test
    void aPinIsOfTheWholeAuthority() throws Exception {
        Identity identity = issue();
        assertThat(CertificateChains.pinned(identity.chain(), authority.certificateSha256()))
                .isEqualTo(authority.certificate());
        assertThatThrownBy(() -> CertificateChains.pinned(identity.chain(), RawBytes.copyOf(new byte[32])))
                .isInstanceOf(IdentityException.class);
    }
}
