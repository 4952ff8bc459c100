package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.Processes;

/** The process that mounted is killed. */
@RealMount.Needed
class CrashTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private Path point;

    @BeforeEach
    void createMountPoint() throws Exception {
        point = Files.createDirectory(directory.resolve("mnt a'b\"c")); // also for the guard's quoting
    }

    @AfterEach
    void leaveNothing() {
        Processes.unmount(point.toString(), Processes.MNT_DETACH); // only after a failure is there anything
    }

    private List<String> java() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                MountedProcess.class.getName(),
                point.toString());
    }

    /** Whether it has not ended: where nothing collects orphans, as in some containers, a dead guard stays as a zombie. */
    private static boolean runs(ProcessHandle process) {
        try {
            String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException e) {
            return false;
        }
    }

    private Process mounted() throws Exception {
        Process process = RealMount.start(java().toArray(String[]::new));
        assertThat(process.inputReader().readLine()).isEqualTo("mounted");
        return process;
    }

    @Test
    void nothing_is_left_of_the_mount_and_of_its_guard() throws Exception {
        Process process = mounted();
        assertThat(RealMount.mountsAt(point)).hasSize(1);
        List<ProcessHandle> guards = process.children().toList();
        assertThat(guards).hasSize(1);
        process.destroyForcibly();
        await().atMost(SOON).until(() -> RealMount.mountsAt(point).isEmpty());
        await().atMost(SOON).until(() -> guards.stream().noneMatch(CrashTest::runs));
    }

    @Test
    void a_dead_mount_that_nobody_took_away_is_replaced_by_the_next() throws Exception {
        Process process = mounted();
        process.children()
                .forEach(ProcessHandle::destroyForcibly); // the guard, before it can see the end of its parent
        process.destroyForcibly().waitFor();
        assertThat(RealMount.mountsAt(point)).hasSize(1);
        try (RealMount next = new RealMount(point, MountOptions.defaults(), new MemoryFileSystem())) {
            assertThat(RealMount.mountsAt(point)).hasSize(1);
            assertThat(next.shell("ls \"$1\" | wc -l")).isEqualTo("0");
        }
        assertThat(MountTable.read()).noneMatch(mount -> mount.point().equals(point.toString()));
    }

    @Test
    void an_orderly_end_dismisses_the_guard() throws Exception {
        Process process = mounted();
        List<ProcessHandle> guards = process.children().toList();
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
        assertThat(process.waitFor()).isZero();
        assertThat(guards).hasSize(1).noneMatch(ProcessHandle::isAlive);
        assertThat(RealMount.mountsAt(point)).isEmpty();
    }

    @Test
    void without_dev_fuse_the_user_is_told_what_to_do() throws Exception {
        String devices = "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/zero c 1 5;"
                + " mknod -m 666 /dev/random c 1 8; mknod -m 666 /dev/urandom c 1 9; exec \"$@\"";
        List<String> command = new ArrayList<>(List.of("unshare", "-m", "sh", "-c", devices, "sh"));
        command.addAll(java());
        Process process = RealMount.start(command.toArray(String[]::new));
        assertThat(process.inputReader().readLine())
                .isEqualTo("error: there is no /dev/fuse: load the kernel module (modprobe fuse),"
                        + " or give the device to this container");
        assertThat(process.waitFor()).isZero();
    }
}
