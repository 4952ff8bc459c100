package spigot.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Ids and fingerprints")
class IdsTest {
    private final Fingerprint before = new Fingerprint(1, 2, 100, 5, 5, 4);

    @Test
    void surviveBytesAndText() {
        FileId id = FileId.random(new SplittableRandom(1));
        assertThat(FileId.of(id.bytes())).isEqualTo(id);
        assertThat(FileId.parse(id.toString())).isEqualTo(id);
        NodeId node = NodeId.random(new SplittableRandom(2));
        assertThat(NodeId.of(node.bytes())).isEqualTo(node);
        assertThat(NodeId.parse(node.toString())).isEqualTo(node);
    }

    @Test
    void ofAnotherLengthAreRefused() {
        assertThatThrownBy(() -> FileId.of(new byte[15])).hasMessageContaining("16 bytes");
        assertThatThrownBy(() -> NodeId.parse("abc")).hasMessageContaining("32 hexadecimal");
    }

    @Test
    void giveInodeNumbersThatTheKernelAccepts() {
        SplittableRandom random = new SplittableRandom(3);
        Set<Long> seen = new HashSet<>();
        for (int i = 0; i < 100_000; i++) {
            long inode = FileId.random(random).inode();
            assertThat(inode).isGreaterThan(1);
            seen.add(inode);
        }
        assertThat(seen).hasSize(100_000);
        assertThat(FileId.ROOT.inode()).isEqualTo(1);
    }

    @Test
    void tellAReplacedFileFromAChangedOne() {
        assertThat(before.sameFile(new Fingerprint(1, 2, 200, 9, 9, 4))).isTrue();
        assertThat(before.sameFile(new Fingerprint(1, 3, 100, 5, 5, 4))).isFalse();
        assertThat(before.sameFile(new Fingerprint(1, 2, 100, 5, 5, 7))).isFalse();
    }

    @Test
    void takeSizeOrModificationTimeForAChangeOfContent() {
        assertThat(before.sameContent(new Fingerprint(1, 2, 100, 5, 8, 4))).isTrue();
        assertThat(before.sameContent(new Fingerprint(1, 2, 101, 5, 8, 4))).isFalse();
        assertThat(before.sameContent(new Fingerprint(1, 2, 100, 6, 8, 4))).isFalse();
    }
}
