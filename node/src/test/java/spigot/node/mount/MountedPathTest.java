package spigot.node.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.node.NodeException;

/** The mounts in these tables are not there: whoever touched them would find nothing. */
@DisplayName("A path below a mount is resolved without touching it")
class MountedPathTest {
    @TempDir
    Path directory;

    private Path real;
    private MountTable table;

    @BeforeEach
    void makeTable() throws Exception {
        real = directory.toRealPath();
        table = MountTable.parse(("""
                22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
                40 22 0:52 / %1$s/grid\\040one rw,nosuid - fuse.spigot spigot:127.0.0.1:7440 rw
                41 40 0:53 / %1$s/grid\\040one/inner rw - tmpfs tmpfs rw
                42 22 0:54 / %1$s/other ro shared:7 - fuse.sshfs there: ro
                """.formatted(real)).getBytes(StandardCharsets.UTF_8));
    }

    private MountedPath resolve(String path) throws Exception {
        return MountedPath.resolve(table, real.toString(), path);
    }

    @Test
    void byItsLogicalPath() throws Exception {
        MountedPath path = resolve(real + "/grid one/data/./a//b");
        assertThat(path.logicalPath()).isEqualTo("/data/a/b");
        assertThat(path.mount().mountPoint()).isEqualTo(real + "/grid one");
        assertThat(path.mount().minor()).isEqualTo(52);
    }

    @Test
    void fromTheWorkingDirectory() throws Exception {
        assertThat(resolve("grid one").logicalPath()).isEqualTo("/");
        assertThat(resolve("grid one/a/../b").logicalPath()).isEqualTo("/b");
    }

    @Test
    void throughSymbolicLinksOutside() throws Exception {
        Files.createSymbolicLink(real.resolve("link"), Path.of("grid one/data"));
        Files.createSymbolicLink(real.resolve("absolute"), real.resolve("link"));
        assertThat(resolve("absolute/file").logicalPath()).isEqualTo("/data/file");
    }

    @Test
    void untilTheLinksTurnOutToBeALoop() throws Exception {
        Files.createSymbolicLink(real.resolve("loop"), Path.of("loop"));
        assertThatThrownBy(() -> resolve("loop/x")).hasMessageContaining("symbolic links");
    }

    @Test
    void andIsInNoGridElsewhere() {
        for (String path : new String[] {"plain", "other/file", "grid one/inner/x", "grid one/../plain", "/"}) {
            assertThatThrownBy(() -> resolve(path))
                    .as(path)
                    .isInstanceOf(NodeException.class)
                    .hasMessageContaining("no mount of a grid");
        }
    }
}
