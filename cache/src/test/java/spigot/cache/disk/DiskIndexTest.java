package spigot.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.model.FileId;
import spigot.model.FileVersion;
import spigot.model.Version;

@DisplayName("A block that is wrong")
class DiskIndexTest {
    private final DiskIndex index = new DiskIndex();
    private final DiskEntry file = new DiskEntry(new FileVersion(new FileId(1, 2), new Version(1, 1)), 8192);

    @Test
    void isLostAlsoBeforeItsFileHasBeenCounted() {
        assertThat(index.lost(file, 0)).isTrue();
        assertThat(index.usedBytes()).isZero();
    }

    @Test
    void provesNothingWhileItsFileIsBeingRemoved() {
        index.found(file, new int[] {2});
        assertThat(index.beginRemoval(file)).isTrue();
        assertThat(index.lost(file, 0)).isFalse();
    }
}
