package spigot.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The own process")
class OwnProcessTest {
    @Test
    void knowsWhatItWasStartedWith() throws Exception {
        assertThat(OwnProcess.arguments().getFirst()).endsWith("java");
        assertThat(OwnProcess.arguments()).hasSize((int) Files.readString(Path.of("/proc/self/cmdline"))
                .chars()
                .filter(c -> c == 0)
                .count());
    }
}
