package spigot.cache.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static spigot.cache.live.LiveGrid.LONG;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.coherence.token.Mode;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;
import spigot.transport.FailureException;

@DisplayName("A file that several nodes write")
class LiveFileTest {
    private static final long SEED = Long.getLong("spigot.test.seed", System.nanoTime());

    @TempDir
    Path directory;

    private LiveGrid grid;
    private LiveGrid.Node alice;
    private LiveGrid.Node bob;
    private LiveFile atAlice;
    private LiveFile atBob;

    @BeforeEach
    void start() throws Exception {
        grid = new LiveGrid(directory);
        alice = grid.node(1, directory.resolve("alice"));
        bob = grid.node(2, directory.resolve("bob"));
        atAlice = alice.file();
        atBob = bob.file();
    }

    @AfterEach
    void stop() {
        grid.close();
    }

    @Test
    @DisplayName("shows each write to all at once, byte by byte, and its size")
    void seenAtOnce() throws Exception {
        alice.write(atAlice, 10, "hello");
        assertThat(bob.size(atBob)).isEqualTo(15);
        assertThat(bob.read(atBob, 0, 100)).isEqualTo("\0".repeat(10) + "hello");
        bob.write(atBob, 12, "LL");
        assertThat(alice.read(atAlice, 10, 5)).isEqualTo("heLLo");
        alice.write(atAlice, 10_000, "far");
        assertThat(bob.size(atBob)).isEqualTo(10_003);
        assertThat(bob.read(atBob, 9_998, 100)).isEqualTo("\0\0far");
        assertThat(bob.read(atBob, 20_000, 100)).isEmpty();
    }

    @Test
    @DisplayName("is read back from the journal by who wrote it, and committed by sync")
    void sync() throws Exception {
        alice.write(atAlice, 0, "one");
        int commits = grid.commits.get();
        alice.write(atAlice, 3, "two");
        assertThat(alice.read(atAlice, 0, 10)).isEqualTo("onetwo");
        assertThat(grid.commits).hasValue(commits);
        assertThat(alice.files.dirtyBytes()).isPositive();
        alice.sync(atAlice);
        assertThat(new String(grid.committed(), StandardCharsets.UTF_8)).isEqualTo("onetwo");
        assertThat(alice.files.dirtyBytes()).isZero();
    }

    @Test
    @DisplayName("is committed by itself when it has become old")
    void age() throws Exception {
        LiveLimits quick = new LiveLimits(1_000, 1_000, 10, Duration.ofMillis(50));
        LiveGrid.Node carol = grid.node(3, directory.resolve("carol"), quick);
        carol.write(carol.file(), 0, "aged");
        await().atMost(LONG).until(() -> grid.committed().length == 4);
    }

    @Test
    @DisplayName("is cut for all, and what was behind the cut does not come back")
    void truncate() throws Exception {
        alice.write(atAlice, 0, "x".repeat(10_000));
        assertThat(bob.read(atBob, 0, 20_000)).hasSize(10_000);
        bob.truncate(atBob, 5_000);
        assertThat(alice.size(atAlice)).isEqualTo(5_000);
        assertThat(alice.read(atAlice, 0, 20_000)).isEqualTo("x".repeat(5_000));
        alice.truncate(atAlice, 6_000);
        assertThat(bob.read(atBob, 4_999, 20_000)).isEqualTo("x" + "\0".repeat(1_000));
        assertThat(grid.committed()).hasSize(6_000);
    }

    @Test
    @DisplayName("keeps all lines that two nodes append at the same time")
    void append() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> one = executor.submit(() -> {
                for (int i = 0; i < 10; i++) {
                    alice.append(atAlice, "alice" + i + "\n");
                }
                return null;
            });
            for (int i = 0; i < 10; i++) {
                bob.append(atBob, "bob" + i + "\n");
            }
            one.get();
        }
        assertThat(alice.read(atAlice, 0, 10_000).lines())
                .containsExactlyInAnyOrderElementsOf(Stream.concat(
                                IntStream.range(0, 10).mapToObj(i -> "alice" + i),
                                IntStream.range(0, 10).mapToObj(i -> "bob" + i))
                        .toList());
    }

    @Test
    @DisplayName("is read under a token without a message and without allocating")
    void hit() throws Exception {
        alice.write(atAlice, 0, "x".repeat(8_192));
        MemorySegment into = alice.memory(8_192);
        LiveUse use = new LiveUse();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        // As soon as it is compiled.
        await().atMost(LONG).pollInSameThread().pollDelay(Duration.ZERO).until(() -> {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 10_000; i++) {
                if (hit(into, use) != 8_192) {
                    throw new AssertionError("no hit");
                }
            }
            return threads.getCurrentThreadAllocatedBytes() - before < 10_000;
        });
        int requests = grid.requests.get();
        for (int i = 0; i < 1_000; i++) {
            hit(into, use);
        }
        assertThat(grid.requests.get() - requests).isLessThan(100);
    }

    private int hit(MemorySegment into, LiveUse use) throws IOException {
        int read = atAlice.tryRead(0, into, Mode.SHARED, use);
        atAlice.exit(use);
        return read;
    }

    @Test
    @DisplayName("loses nothing when the process of a node is killed: the next one commits it")
    void killed() throws Exception {
        alice.write(atAlice, 0, "written, and not committed");
        alice.kill();
        LiveGrid.Node again = grid.node(1, directory.resolve("alice"));
        assertThat(again.files.left()).containsExactly(LiveGrid.FILE);
        LiveFile file = again.file();
        file.settle(LONG);
        again.sync(file);
        assertThat(new String(grid.committed(), StandardCharsets.UTF_8)).isEqualTo("written, and not committed");
        assertThat(bob.read(atBob, 0, 100)).isEqualTo("written, and not committed");
        assertThat(Files.exists(again.files.lostAndFound())).isFalse();
    }

    @Test
    @DisplayName("keeps apart what a killed node had written and others have written since, and tells each handle once")
    void conflict() throws Exception {
        alice.write(atAlice, 0, "first");
        alice.sync(atAlice);
        alice.write(atAlice, 0, "mine!");
        alice.kill();
        assertThat(bob.read(atBob, 0, 10)).isEqualTo("first");
        bob.write(atBob, 0, "yours");
        bob.sync(atBob);
        LiveGrid.Node again = grid.node(1, directory.resolve("alice"));
        LiveFile file = again.file();
        assertThatThrownBy(() -> again.sync(file)).hasMessageContaining("others have written");
        assertThatCode(() -> again.sync(file)).doesNotThrowAnyException();
        assertThat(again.read(file, 0, 10)).isEqualTo("yours");
        try (Stream<Path> kept = Files.list(again.files.lostAndFound())) {
            assertThat(kept).singleElement().satisfies(path -> assertThat(path).hasContent("mine!"));
        }
    }

    @Test
    @DisplayName("goes on after a cut that was longer than the lease: what nobody else has written is committed")
    void cut() throws Exception {
        alice.write(atAlice, 0, "before the cut");
        alice.kill();
        await().atMost(LONG).until(() -> !alice.client.connected() && atAlice.content.hasOrphans());
        alice.connect();
        alice.sync(atAlice);
        assertThat(bob.read(atBob, 0, 100)).isEqualTo("before the cut");
    }

    @Test
    @DisplayName(
            "reports that the home has no room, at sync first and then at each write, keeps the bytes, and goes on")
    void noRoom() throws Exception {
        alice.write(atAlice, 0, "fits");
        alice.sync(atAlice);
        grid.errno = Errno.ENOSPC;
        alice.write(atAlice, 0, "does not");
        assertThatThrownBy(() -> alice.sync(atAlice))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        e -> assertThat(e.failure().getErrno()).isEqualTo(Errno.ENOSPC));
        assertThatThrownBy(() -> alice.write(atAlice, 0, "neither"))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        e -> assertThat(e.failure().getErrno()).isEqualTo(Errno.ENOSPC));
        grid.errno = 0;
        assertThat(alice.read(atAlice, 0, 10)).isEqualTo("fits");
        alice.write(atAlice, 0, "good");
        alice.sync(atAlice);
        assertThat(bob.read(atBob, 0, 10)).isEqualTo("good");
        try (Stream<Path> kept = Files.list(alice.files.lostAndFound())) {
            assertThat(kept).hasSize(2);
        }
    }

    @Test
    @DisplayName("is refused with ENOSPC when the journal is full of what cannot be committed")
    void journalFull() throws Exception {
        LiveLimits small = new LiveLimits(8, 1_000, 10, Duration.ofMinutes(1));
        LiveGrid.Node carol = grid.node(3, directory.resolve("carol"), small);
        LiveFile file = carol.file();
        carol.write(file, 0, new byte[8 * 4096]);
        carol.kill();
        LiveUse use = new LiveUse();
        assertThatThrownBy(() -> file.write(8 * 4096, carol.memory(4096), use, carol.errors, Duration.ofMillis(300)))
                .isInstanceOfSatisfying(
                        SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
    }

    @Test
    @DisplayName("is at each moment what one array would be, whatever two nodes do in turn")
    void likeAnArray() throws Exception {
        Random random = new Random(SEED);
        byte[] model = new byte[0];
        List<LiveGrid.Node> nodes = List.of(alice, bob);
        List<LiveFile> files = List.of(atAlice, atBob);
        for (int i = 0; i < 400; i++) {
            int who = random.nextInt(2);
            LiveGrid.Node node = nodes.get(who);
            LiveFile file = files.get(who);
            int offset = random.nextInt(40_000);
            int length = 1 + random.nextInt(random.nextBoolean() ? 100 : 12_000);
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> {
                    byte[] data = new byte[length];
                    random.nextBytes(data);
                    node.write(file, offset, data);
                    model = Arrays.copyOf(model, Math.max(model.length, offset + length));
                    System.arraycopy(data, 0, model, offset, length);
                }
                case 3 -> {
                    int size = random.nextInt(50_000);
                    node.truncate(file, size);
                    model = Arrays.copyOf(model, size);
                }
                case 4 -> node.sync(file);
                default -> {
                    byte[] expected = offset >= model.length
                            ? new byte[0]
                            : Arrays.copyOfRange(model, offset, Math.min(model.length, offset + length));
                    assertThat(node.bytes(file, offset, length))
                            .as("seed %d, step %d: %d bytes at %d", SEED, i, length, offset)
                            .isEqualTo(expected);
                    assertThat(node.size(file)).as("seed %d, step %d", SEED, i).isEqualTo(model.length);
                }
            }
        }
        alice.sync(atAlice);
        bob.sync(atBob);
        assertThat(grid.committed()).as("seed %d", SEED).isEqualTo(model);
    }
}
