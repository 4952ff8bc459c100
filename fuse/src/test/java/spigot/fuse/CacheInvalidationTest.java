package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel caches, and how notifications take it back, from the point of view of other processes. */
@RealMount.Needed
class CacheInvalidationTest {
    private static final int PAGE = 4096;

    @TempDir
    Path directory;

    private final HeldFiles files = new HeldFiles();
    private MemoryNode file;
    private RealMount mount;

    /** A helper process that is told what to do line by line. */
    private final class Talker implements AutoCloseable {
        private final Process process;
        private final Writer in;
        private final BufferedReader out;

        Talker(String... arguments) throws IOException {
            process = mount.startHelper(arguments);
            in = process.outputWriter();
            out = process.inputReader();
        }

        String heard() throws IOException {
            return out.readLine();
        }

        String asked(String line) throws IOException {
            in.write(line + "\n");
            in.flush();
            return heard();
        }

        @Override
        public void close() throws IOException {
            in.close();
            await().until(() -> !process.isAlive());
        }
    }

    @BeforeEach
    void mount() throws Exception {
        file = files.addFile("f", filled(1));
        mount = RealMount.of(directory, files);
    }

    @AfterEach
    void unmount() throws Exception {
        mount.close();
    }

    private static byte[] filled(int value) {
        byte[] content = new byte[8 * PAGE];
        Arrays.fill(content, (byte) value);
        return content;
    }

    private static boolean done(CompletableFuture<Boolean> notification) throws Exception {
        return notification.get(20, TimeUnit.SECONDS);
    }

    @Test
    void an_invalidated_page_is_read_again_by_mappings_and_by_open_files() throws Exception {
        String f = mount.path("f").toString();
        try (Talker mapping = new Talker("map", f, Integer.toString(8 * PAGE));
                Talker reader = new Talker("pread", f, "0")) {
            assertThat(mapping.asked("l 0")).isEqualTo("1");
            assertThat(mapping.asked("l " + PAGE)).isEqualTo("1");
            assertThat(reader.heard()).isEqualTo("1");
            files.setContent(file, filled(2));
            assertThat(mapping.asked("l 0")).isEqualTo("1"); // cached, as it should be
            assertThat(done(mount.session.notifier().invalidateInode(file.id, 0, PAGE)))
                    .isTrue();
            assertThat(mapping.asked("l 0")).isEqualTo("2");
            assertThat(reader.asked("")).isEqualTo("2");
            assertThat(mapping.asked("l " + PAGE)).isEqualTo("1"); // only the range that was named
            assertThat(done(mount.session.notifier().invalidateInode(file.id, 0, 0)))
                    .isTrue();
            assertThat(mapping.asked("l " + PAGE)).isEqualTo("2");
        }
    }

    @Test
    void pages_survive_close_and_open_only_with_KEEP_CACHE() throws Exception {
        String f = mount.path("f").toString();
        assertThat(mount.helper("pread", f, "0")).isEqualTo("1");
        files.setContent(file, filled(2));
        assertThat(mount.helper("pread", f, "0")).isEqualTo("1");
        files.openFlags = 0;
        assertThat(mount.helper("pread", f, "0")).isEqualTo("2");
    }

    @Test
    void attributes_are_believed_until_they_are_invalidated() throws Exception {
        assertThat(Files.size(mount.path("f"))).isEqualTo(8L * PAGE);
        files.setContent(file, new byte[5]);
        assertThat(Files.size(mount.path("f"))).isEqualTo(8L * PAGE);
        assertThat(done(mount.session.notifier().invalidateAttributes(file.id))).isTrue();
        assertThat(Files.size(mount.path("f"))).isEqualTo(5);
    }

    @Test
    void names_present_and_absent_are_believed_until_they_are_invalidated() throws Exception {
        assertThat(Files.exists(mount.path("new"))).isFalse();
        files.addFile("new", new byte[1]);
        assertThat(Files.exists(mount.path("new"))).isFalse();
        assertThat(done(mount.session.notifier().invalidateEntry(1, bytes("new"))))
                .isTrue();
        assertThat(Files.exists(mount.path("new"))).isTrue();

        files.locked(() -> files.root.children.remove("new"));
        assertThat(Files.exists(mount.path("new"))).isTrue();
        assertThat(done(mount.session.notifier().expireEntry(1, bytes("new")))).isTrue();
        assertThat(Files.exists(mount.path("new"))).isFalse();
    }

    @Test
    void one_epoch_ends_the_belief_in_all_names() throws Exception {
        assertThat(Files.exists(mount.path("a"))).isFalse();
        assertThat(Files.exists(mount.path("b"))).isFalse();
        files.addFile("a", new byte[1]);
        files.addFile("b", new byte[1]);
        assertThat(Files.exists(mount.path("a"))).isFalse();
        assertThat(done(mount.session.notifier().incrementEpoch())).isTrue();
        assertThat(Files.exists(mount.path("a"))).isTrue();
        assertThat(Files.exists(mount.path("b"))).isTrue();
    }

    @Test
    void stored_bytes_are_seen_without_a_request() throws Exception {
        String f = mount.path("f").toString();
        try (Talker mapping = new Talker("map", f, Integer.toString(8 * PAGE));
                Arena arena = Arena.ofConfined()) {
            assertThat(mapping.asked("l 0")).isEqualTo("1");
            MemorySegment page = arena.allocate(PAGE).fill((byte) 77);
            assertThat(done(mount.session.notifier().store(file.id, 0, page))).isTrue();
            assertThat(mapping.asked("l 0")).isEqualTo("77");
        }
    }

    @Test
    void what_the_kernel_does_not_know_is_no_error() throws Exception {
        assertThat(done(mount.session.notifier().invalidateInode(4711, 0, 0))).isFalse();
        assertThat(done(mount.session.notifier().invalidateEntry(4711, bytes("x"))))
                .isFalse();
        assertThat(done(mount.session.notifier().deleteEntry(4711, 4712, bytes("x"))))
                .isFalse();
    }

    @Test
    void a_dirty_mapped_page_is_written_before_it_is_dropped() throws Exception {
        try (Talker mapping = new Talker("map", mount.path("f").toString(), Integer.toString(8 * PAGE))) {
            assertThat(mapping.asked("s 10 42")).isEqualTo("42");
            assertThat(done(mount.session.notifier().invalidateInode(file.id, 0, 0)))
                    .isTrue();
            assertThat(files.locked(() -> file.content[10])).isEqualTo((byte) 42);
            assertThat(mapping.asked("l 10")).isEqualTo("42");
        }
    }

    @Test
    void an_invalidation_waits_for_a_read_of_its_page_and_holds_up_nothing_else() throws Exception {
        MemoryNode other = files.addFile("other", filled(3));
        assertThat(mount.helper("pread", mount.path("other").toString(), "0")).isEqualTo("3");
        files.heldNode = file.id;
        Process reader = mount.startHelper("pread", mount.path("f").toString(), "0");
        await().until(() -> files.held.get() == 1);

        CompletableFuture<Boolean> blocked = mount.session.notifier().invalidateInode(file.id, 0, 0);
        CompletableFuture<Boolean> behind = mount.session.notifier().invalidateAttributes(file.id);
        files.setContent(other, filled(4));
        assertThat(done(mount.session.notifier().invalidateInode(other.id, 0, 0)))
                .isTrue();
        assertThat(mount.helper("pread", mount.path("other").toString(), "0")).isEqualTo("4");
        assertThat(done(mount.session.notifier().invalidateEntry(1, bytes("other"))))
                .isTrue();
        assertThat(blocked).isNotDone();
        assertThat(behind).isNotDone();
        await().until(() -> mount.session.statistics().notificationsQueued() == 2);

        files.gate.release(100); // the page may be dropped before the reader has it, who then asks again
        assertThat(done(blocked)).isTrue();
        assertThat(done(behind)).isTrue();
        assertThat(reader.inputReader().readLine()).isEqualTo("1");
        reader.getOutputStream().close();
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void pages_away_from_a_read_in_flight_are_dropped_although_the_whole_file_can_not_be() throws Exception {
        int far = 2 << 20;
        files.setContent(file, new byte[2 * far]);
        String f = mount.path("f").toString();
        assertThat(mount.helper("pread", f, Integer.toString(far))).isEqualTo("0");
        files.heldNode = file.id;
        Process reader = mount.startHelper("pread", f, "0");
        await().until(() -> files.held.get() == 1);
        CompletableFuture<Boolean> whole = mount.session.notifier().invalidateInode(file.id, 0, 0);
        assertThat(done(mount.session.notifier().invalidatePages(file.id, far, PAGE)))
                .isTrue();
        assertThat(whole).isNotDone();
        files.gate.release(100);
        assertThat(done(whole)).isTrue();
        reader.getOutputStream().close();
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void a_notification_that_the_kernel_blocks_ends_when_the_mount_is_cut() throws Exception {
        files.heldNode = file.id;
        Process reader = mount.startHelper("pread", mount.path("f").toString(), "0");
        await().until(() -> files.held.get() == 1);
        CompletableFuture<Boolean> blocked = mount.session.notifier().invalidateInode(file.id, 0, 0);
        mount.session.abort();
        await().until(blocked::isDone);
        reader.getOutputStream().close();
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(mount.session.notifier().invalidateInode(file.id, 0, 0)).isCompletedExceptionally();
    }

    private static byte[] bytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }
}
