package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.Errno;

/** Every operation of the protocol by real programs on a real mount. */
@RealMount.Needed
class MountedFileSystemTest {
    @TempDir
    Path directory;

    private final MemoryFileSystem files = new MemoryFileSystem();
    private RealMount mount;

    @BeforeEach
    void mount() throws Exception {
        MountOptions options = MountOptions.defaults()
                .withAllowOther(true)
                .withInitFlags(InitFlags.STANDARD | InitFlags.POSIX_LOCKS | InitFlags.FLOCK_LOCKS);
        mount = new RealMount(directory.resolve("mnt"), options, files);
    }

    @AfterEach
    void unmount() throws Exception {
        mount.close();
        assertThat(files.destroyed).isTrue();
        assertThat(RealMount.mountsAt(directory.resolve("mnt"))).isEmpty();
    }

    @Test
    void a_tree_is_made_moved_linked_and_removed_by_ordinary_programs() throws Exception {
        String said = mount.shell("""
                cd "$1"; mkdir -p a/b; echo one > a/b/f; mv a/b/f a/g; ln a/g a/h; ln -s h a/l
                cat a/l; stat -c %h a/g; readlink a/l; rm a/g a/l; cat a/h; chmod 640 a/h; stat -c '%a %F' a/h
                mkfifo a/p; stat -c %F a/p; rm a/p a/h; rmdir a/b a; ls | wc -l""");
        assertThat(said.lines()).containsExactly("one", "2", "h", "one", "640 regular file", "fifo", "0");
    }

    @Test
    void the_kernel_forgets_what_was_removed() throws Exception {
        mount.shell("cd $1; for i in $(seq 200); do echo $i > f$i; done; rm f*");
        org.awaitility.Awaitility.await().until(() -> files.nodeCount() == 1);
    }

    @Test
    void large_content_is_the_same_when_read_back_whole_mapped_and_in_pieces() throws Exception {
        byte[] content = new byte[9_123_457];
        new Random(11).nextBytes(content);
        Path local = Files.write(directory.resolve("local"), content);
        mount.shell("dd if=" + local + " of=$1/f bs=1M 2>/dev/null; cmp " + local + " $1/f");
        // grep maps or reads with other sizes; dd by odd and direct ones, past the page cache
        mount.shell("dd if=$1/f bs=777 2>/dev/null | cmp - " + local);
        mount.shell("dd if=$1/f bs=1M iflag=direct 2>/dev/null | cmp - " + local);
        assertThat(files.nodeSize("f")).isEqualTo(content.length);
        assertThat(mount.session.maxIoBytes()).isEqualTo(1 << 20);
        assertThat(mount.session.statistics().requests("WRITE")).isLessThan(20);
    }

    @Test
    void a_directory_of_10_000_names_is_listed_once_each() throws Exception {
        files.locked(() -> {
            for (int i = 0; i < 10_000; i++) {
                files.addFile("name-" + i, new byte[0]);
            }
            return null;
        });
        assertThat(mount.shell("ls $1 | sort -u | wc -l; ls -lU $1 | grep -c name"))
                .isEqualTo("10000\n10000");
        assertThat(mount.session.statistics().requests("LOOKUP")).isLessThan(1000);
        mount.shell("ls -lU $1 > /dev/null");
    }

    @Test
    void names_may_have_any_bytes_and_255_of_them() throws Exception {
        String longest = "x".repeat(255);
        mount.shell("cd $1; touch \"$(printf 'a\\nb\\377')\" " + longest);
        assertThat(files.locked(() -> files.root.children.keySet())).containsExactlyInAnyOrder("a\nb\u00ff", longest);
        assertThat(mount.shell("cd $1; touch " + longest + "y 2>&1 || true")).contains("File name too long");
    }

    @Test
    void times_owner_and_size_are_set_and_shown() throws Exception {
        assertThat(
                        mount.shell(
                                "cd $1; echo hello > f; truncate -s 3 f; chown 12:34 f; touch -d @1000000000.5 f; stat -c '%s %u %g %.1Y' f; cat f"))
                .isEqualTo("3 12 34 1000000000.5\nhel");
        assertThat(mount.helper("birth", mount.path("f").toString())).isEqualTo("1600000000");
        assertThat(mount.shell("stat -f -c '%b %f %a %c %d %l %s' $1")).isEqualTo("1000 500 400 300 200 255 4096");
    }

    @Test
    void extended_attributes_are_set_read_listed_and_removed() throws Exception {
        Path file = Files.createFile(mount.path("f"));
        byte[] large = new byte[60_000];
        new Random(3).nextBytes(large);
        Files.setAttribute(file, "user:large", large);
        Files.setAttribute(file, "user:small", "v".getBytes(StandardCharsets.UTF_8));
        assertThat((byte[]) Files.getAttribute(file, "user:large")).isEqualTo(large);
        var view = Files.getFileAttributeView(file, java.nio.file.attribute.UserDefinedFileAttributeView.class);
        assertThat(view.list()).containsExactly("large", "small");
        view.delete("small");
        assertThat(view.list()).containsExactly("large");
        assertThatThrownBy(() -> view.size("small")).isInstanceOf(java.nio.file.FileSystemException.class);
    }

    @Test
    void rename_can_refuse_to_replace_and_exchange() throws Exception {
        files.addFile("a", new byte[] {1});
        files.addFile("b", new byte[] {2});
        String a = mount.path("a").toString();
        String b = mount.path("b").toString();
        assertThat(mount.helper("rename", a, b, "1")).isEqualTo("-" + Errno.EEXIST);
        assertThat(mount.helper("rename", a, b, "2")).isEqualTo("0");
        assertThat(Files.readAllBytes(mount.path("a"))).containsExactly(2);
    }

    @Test
    void rarer_calls_work_or_are_refused_with_the_right_number() throws Exception {
        byte[] content = new byte[5 * 4096];
        java.util.Arrays.fill(content, (byte) 7);
        files.addFile("f", content);
        String f = mount.path("f").toString();
        assertThat(mount.helper("tmpfile", mount.point.toString())).isEqualTo("0");
        assertThat(mount.helper("copy", f, mount.path("g").toString(), "10000")).isEqualTo("10000");
        assertThat(Files.size(mount.path("g"))).isEqualTo(10_000);
        assertThat(mount.helper("punch", f, "4096", "8192")).isEqualTo("0");
        assertThat(mount.helper("seek", f, "0", "4")).isEqualTo("4096");
        assertThat(mount.helper("seek", f, "4096", "3")).isEqualTo(Integer.toString(3 * 4096));
        assertThat(mount.helper("ioctl", f)).isEqualTo("-" + Errno.ENOTTY);
        mount.shell("sync $1/f; sync $1");
        assertThat(mount.session.statistics().requests())
                .containsKeys("TMPFILE", "FALLOCATE", "LSEEK", "FSYNC", "FSYNCDIR", "STATX", "IOCTL")
                .containsAnyOf(
                        java.util.Map.entry("COPY_FILE_RANGE", 1L), java.util.Map.entry("COPY_FILE_RANGE_64", 1L));
    }

    @Test
    void a_lock_waits_for_the_other_and_is_released_at_close() throws Exception {
        files.addFile("f", new byte[1]);
        String f = mount.path("f").toString();
        Process holder = mount.startHelper("lock", f);
        var holderSays = holder.inputReader();
        assertThat(holderSays.readLine()).isEqualTo("waiting");
        assertThat(holderSays.readLine()).isEqualTo("locked");
        assertThat(mount.helper("testlock", f)).isEqualTo("1");
        Process waiter = mount.startHelper("lock", f);
        var waiterSays = waiter.inputReader();
        assertThat(waiterSays.readLine()).isEqualTo("waiting");
        org.awaitility.Awaitility.await().until(() -> mount.session.statistics().detached() == 1);
        holder.getOutputStream().close();
        assertThat(waiterSays.readLine()).isEqualTo("locked");
        waiter.getOutputStream().close();
        assertThat(waiter.waitFor()).isZero();
        assertThat(mount.helper("testlock", f)).isEqualTo("2");
    }
}
