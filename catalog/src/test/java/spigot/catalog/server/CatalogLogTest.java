package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;

/** What every log of the catalog has to keep, and what the durable one keeps beyond it. */
class CatalogLogTest {
    abstract static class Contract {
        abstract CatalogLog open() throws Exception;

        @Test
        void whatWasProposedIsReadBack() throws Exception {
            try (CatalogLog log = open()) {
                GridTree tree = new GridTree(log);
                tree.begin();
                FileId root = tree.published(GridTree.ALPHA, "/data");
                FileId file = tree.id(tree.registered(
                        GridTree.ALPHA, root, false, GridTree.file(root, "a", 7).build()));
                try (View view = log.read()) {
                    assertThat(view.get(Table.ENTRIES, Keys.entry(root, "a".getBytes(StandardCharsets.UTF_8))))
                            .isEqualTo(file.bytes());
                }
            }
        }

        @Test
        void aViewDoesNotSeeWhatIsProposedLater() throws Exception {
            try (CatalogLog log = open()) {
                GridTree tree = new GridTree(log);
                tree.begin();
                try (View before = log.read()) {
                    FileId root = tree.published(GridTree.ALPHA, "/data");
                    assertThat(before.get(Table.INODES, root.bytes())).isNull();
                    List<byte[]> seen = new ArrayList<>();
                    before.scan(Table.ENTRIES, FileId.ROOT.bytes(), (key, _) -> seen.add(key));
                    assertThat(seen).isEmpty();
                }
            }
        }

        @Test
        void aCommandThatWouldChangeADirectoryThatWasNotRecalledChangesNothing() throws Exception {
            try (CatalogLog log = open()) {
                GridTree tree = new GridTree(log);
                tree.begin();
                var outcome = log.propose(tree.command(GridTree.ALPHA)
                        .setPublish(spigot.transport.wire.PublishRequest.newBuilder()
                                .setPath(com.google.protobuf.ByteString.copyFromUtf8("/data"))
                                .setAttributes(GridTree.directory()))
                        .build());
                assertThat(outcome.getNeedsRecallList()).containsExactly(spigot.transport.Messages.bytes(FileId.ROOT));
                try (View view = log.read()) {
                    assertThat(view.get(
                                    Table.ENTRIES, Keys.entry(FileId.ROOT, "data".getBytes(StandardCharsets.UTF_8))))
                            .isNull();
                }
            }
        }

        @Test
        void manyProposersAtOnceAllSeeTheirOwn() throws Exception {
            try (CatalogLog log = open();
                    ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                GridTree tree = new GridTree(log);
                tree.begin();
                FileId root = tree.published(GridTree.ALPHA, "/data");
                List<Future<?>> all = new ArrayList<>();
                for (int i = 0; i < 50; i++) {
                    String name = "file" + i;
                    all.add(threads.submit(() -> {
                        tree.registered(
                                GridTree.ALPHA,
                                root,
                                false,
                                GridTree.file(root, name, 1).build());
                        try (View view = log.read()) {
                            assertThat(view.get(Table.ENTRIES, Keys.entry(root, name.getBytes(StandardCharsets.UTF_8))))
                                    .isNotNull();
                        }
                        return null;
                    }));
                }
                for (Future<?> one : all) {
                    one.get();
                }
            }
        }
    }

    @Nested
    class InMemory extends Contract {
        @Override
        CatalogLog open() {
            return new MemoryCatalogLog();
        }
    }

    @Nested
    class OnRatis extends Contract {
        @TempDir
        Path directory;

        @Override
        CatalogLog open() throws Exception {
            return RatisCatalogLog.open(directory);
        }

        @Test
        void everyLifeHasAHigherNumberAndTheNamesOfTheFormerOne() throws Exception {
            FileId root;
            try (CatalogLog log = open()) {
                GridTree tree = new GridTree(log);
                assertThat(tree.begin()).isEqualTo(1);
                root = tree.published(GridTree.ALPHA, "/data");
                for (int i = 0; i < 20; i++) {
                    tree.registered(
                            GridTree.ALPHA,
                            root,
                            false,
                            GridTree.file(root, "f" + i, i).build());
                }
            }
            for (int life = 2; life <= 3; life++) {
                try (CatalogLog log = open()) {
                    GridTree tree = new GridTree(log);
                    assertThat(tree.begin()).isEqualTo(life);
                    try (View view = log.read()) {
                        assertThat(Records.number(view, Records.FILES)).isEqualTo(18 + life);
                    }
                    tree.registered(
                            GridTree.ALPHA,
                            root,
                            false,
                            GridTree.file(root, "g" + life, 1).build());
                }
            }
        }

        @Test
        void aSnapshotDropsTheLogAndKeepsTheNames() throws Exception {
            FileId root;
            try (CatalogLog log = open()) {
                GridTree tree = new GridTree(log);
                tree.begin();
                root = tree.published(GridTree.ALPHA, "/data");
                log.snapshot();
                tree.registered(
                        GridTree.ALPHA,
                        root,
                        false,
                        GridTree.file(root, "late", 1).build());
                log.snapshot();
            }
            try (CatalogLog log = open();
                    View view = log.read()) {
                assertThat(view.get(Table.ENTRIES, Keys.entry(root, "late".getBytes(StandardCharsets.UTF_8))))
                        .isNotNull();
            }
        }
    }
}
