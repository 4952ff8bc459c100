package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;

/** A catalog that was killed has all that it said it had. */
class KillTest {
    private static final int LIVES = 2;
    private static final int REGISTERED_BEFORE_THE_KILL = 120;

    @TempDir
    Path directory;

    @Test
    void nothingThatWasAcknowledgedIsLostWhenTheProcessIsKilled() throws Exception {
        List<String> acknowledged = new ArrayList<>();
        for (int life = 0; life < LIVES; life++) {
            acknowledged.addAll(runUntilKilled(KilledCatalog.class));
        }
        assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(LIVES * (REGISTERED_BEFORE_THE_KILL - 1));
        try (CatalogLog log = RatisCatalogLog.open(directory)) {
            GridTree tree = new GridTree(log);
            assertThat(tree.begin()).isEqualTo(LIVES + 1);
            FileId root = tree.published(GridTree.ALPHA, "/data");
            try (View view = log.read()) {
                for (String name : acknowledged) {
                    byte @Nullable [] id =
                            view.get(Table.ENTRIES, Keys.entry(root, name.getBytes(StandardCharsets.UTF_8)));
                    assertThat(id).describedAs(name).isNotNull();
                    assertThat(view.get(Table.INODES, Objects.requireNonNull(id)))
                            .describedAs(name)
                            .isNotNull();
                }
                List<byte[]> names = new ArrayList<>();
                view.scan(Table.ENTRIES, root.bytes(), (key, _) -> names.add(key));
                assertThat(Records.number(view, Records.FILES)).isEqualTo(names.size());
            }
        }
        try (Stream<Path> left = Files.list(directory.resolve("tables"))) {
            assertThat(left.filter(file -> file.getFileName().toString().startsWith("native")))
                    .isEmpty();
        }
    }

    @Test
    void aRenameThatIsRepeatedAfterAKillHasOneEffect() throws Exception {
        long last = Long.parseLong(runUntilKilled(KilledNames.class).getLast());
        try (CatalogLog log = RatisCatalogLog.open(directory)) {
            GridTree tree = new GridTree(log);
            tree.begin();
            FileId root = tree.published(GridTree.ALPHA, "/data");
            String before = only(log, root);
            // The next ones may have been made, without that anybody heard of it.
            assertThat(Long.parseLong(before.substring("name-".length()))).isGreaterThanOrEqualTo(last);
            assertThat(tree.propose(KilledNames.rename(tree, root, last)).hasFailure())
                    .isFalse();
            assertThat(only(log, root)).isEqualTo(before);
            long next = Long.parseLong(before.substring("name-".length()));
            for (long number = last; number <= next + 1; number++) {
                assertThat(tree.propose(KilledNames.rename(tree, root, number)).hasFailure())
                        .isFalse();
            }
            assertThat(only(log, root)).isEqualTo(KilledNames.name(next + 1));
        }
    }

    private static String only(CatalogLog log, FileId root) throws Exception {
        List<String> names = new ArrayList<>();
        try (View view = log.read()) {
            view.scan(
                    Table.ENTRIES,
                    root.bytes(),
                    (key, _) -> names.add(new String(Keys.from(key, Keys.ID), StandardCharsets.UTF_8)));
        }
        assertThat(names).hasSize(1);
        return names.getFirst();
    }

    private List<String> runUntilKilled(Class<?> program) throws IOException, InterruptedException {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:+UseSerialGC",
                        "-Xmx256m",
                        "-cp",
                        classPath,
                        program.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> acknowledged = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            String line = lines.readLine();
            while (line != null) {
                acknowledged.add(line);
                if (acknowledged.size() == REGISTERED_BEFORE_THE_KILL) {
                    // By its handle: the process itself would close the stream, too.
                    child.toHandle().destroyForcibly();
                }
                line = lines.readLine();
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        // The last line may have been cut off in the middle.
        return acknowledged.subList(0, acknowledged.size() - 1);
    }
}
