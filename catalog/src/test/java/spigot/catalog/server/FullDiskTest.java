package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;

/** A catalog whose disk has no room left, on a small tmpfs of its own. */
class FullDiskTest {
    private static final int MORE_THAN_FITS = 5_000;

    @TempDir
    private Path directory;

    private boolean mounted;

    @BeforeEach
    void mount() throws Exception {
        mounted = run("mount", "-t", "tmpfs", "-o", "size=48m", "spigot-test", directory.toString());
        assumeTrue(mounted, "may not mount a tmpfs here");
    }

    @AfterEach
    void unmount() throws Exception {
        if (mounted) {
            assertThat(run("umount", "-l", directory.toString())).isTrue();
        }
    }

    private static boolean run(String... words) throws Exception {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    @Test
    void saysSoAndHasAllThatWasAcknowledgedWhenItIsStartedAgainWithRoom() throws Exception {
        Path filler = directory.resolve("filler");
        FileId root;
        int[] registered = {0};
        try (CatalogLog log = RatisCatalogLog.open(directory.resolve("catalog"))) {
            GridTree tree = new GridTree(log);
            tree.begin();
            root = tree.published(GridTree.ALPHA, "/data");
            fill(filler);
            FileId parent = root;
            assertThatThrownBy(() -> {
                        for (int i = 0; i < MORE_THAN_FITS; i++) {
                            tree.id(tree.registered(
                                    GridTree.ALPHA,
                                    parent,
                                    false,
                                    GridTree.file(parent, name(i), 1).build()));
                            registered[0]++;
                        }
                    })
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("start the server again");
        }
        Files.delete(filler);
        try (CatalogLog log = RatisCatalogLog.open(directory.resolve("catalog"));
                View view = log.read()) {
            for (int i = 0; i < registered[0]; i++) {
                byte[] key = Keys.entry(root, name(i).getBytes(StandardCharsets.UTF_8));
                assertThat(view.get(Table.ENTRIES, key)).as(name(i)).isNotNull();
            }
        }
    }

    private static String name(int i) {
        return "%0200d".formatted(i);
    }

    private static void fill(Path file) throws IOException {
        byte[] some = new byte[4096];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < 100_000; i++) {
                out.write(some);
            }
            throw new AssertionError("the file system has more room than the test believes");
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space left");
        }
    }
}
