package spigot.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibcTest {
    @TempDir
    Path directory;

    @Test
    void bytes_written_at_an_offset_are_read_back_from_there() throws Exception {
        Path file = directory.resolve("f");
        int descriptor = Libc.open(file.toString(), Machine.O_RDWR | Machine.O_CREAT, 0600);
        try (Arena arena = Arena.ofConfined()) {
            long buffer = Memory.allocate(arena, 64, 8);
            Memory.copy("spigot".getBytes(StandardCharsets.US_ASCII), 0, buffer, 6);
            assertThat(Libc.pwrite(descriptor, buffer, 6, 10)).isEqualTo(6);
            assertThat(Libc.pread(descriptor, buffer + 32, 32, 10)).isEqualTo(6);
            assertThat(Memory.bytes(buffer + 32, 6)).asString().isEqualTo("spigot");
            assertThat(Files.size(file)).isEqualTo(16);
        } finally {
            assertThat(Libc.close(descriptor)).isZero();
        }
        assertThat(Libc.close(-1)).isEqualTo(-Errno.EBADF); // not the same again: its number may be another's by now
    }

    @Test
    void each_thread_sees_its_own_error_number() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Boolean>> results = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                boolean missing = i % 2 == 0;
                String path = missing ? directory.resolve("missing").toString() : directory.toString();
                int expected = missing ? -Errno.ENOENT : -Errno.EISDIR;
                results.add(threads.submit(() -> {
                    boolean right = true;
                    for (int n = 0; n < 200; n++) {
                        right &= Libc.open(path, Machine.O_WRONLY, 0) == expected;
                    }
                    return right;
                }));
            }
            for (Future<Boolean> result : results) {
                assertThat(result.get()).isTrue();
            }
        }
    }

    @Test
    void a_system_call_by_number_answers_like_its_function() {
        assertThat(Libc.syscall(Machine.SYS_GETTID, 0, 0, 0, 0, 0, 0)).isPositive();
        assertThat(Libc.syscall(Machine.SYS_PIDFD_OPEN, -1, 0, 0, 0, 0, 0)).isEqualTo(-Errno.EINVAL);
    }

    @Test
    void a_name_with_a_zero_byte_is_refused() {
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> Memory.cString(arena, "a\0b")).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void a_spawned_program_has_the_descriptors_it_was_given_and_no_others() throws Exception {
        int[] pair = Processes.socketPair();
        int nothing = Libc.open("/dev/null", Machine.O_RDWR, 0);
        try (Arena arena = Arena.ofConfined()) {
            String script = "echo $WORD >&4; ls /proc/self/fd >&4";
            int child = Processes.spawn(
                    "/bin/sh",
                    new String[] {"sh", "-c", script},
                    new String[] {"WORD=hello", "PATH=/usr/bin:/bin"},
                    new int[] {nothing, nothing, nothing, nothing, pair[1]});
            assertThat(Processes.waitFor(child)).isZero();
            Libc.close(pair[1]);
            StringBuilder said = new StringBuilder();
            long buffer = Memory.allocate(arena, 256, 8);
            for (long n; (n = Libc.read(pair[0], buffer, 256)) > 0; ) {
                said.append(new String(Memory.bytes(buffer, (int) n), StandardCharsets.US_ASCII));
            }
            assertThat(said.toString().split("\n"))
                    .startsWith("hello", "0", "1", "2", "3", "4")
                    .hasSizeLessThan(9);
        } finally {
            Libc.close(pair[0]);
            Libc.close(nothing);
        }
    }

    @Test
    void an_error_number_says_what_it_means() {
        assertThat(new SystemCallException("open", "/x", Errno.ENOENT))
                .hasMessage("open /x: no such file or directory (ENOENT)");
        assertThat(Errno.name(4711)).isEqualTo("errno 4711");
    }
}
