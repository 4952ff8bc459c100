package spigot.node.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.cache.CacheConfig;
import spigot.cache.OnUnreachable;
import spigot.node.Address;

@DisplayName("The configuration of a mount")
class MountConfigurationTest {
    private static final long MIB = 1L << 20;

    private static MountConfiguration with(long cacheBytes, long memoryBytes, Duration timeout) {
        return new MountConfiguration(
                new Address("h", 1),
                "/mnt",
                Optional.of("token"),
                Optional.of(Path.of("/cache")),
                cacheBytes,
                memoryBytes,
                OnUnreachable.FAIL,
                timeout);
    }

    /** Else each mount would start its JVM twice. */
    @Test
    void needsWithTheDefaultMemoryTheHeapThatTheLauncherGives() throws Exception {
        long heap = MountConfiguration.heapBytes(CacheConfig.DEFAULT_MEMORY_BYTES);
        assertThat(Files.readString(Path.of("../spigot")))
                .contains("mount) echo \"-Xms16m -Xmx" + Math.ceilDiv(heap, MIB) + "m ");
    }

    @Test
    void sharesTheMemoryAmongFragmentsAndNames() {
        for (long memory : new long[] {MountConfiguration.MIN_MEMORY_BYTES, 64 * MIB, 256 * MIB, 16L << 30}) {
            MountConfiguration configuration = with(1L << 30, memory, Duration.ofSeconds(1));
            assertThat(configuration.fragmentBytes()).isPositive();
            assertThat(configuration.fragmentBytes() + configuration.namesBytes())
                    .isLessThanOrEqualTo(memory);
            assertThat(MountConfiguration.heapBytes(memory)).isGreaterThan(configuration.namesBytes());
        }
    }

    @Test
    void refusesWhatCanNotWork() {
        assertThatThrownBy(() -> with(1L << 30, MountConfiguration.MIN_MEMORY_BYTES - 1, Duration.ofSeconds(1)))
                .hasMessageContaining("--memory");
        assertThatThrownBy(() -> with(1, 64 * MIB, Duration.ofSeconds(1))).hasMessageContaining("--cache-size");
        assertThatThrownBy(() -> with(1L << 30, 64 * MIB, Duration.ZERO)).hasMessageContaining("--timeout");
    }
}
