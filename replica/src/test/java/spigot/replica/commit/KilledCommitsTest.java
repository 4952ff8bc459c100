package spigot.replica.commit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.Version;

/** kill -9 of a process that writes, on real files; the ledger of what it acknowledged is checked from outside. */
@DisplayName("A server that is killed while it commits")
class KilledCommitsTest {
    private static final int FILES = 4;

    @TempDir
    private Path directory;

    @Test
    void hasAllThatItAcknowledged() throws Exception {
        for (int file = 0; file < FILES; file++) {
            Files.write(KilledCommits.published(directory, KilledCommits.id(file)), new byte[0]);
        }
        long[] last = new long[FILES];
        for (int life = 0; life < 2; life++) {
            if (life == 0) {
                last = acknowledgedUntilKilled(1_000);
            }
            try (Commits commits = KilledCommits.open(directory)) {
                for (int file = 0; file < FILES; file++) {
                    check(commits, file, last[file]);
                }
                commits.foldAll();
                for (int file = 0; file < FILES; file++) {
                    check(commits, file, last[file]);
                }
            }
        }
    }

    private void check(Commits commits, int file, long acknowledged) throws Exception {
        assertThat(acknowledged).isGreaterThan(0);
        FileView view = commits.view(KilledCommits.id(file));
        long found = view.version().index();
        // One writer a file: at most one commit was under way.
        assertThat(found).isBetween(acknowledged, acknowledged + 1);
        ByteBuffer into = ByteBuffer.allocateDirect(KilledCommits.SLOTS * KilledCommits.BYTES);
        try (StoredFile published = LinuxStore.openFile(KilledCommits.published(directory, view.file()))) {
            assertThat(commits.read(view.file(), published, 0, into)).isSameAs(commits.view(view.file()));
        }
        into.flip();
        for (long number = Math.max(1, found - KilledCommits.SLOTS + 1); number <= found; number++) {
            for (int i = 0; i < KilledCommits.BYTES; i++) {
                assertThat(into.get((int) KilledCommits.offset(number) + i))
                        .isEqualTo(KilledCommits.filling(file, number));
            }
        }
        // Asked for again, nothing is done again.
        Committed again = commits.commit(KilledCommits.request(file, acknowledged));
        assertThat(again.version()).isEqualTo(new Version(1, acknowledged));
        assertThat(commits.view(view.file()).version().index()).isEqualTo(found);
    }

    private long[] acknowledgedUntilKilled(int lines) throws Exception {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-Xmx128m",
                        "-cp",
                        classPath,
                        KilledCommits.class.getName(),
                        directory.toString(),
                        Integer.toString(FILES))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> said = new ArrayList<>();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.startsWith("acknowledged") && line.endsWith("end")) {
                    said.add(line);
                }
                if (said.size() == lines) {
                    child.toHandle().destroyForcibly();
                }
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        assertThat(said.size()).isGreaterThanOrEqualTo(lines);
        long[] last = new long[FILES];
        for (String line : said) {
            String[] words = line.split(" ");
            assertThat(words[3])
                    .as("the version of a commit is its number here")
                    .isEqualTo(words[2]);
            last[Integer.parseInt(words[1])] = Long.parseLong(words[2]);
        }
        return last;
    }
}
