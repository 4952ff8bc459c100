package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import spigot.model.FileId;

class NodeTableTest {
    private static final byte[] NAME = {'x'};

    private final NodeTable table = new NodeTable();

    @Test
    void theRootIsNodeOneAndCanNotBeForgotten() {
        table.forget(NodeTable.ROOT, 1000);
        assertThat(table.file(NodeTable.ROOT)).isEqualTo(FileId.ROOT);
        assertThat(table.node(FileId.ROOT)).isEqualTo(1);
    }

    @Test
    void aNodeLivesUntilAllItsLookupsAreForgottenAndItsIdIsNeverUsedAgain() {
        FileId file = new FileId(7, 8);
        long node = table.lookedUp(file, FileId.ROOT, NAME, false);
        assertThat(table.lookedUp(file, FileId.ROOT, NAME, false)).isEqualTo(node);
        table.forget(node, 1);
        assertThat(table.file(node)).isEqualTo(file);
        table.forget(node, 1);
        assertThat(table.file(node)).isNull();
        assertThat(table.size()).isEqualTo(1);

        long again = table.lookedUp(file, FileId.ROOT, NAME, false);
        assertThat(again).isNotEqualTo(node);
        assertThat(table.file(node)).isNull();
        table.forget(node, 1);
        assertThat(table.file(again)).isEqualTo(file);
    }

    @Test
    void aDirectoryTellsWhichOfItsNodesTheKernelMayKeepTheAttributesOf() {
        FileId directory = new FileId(1, 1);
        table.lookedUp(directory, FileId.ROOT, NAME, true);
        long leased = table.lookedUp(new FileId(1, 2), directory, NAME, true);
        table.lookedUp(new FileId(1, 3), directory, NAME, false);
        long forgotten = table.lookedUp(new FileId(1, 4), directory, NAME, true);
        table.forget(forgotten, 1);

        assertThat(table.takeLeasedChildren(directory)).containsExactly(leased);
        assertThat(table.takeLeasedChildren(directory)).isEmpty();
        assertThat(table.takeLeasedChildren(FileId.ROOT)).hasSize(1);
    }

    @Test
    void anUnleasedLookupThroughASecondNameDoesNotTakeTheNodeFromTheDirectoryThatCoversIt() {
        FileId first = new FileId(2, 1);
        FileId second = new FileId(2, 2);
        FileId linked = new FileId(2, 3);
        table.lookedUp(first, FileId.ROOT, NAME, true);
        table.lookedUp(second, FileId.ROOT, NAME, true);
        long node = table.lookedUp(linked, first, new byte[] {'a'}, true);
        table.lookedUp(linked, second, new byte[] {'b'}, false);
        assertThat(table.takeLeasedChildren(second)).isEmpty();
        assertThat(table.takeLeasedChildren(first)).containsExactly(node);
    }

    @Test
    void aForgottenDirectoryIsStillFoundWhileTheKernelKnowsANodeInIt() {
        FileId directory = new FileId(3, 1);
        FileId file = new FileId(3, 2);
        long directoryNode = table.lookedUp(directory, FileId.ROOT, NAME, true);
        long fileNode = table.lookedUp(file, directory, NAME, true);
        table.forget(directoryNode, 1);
        assertThat(table.place(fileNode)).isNotNull();
        assertThat(table.takeLeasedChildren(directory)).containsExactly(fileNode);
        table.forget(fileNode, 1);
        assertThat(table.node(directory)).isZero();
        assertThat(table.size()).isEqualTo(1);
    }

    @Test
    void theKernelsListingIsKnownAgainUntilTheDirectoryIsDropped() {
        assertThat(table.listingGiven(NodeTable.ROOT, 5)).isFalse();
        assertThat(table.listingGiven(NodeTable.ROOT, 5)).isTrue();
        table.namesGiven(NodeTable.ROOT);
        NodeTable.Given given = table.takeGiven(FileId.ROOT);
        assertThat(given).isEqualTo(new NodeTable.Given(1, true, true, false));
        assertThat(table.takeGiven(FileId.ROOT)).isEqualTo(new NodeTable.Given(1, false, false, false));
        assertThat(table.listingGiven(NodeTable.ROOT, 5)).isFalse();
    }

    @Test
    void behavesAsAMapUnderRandomUse() {
        long seed = Long.getLong("spigot.seed", System.nanoTime());
        System.out.println("spigot.seed=" + seed);
        Random random = new Random(seed);
        List<FileId> files = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            files.add(FileId.random(random));
        }
        Map<FileId, Long> counts = new HashMap<>();
        Map<FileId, Long> nodes = new HashMap<>();
        Set<Long> dead = new HashSet<>();
        for (int step = 0; step < 20_000; step++) {
            FileId file = files.get(random.nextInt(files.size()));
            if (random.nextInt(5) < 3) {
                long node = table.lookedUp(file, FileId.ROOT, NAME, random.nextBoolean());
                assertThat(dead.contains(node)).isFalse();
                assertThat(nodes.getOrDefault(file, node)).isEqualTo(node);
                nodes.put(file, node);
                counts.merge(file, 1L, Long::sum);
            } else if (counts.containsKey(file)) {
                long count = 1 + random.nextLong(counts.get(file));
                table.forget(nodes.getOrDefault(file, 0L), count);
                if (counts.merge(file, -count, Long::sum) == 0) {
                    counts.remove(file);
                    dead.add(nodes.remove(file));
                }
            }
        }
        assertThat(table.size()).isEqualTo(counts.size() + 1);
        for (FileId file : files) {
            assertThat(table.node(file)).isEqualTo(nodes.getOrDefault(file, 0L));
        }
        dead.forEach(node -> assertThat(table.file(node)).isNull());
        counts.forEach((file, count) -> table.forget(nodes.getOrDefault(file, 0L), count));
        assertThat(table.size()).isEqualTo(1);
    }

    @Test
    void takesAboutAHundredBytesAnInode() {
        int files = 100_000;
        System.gc();
        long before = usedBytes();
        for (int i = 0; i < files; i++) {
            table.lookedUp(
                    new FileId(i, ~i),
                    FileId.ROOT,
                    ("file-" + i).getBytes(java.nio.charset.StandardCharsets.UTF_8),
                    true);
        }
        System.gc();
        assertThat((usedBytes() - before) / files).isLessThan(150);
        assertThat(table.size()).isEqualTo(files + 1);
    }

    private static long usedBytes() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
