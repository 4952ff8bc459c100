package spigot.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("An address")
class AddressTest {
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:7440", "grid.example.org:0", "[::1]:65535"})
    void isWrittenAsItWasRead(String text) {
        assertThat(Address.parse(text)).hasToString(text);
    }

    @Test
    void keepsItsHostWithAnotherPort() {
        assertThat(Address.parse("[::1]:0").withPort(81)).isEqualTo(new Address("::1", 81));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "host", "host:", ":7440", "host:x", "host:65536", "host:-1", "::1:7440", "/mnt/grid"})
    void thatIsNoneIsRefused(String text) {
        assertThatThrownBy(() -> Address.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
