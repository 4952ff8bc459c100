package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;

/** A directory of 100,000 files. */
@EnabledIf("spigot.mount.RealMounts#arePossible")
class ManyFilesTest {
    private static final int FILES = 100_000;

    @Test
    void aHundredThousandFilesAreListedAgainWithoutAMessage(@TempDir Path directory) throws Exception {
        Path source = Files.createDirectories(directory.resolve("source"));
        try (TestGrid grid = new TestGrid(directory)) {
            SourceTree tree = grid.publish(source, "/small");
            grid.publishNames("/large", FILES);
            TestGrid.Node node = grid.mount(tree, Duration.ofSeconds(60));
            await().until(() -> node.kernel.nameValidNanos() > 0);
            Path large = node.point.resolve("large");

            long start = System.nanoTime();
            assertThat(Programs.text(Programs.bash("find \"$1\" | wc -l", large)))
                    .isEqualTo(FILES + 1 + "\n");
            long found = System.nanoTime();
            assertThat(Programs.text(Programs.bash("ls -lR \"$1\" | wc -l", large)))
                    .isEqualTo(FILES + 2 + "\n");
            long listed = System.nanoTime();
            long questions = node.questions.get();
            var before = node.mounted.status();
            assertThat(Programs.text(Programs.bash("ls -lR \"$1\" | sha256sum; ls -lR \"$1\" | wc -l", large)))
                    .endsWith(FILES + 2 + "\n");
            assertThat(node.questions.get()).isEqualTo(questions);
            var after = node.mounted.status();
            System.out.printf(
                    "find %d ms, first ls -lR %d ms, requests %s, twice again %s%n",
                    (found - start) / 1_000_000,
                    (listed - found) / 1_000_000,
                    before.fuse().requests(),
                    after.fuse().requests());
            assertThat(after.nodes()).isGreaterThan(FILES);

            // The kernel drops a hundred thousand names and attributes before the lease is given back.
            String id = Programs.text(
                    Programs.bash("getfattr --absolute-names --only-values -n user.spigot.file_id \"$1\"", large));
            CompletableFuture<Void> dropped = new CompletableFuture<>();
            long began = System.nanoTime();
            node.kernel.drop(FileId.parse(id), () -> dropped.complete(null));
            dropped.get(60, TimeUnit.SECONDS);
            System.out.printf("dropped in %d ms%n", (System.nanoTime() - began) / 1_000_000);
            assertThat(node.kernel.nodes().takeLeasedChildren(FileId.parse(id))).isEmpty();
        }
    }
}
