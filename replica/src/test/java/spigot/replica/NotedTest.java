package spigot.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.FileStatus;
import spigot.linux.RootDirectory;
import spigot.linux.Statx;

@DisplayName("What is noted before an operation")
class NotedTest {
    private static final int ATTEMPTS = 1_000;

    @TempDir
    private Path directory;

    private FileStatus status(String name) throws Exception {
        try (RootDirectory root = RootDirectory.open(directory.toString().getBytes(StandardCharsets.UTF_8));
                var located = root.locate(name.getBytes(StandardCharsets.UTF_8))) {
            return Statx.of(located.number());
        }
    }

    @Test
    void tellsAFileFromOneThatGotItsInodeNumber() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "one");
        FileStatus first = status("file");
        TreeOperation.Noted noted =
                TreeOperation.Noted.of(TreeOperation.Noted.of(first).bytes());
        assertThat(noted.is(first)).isTrue();
        FileStatus second = first;
        // The clock of births is coarse.
        boolean another = false;
        for (int i = 0; i < ATTEMPTS && !another; i++) {
            Files.delete(file);
            Files.writeString(file, "two");
            second = status("file");
            another = second.inode() == first.inode() && second.bornNanos() != first.bornNanos();
        }
        assumeTrue(another && first.bornNanos() != 0, "needs a file system that reuses inode numbers and knows births");
        assertThat(noted.is(second)).isFalse();
    }

    @Test
    void isReadAsEarlierReleasesHaveWrittenIt() throws Exception {
        Files.writeString(directory.resolve("file"), "one");
        FileStatus status = status("file");
        byte[] bytes = ByteBuffer.allocate(24)
                .putLong(status.device())
                .putLong(status.inode())
                .putLong(5)
                .array();
        TreeOperation.Noted noted = TreeOperation.Noted.of(bytes);
        assertThat(noted).isEqualTo(new TreeOperation.Noted(status.device(), status.inode(), 5, 0));
        assertThat(noted.is(status)).isTrue();
    }
}
