package spigot.fuse;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.Errno;

/** Requests that nobody answers for a while: their callers can be killed, the mount can be cut and taken away, and all else goes on. */
@RealMount.Needed
class HangingRequestsTest {
    @TempDir
    Path directory;

    private final HeldFiles files = new HeldFiles();
    private MemoryNode file;
    private RealMount mount;

    @BeforeEach
    void mount() throws Exception {
        file = files.addFile("f", "content".getBytes(StandardCharsets.US_ASCII));
        files.addFile("other", new byte[] {9});
        MountOptions options = MountOptions.defaults()
                .withInitFlags(InitFlags.STANDARD | InitFlags.POSIX_LOCKS)
                .withMaxDetached(3);
        mount = new RealMount(directory.resolve("mnt"), options, files);
    }

    @AfterEach
    void unmount() throws Exception {
        mount.close();
        assertThat(RealMount.mountsAt(mount.point)).isEmpty();
        assertThat(files.destroyed).isTrue();
    }

    private Process hangingReader() throws Exception {
        files.heldNode = file.id;
        int before = files.held.get();
        Process reader = mount.startHelper("pread", mount.path("f").toString(), "0");
        await().until(() -> files.held.get() > before);
        return reader;
    }

    private static void assertEndsSoon(Process process) throws InterruptedException {
        assertThat(process.waitFor(30, SECONDS)).isTrue();
    }

    @Test
    void a_reader_whose_read_hangs_can_be_killed_and_others_are_served_meanwhile() throws Exception {
        Process reader = hangingReader();
        assertThat(mount.helper("pread", mount.path("other").toString(), "0")).isEqualTo("9");
        reader.destroyForcibly();
        assertEndsSoon(reader);
        files.gate.release(10);
        await().until(() -> mount.session.statistics().detached() == 0);
    }

    @Test
    void an_interrupted_direct_read_reaches_the_detached_request() throws Exception {
        files.openFlags = OpenFlags.DIRECT_IO;
        Process reader = hangingReader();
        reader.destroyForcibly();
        assertEndsSoon(reader);
        await().until(() -> files.interrupted.get() == 1);
        await().until(() -> mount.session.statistics().detached() == 0); // the thread that was interrupted answers yet
        assertThat(mount.session.statistics().interrupts()).isPositive();
    }

    @Test
    void a_signal_that_does_not_kill_ends_no_read_but_one_that_kills_later_does() throws Exception {
        files.openFlags = OpenFlags.DIRECT_IO;
        Process goesOn = hangingReader();
        Process killed = hangingReader();
        signal(goesOn, "USR1");
        signal(killed, "USR1");
        await().until(() -> mount.session.statistics().interrupts() == 2);
        assertThat(mount.session.statistics().detached()).isEqualTo(2);
        killed.destroyForcibly();
        assertEndsSoon(killed);
        assertThat(files.interrupted.get()).isEqualTo(1);
        files.gate.release(1);
        try (BufferedReader says = goesOn.inputReader()) {
            assertThat(says.readLine()).isEqualTo("99");
        }
        goesOn.getOutputStream().close();
        assertEndsSoon(goesOn);
    }

    private static void signal(Process process, String name) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    @Test
    void a_signal_ends_the_wait_for_a_lock_with_EINTR() throws Exception {
        Process holder = mount.startHelper("lock", mount.path("f").toString());
        BufferedReader holderSays = holder.inputReader();
        assertThat(holderSays.readLine()).isEqualTo("waiting");
        assertThat(holderSays.readLine()).isEqualTo("locked");
        Process waiter = mount.startHelper("lock", mount.path("f").toString());
        BufferedReader says = waiter.inputReader();
        assertThat(says.readLine()).isEqualTo("waiting");
        await().until(() -> mount.session.statistics().detached() == 1);
        signal(waiter, "USR1");
        assertThat(says.readLine()).isEqualTo("-" + Errno.EINTR);
        holder.getOutputStream().close();
        assertEndsSoon(holder);
        assertEndsSoon(waiter);
    }

    @Test
    void more_waiting_requests_than_allowed_are_refused_with_ENOMEM() throws Exception {
        files.openFlags = OpenFlags.DIRECT_IO;
        List<Process> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            readers.add(hangingReader());
        }
        assertThat(mount.helper("pread", mount.path("f").toString(), "0")).isEqualTo("-" + Errno.ENOMEM);
        files.gate.release(3);
        for (Process reader : readers) {
            assertThat(reader.inputReader().readLine()).isEqualTo(Integer.toString('c'));
            reader.getOutputStream().close();
            assertEndsSoon(reader);
        }
    }

    @Test
    void abort_frees_whoever_waits() throws Exception {
        Process reader = hangingReader();
        mount.session.abort();
        assertThat(mount.session.await()).isEqualTo(FuseSession.End.ABORTED);
        assertThat(reader.inputReader().readLine()).startsWith("-");
        reader.getOutputStream().close();
        assertEndsSoon(reader);
        await().until(() -> files.held.get() == 0); // what worked on the request was let go
        assertThat(RealMount.mountsAt(mount.point)).hasSize(1);
    }

    @Test
    void unmounting_takes_a_busy_mount_away_and_frees_whoever_waits() throws Exception {
        Process resident = RealMount.start("sh", "-c", "cd " + mount.point + "; echo in; read x");
        assertThat(resident.inputReader().readLine()).isEqualTo("in");
        Process reader = hangingReader();
        mount.session.unmount();
        assertThat(RealMount.mountsAt(mount.point)).isEmpty();
        assertThat(mount.session.ended()).isCompleted();
        assertThat(reader.inputReader().readLine()).startsWith("-");
        reader.getOutputStream().close();
        assertEndsSoon(reader);
        resident.getOutputStream().close();
        assertEndsSoon(resident);
    }

    @Test
    void an_unmount_from_outside_ends_the_session() throws Exception {
        mount.shell("umount $1");
        assertThat(mount.session.await(Duration.ofSeconds(30))).isTrue();
        assertThat(mount.session.await()).isEqualTo(FuseSession.End.UNMOUNTED);
    }

    @Test
    void what_somebody_else_mounts_there_afterwards_is_left_alone() throws Exception {
        mount.shell("umount $1; mount -t tmpfs none $1");
        mount.session.unmount();
        assertThat(RealMount.mountsAt(mount.point))
                .extracting(MountTable.Mount::type)
                .containsExactly("tmpfs");
        mount.shell("umount $1");
    }

    @Test
    void a_second_mount_on_the_same_directory_is_refused() {
        assertThatThrownBy(() -> FuseMount.mount(mount.point, MountOptions.defaults(), new MemoryFileSystem()))
                .isInstanceOf(FuseException.class)
                .hasMessage("mount point " + mount.point
                        + " is in use by spigot (fuse.spigot): unmount it first, or name another directory");
    }

    @Test
    void large_detached_writes_keep_their_own_bytes() throws Exception {
        files.heldNode = file.id;
        Process first = RealMount.start(
                "sh",
                "-c",
                "head -c 1048576 /dev/zero | tr '\\0' a | dd of=$0 bs=1M conv=notrunc iflag=fullblock oflag=direct",
                mount.path("f").toString());
        Process second = RealMount.start(
                "sh",
                "-c",
                "head -c 1048576 /dev/zero | tr '\\0' b | dd of=$0 bs=1M seek=1 conv=notrunc iflag=fullblock oflag=direct",
                mount.path("f").toString());
        await().pollDelay(Duration.ofMillis(50)).until(() -> files.held.get() >= 1);
        Files.write(mount.path("third"), "ccc".getBytes(StandardCharsets.US_ASCII)); // goes through the workers' memory
        files.gate.release(10);
        assertEndsSoon(first);
        assertEndsSoon(second);
        files.heldNode = -1;
        byte[] content = Files.readAllBytes(mount.path("f"));
        assertThat(content).hasSize(2 << 20);
        for (int i = 0; i < content.length; i++) {
            if (content[i] != (i < 1 << 20 ? 'a' : 'b')) {
                throw new AssertionError("byte " + i + " is " + (char) content[i]);
            }
        }
    }
}
