package spigot.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.cache.CacheDirectoryException;
import spigot.model.FileId;
import spigot.model.FileVersion;
import spigot.model.Version;

/** On a file system of 4 MiB of its own, where this process may mount one. */
class FullDiskTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path directory;

    private boolean mounted;

    @BeforeEach
    void mount() throws Exception {
        mounted = run("mount", "-t", "tmpfs", "-o", "size=4m", "spigot-test", directory.toString());
        assumeTrue(mounted, "may not mount a tmpfs here");
    }

    @AfterEach
    void unmount() throws Exception {
        if (mounted) {
            assertThat(run("umount", directory.toString())).isTrue();
        }
    }

    private static boolean run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        if (code != 0) {
            System.out.println(String.join(" ", command) + ": " + output);
        }
        return code == 0;
    }

    @Test
    void aFullDiskIsNoErrorOfAWriteAndWhatIsThereIsStillRead() throws Exception {
        try (DiskCache disk = DiskCache.open(directory.resolve("cache"), 64 * MIB);
                Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(MIB);
            data.fill((byte) 7);
            for (int i = 0; i < 20; i++) {
                disk.write(file(i), MIB, 0, data);
            }
            MemorySegment to = arena.allocate(MIB);
            assertThat(disk.read(file(0), MIB, 0, 256, to).cardinality()).isEqualTo(256);
            assertThat(to.mismatch(data)).isEqualTo(-1);
            disk.read(file(19), MIB, 0, 256, to);
        }
    }

    @Test
    void aDirectoryWithoutAnySpaceIsRefusedAtStart() throws Exception {
        Path ballast = directory.resolve("ballast");
        try {
            Files.write(ballast, new byte[(int) (4 * MIB - 64 * 1024)]);
        } catch (IOException e) {
            assertThat(DiskErrors.isNoSpace(e)).isTrue();
        }
        assertThatThrownBy(() -> DiskCache.open(directory.resolve("cache"), 64 * MIB))
                .isInstanceOf(CacheDirectoryException.class)
                .hasMessageContaining("no space in the cache directory")
                .hasMessageContaining(directory.toString());
    }

    private static FileVersion file(long number) {
        return new FileVersion(new FileId(number << 56, number), new Version(1, 1));
    }
}
