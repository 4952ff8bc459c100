package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountPointTest {
    @TempDir
    Path directory;

    @Test
    void a_missing_mount_point_is_named_with_what_to_do() {
        Path missing = directory.resolve("missing");
        assertThatThrownBy(() -> MountPoint.prepare(missing))
                .isInstanceOf(FuseException.class)
                .hasMessage("mount point " + missing + " does not exist: create it with mkdir -p " + missing);
        Path deeper = missing.resolve("deeper");
        assertThatThrownBy(() -> MountPoint.prepare(deeper)).hasMessageContaining("does not exist");
    }

    @Test
    void a_file_is_no_mount_point() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> MountPoint.prepare(file))
                .isInstanceOf(FuseException.class)
                .hasMessage("mount point " + file + " is not a directory: name an existing directory");
        assertThatThrownBy(() -> MountPoint.prepare(file.resolve("below"))).isInstanceOf(FuseException.class);
    }

    @Test
    void the_root_is_refused() {
        assertThatThrownBy(() -> MountPoint.prepare(Path.of("/"))).hasMessageContaining("cannot mount over /");
    }

    @Test
    void links_on_the_way_are_followed() throws Exception {
        Path real = Files.createDirectories(directory.resolve("real/mnt")).toRealPath();
        Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("real"));
        Path last = Files.createSymbolicLink(directory.resolve("last"), real);
        assertThat(MountPoint.prepare(link.resolve("mnt"))).isEqualTo(real);
        assertThat(MountPoint.prepare(last)).isEqualTo(real);
    }

    @Test
    void the_table_of_mounts_is_understood_with_odd_names_and_optional_fields() {
        String table = """
                22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
                61 22 0:52 / /mnt/a\\040b\\134\\012c rw,nosuid,nodev shared:30 master:2 - fuse.spigot my\\040grid rw,user_id=0
                62 22 0:53 / /plain rw - fuse src rw
                bad line
                """;
        assertThat(MountTable.parse(table))
                .containsExactly(
                        new MountTable.Mount("254:0", "/", "ext4", "/dev/vda"),
                        new MountTable.Mount("0:52", "/mnt/a b\\\nc", "fuse.spigot", "my grid"),
                        new MountTable.Mount("0:53", "/plain", "fuse", "src"))
                .extracting(MountTable.Mount::isFuse)
                .containsExactly(false, true, true);
    }

    @Test
    void options_out_of_range_are_refused_by_name() {
        MountOptions options = MountOptions.defaults();
        assertThatThrownBy(() -> options.withWorkers(0)).hasMessageContaining("workers 0");
        assertThatThrownBy(() -> options.withMaxWriteBytes(5000)).hasMessageContaining("maxWriteBytes 5000");
        assertThatThrownBy(() -> options.withSubtype("a,b")).hasMessageContaining("subtype a,b");
        assertThatThrownBy(() -> options.withFileSystemName("")).hasMessageContaining("fileSystemName");
    }
}
