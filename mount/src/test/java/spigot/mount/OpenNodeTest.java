package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import spigot.model.FileId;

class OpenNodeTest {
    private final OpenNode node = new OpenNode(new FileId(1, 2));

    @Test
    void aReadIsPendingUntilItIsAnswered() {
        OpenNode.PendingRead first = node.begin(0, 4096);
        OpenNode.PendingRead second = node.begin(8192, 4096);
        assertThat(node.pendingReads()).containsExactlyInAnyOrder(first, second);
        long before = node.answeredReads();
        // From here on its pages hold bytes, of the old version perhaps: they have to be dropped like all others.
        node.answering(first);
        assertThat(node.pendingReads()).containsExactly(second);
        assertThat(node.answeredReads()).isEqualTo(before + 1);
        node.end(second);
        assertThat(node.pendingReads()).isEmpty();
        assertThat(node.answeredReads()).isEqualTo(before + 1);
    }

    @Test
    void whoDropsPagesHearsOfReadsThatBegin() {
        List<Integer> seen = new ArrayList<>();
        node.onPendingRead(() -> seen.add(node.pendingReads().size()));
        node.begin(0, 1);
        node.onPendingRead(null);
        node.begin(4096, 1);
        assertThat(seen).containsExactly(1);
    }
}
