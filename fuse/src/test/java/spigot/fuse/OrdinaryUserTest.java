package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A mount by a user who is not root: through fusermount3 where it is installed and /dev/fuse is open to all, or else refused with a message that says
 * what to do.
 */
@RealMount.Needed
class OrdinaryUserTest {
    private static final int NOBODY = 65534;

    private Path home; // not @TempDir, below which users may not be let in

    @BeforeEach
    void makeHome() throws IOException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "no setpriv: install util-linux");
        home = Files.createTempDirectory(
                Path.of("/tmp"),
                "fuse-user-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        // A umask or the attribute's mask may have narrowed it.
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void removeHome() throws IOException {
        spigot.linux.Processes.unmount(home.resolve("mnt").toString(), spigot.linux.Processes.MNT_DETACH);
        try (Stream<Path> all = Files.walk(home)) {
            for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private Process mount(Path point) throws IOException {
        List<String> classPath = new ArrayList<>();
        String[] entries = System.getProperty("java.class.path").split(java.io.File.pathSeparator);
        for (String entry : entries) {
            Path from = Path.of(entry);
            if (from.getFileName().toString().matches("classes|test-classes|linux.*|slf4j.*|jspecify.*|logback.*")) {
                classPath.add(copy(from, home.resolve("lib" + classPath.size())).toString());
            }
        }
        return RealMount.start(
                "/usr/bin/setpriv",
                "--reuid=" + NOBODY,
                "--regid=" + NOBODY,
                "--clear-groups",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                String.join(java.io.File.pathSeparator, classPath),
                MountedProcess.class.getName(),
                point.toString());
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            all.forEach(path -> {
                try {
                    Path target = to.resolve(from.relativize(path).toString());
                    Files.copy(path, target);
                    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return to;
    }

    @Test
    void a_user_mounts_through_fusermount3_or_is_told_what_is_missing() throws Exception {
        Path point = Files.createDirectory(home.resolve("mnt"));
        Files.setOwner(
                point, point.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
        Process process = mount(point);
        String said = process.inputReader().readLine();
        boolean deviceOpen =
                Files.getPosixFilePermissions(Path.of("/dev/fuse")).contains(PosixFilePermission.OTHERS_WRITE);
        if (!deviceOpen) {
            assertThat(said)
                    .isEqualTo("error: not permitted to open /dev/fuse: mount as root,"
                            + " or let the administrator run chmod 0666 /dev/fuse");
            assertThat(RealMount.mountsAt(point)).isEmpty();
        } else if (!Files.isExecutable(Path.of("/usr/bin/fusermount3"))) {
            assertThat(said).startsWith("error: ").contains("install the package fuse3");
        } else {
            assertThat(said).isEqualTo("mounted");
            assertThat(RealMount.mountsAt(point))
                    .extracting(MountTable.Mount::type)
                    .containsExactly("fuse.spigot");
            process.destroyForcibly();
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> RealMount.mountsAt(point).isEmpty());
        }
        process.destroyForcibly();
        process.waitFor();
    }
}
