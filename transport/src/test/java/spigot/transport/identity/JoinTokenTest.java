package spigot.transport.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.wire.Failure;

class JoinTokenTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");

    private final JoinTokens.Created created = JoinTokens.create(
            new SecureRandom(), RawBytes.copyOf(new byte[32]), Role.SERVER, "site-1.a_b", NOW.plusSeconds(60));

    @Test
    void theTextComesBackAsTheToken() {
        String text = created.token().text();
        assertThat(text).startsWith("spigot1.").matches("[A-Za-z0-9._-]+");
        assertThat(JoinToken.parse(text)).isEqualTo(created.token());
        assertThat(JoinToken.parse("  " + text + "\n")).isEqualTo(created.token());
    }

    @Test
    void everyCharacterThatIsMissingOrWrongIsNoticed() {
        String text = created.token().text();
        for (int i = 0; i < text.length(); i++) {
            String shorter = text.substring(0, i) + text.substring(i + 1);
            assertThatThrownBy(() -> JoinToken.parse(shorter)).isInstanceOf(IllegalArgumentException.class);
        }
        String twisted = text.substring(0, 20) + (text.charAt(20) == 'x' ? 'y' : 'x') + text.substring(21);
        assertThatThrownBy(() -> JoinToken.parse(twisted))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("copy it again");
        assertThatThrownBy(() -> JoinToken.parse("hello")).hasMessageContaining("spigot token create");
        assertThatThrownBy(() -> JoinToken.parse("spigot1.")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> JoinToken.parse("spigot1." + "A".repeat(100_000)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theSecretIsNotShown() {
        String secret = created.token().secret().toString();
        assertThat(created.token().toString()).doesNotContain(secret).contains("server");
        assertThat(created.stored().secretSha256()).isNotEqualTo(created.token().secret());
    }

    @Test
    void aTokenIsNotForJoiners() {
        assertThatThrownBy(() ->
                        JoinTokens.create(new SecureRandom(), RawBytes.copyOf(new byte[32]), Role.JOINER, "x", NOW))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() ->
                        JoinTokens.create(new SecureRandom(), RawBytes.copyOf(new byte[32]), Role.NODE, "a b", NOW))
                .hasMessageContaining("a site is");
    }

    @Test
    void onlyTheSecretOfAKnownUnusedTokenInItsTimeIsGood() throws Exception {
        ByteString secret = created.token().requestSecret();
        assertThat(JoinTokens.idOf(secret)).isEqualTo(created.token().id());
        Optional<JoinTokens.Stored> stored = Optional.of(created.stored());
        assertThat(JoinTokens.verify(secret, stored, false, NOW)).isEqualTo(created.stored());
        assertThat(JoinTokens.verify(secret, stored, false, NOW.plusSeconds(60)))
                .isEqualTo(created.stored());
        assertBad(secret, stored, false, NOW.plusSeconds(61), "expired on 2026-03-01T12:01:00Z");
        assertBad(secret, stored, true, NOW, "used already");
        assertBad(secret, Optional.empty(), false, NOW, "not given out");
        JoinTokens.Created other = JoinTokens.create(
                new SecureRandom(), RawBytes.copyOf(new byte[32]), Role.NODE, "x", NOW.plusSeconds(60));
        assertBad(secret, Optional.of(other.stored()), false, NOW, "not given out");
        assertBad(secret.substring(1), stored, false, NOW, "not the secret of a join token");
        assertBad(ByteString.EMPTY, stored, false, NOW, "not the secret of a join token");
    }

    private static void assertBad(
            ByteString secret, Optional<JoinTokens.Stored> stored, boolean used, Instant now, String why) {
        assertThatThrownBy(() -> JoinTokens.verify(secret, stored, used, now))
                .isInstanceOfSatisfying(FailureException.class, e -> {
                    assertThat(e.code()).isEqualTo(Failure.Code.BAD_TOKEN);
                    assertThat(e).hasMessageContaining(why);
                });
    }
}
