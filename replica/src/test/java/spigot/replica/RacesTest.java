package spigot.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

@DisplayName("While local programs change the tree all the time,")
class RacesTest {
    private static final int BYTES = 300_000;
    private static final long CHANGE_NANOS = 16_000_000;

    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private TestGrid.TestServer server;
    private GridReader reader;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile boolean done;

    @BeforeEach
    void start() throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        grid = new TestGrid(directory);
        server = grid.server(grid.serverIdentity("home"), directory.resolve("data"));
        reader = grid.reader();
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    @Test
    void whatIsReplacedByRenameIsReadAsOneGenerationToTheEnd() throws Exception {
        replace(0);
        publish();
        Thread writer = change(this::replace);
        int read = 0;
        int gone = 0;
        int newest = 0;
        long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
        while (System.nanoTime() < end || read < 20) {
            FileRecord record = null;
            while (record == null) {
                try {
                    record = reader.open(server, reader.get("/data/file").id(), 0)
                            .record();
                } catch (FailureException e) {
                    // Replaced before it was ever open at the server: looked up again, as a node does.
                    assertThat(e.code()).isEqualTo(Failure.Code.NOT_FOUND);
                    gone++;
                }
            }
            byte[] content = reader.readAll(server, record);
            int generation = generation(content);
            assertThat(content).as("one generation").isEqualTo(content(generation));
            newest = Math.max(newest, generation);
            read++;
        }
        finish(writer);
        assertThat(newest).isGreaterThan(5);
        assertThat(gone).as("looked up in vain, of %d", read).isLessThanOrEqualTo(1 + read / 100);
        int last = generation(Files.readAllBytes(source.resolve("file")));
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            FileRecord record =
                    reader.open(server, reader.get("/data/file").id(), 0).record();
            assertThat(generation(reader.readAll(server, record))).isEqualTo(last);
        });
    }

    @Test
    void whatIsRewrittenInPlaceIsReadRightOnceItIsQuiet() throws Exception {
        replace(0);
        publish();
        Thread writer = change(this::rewrite);
        int read = 0;
        int refused = 0;
        long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
        while (System.nanoTime() < end || read + refused < 20) {
            try {
                FileRecord record =
                        reader.open(server, reader.get("/data/file").id(), 0).record();
                reader.readAll(server, record);
                read++;
            } catch (FailureException e) {
                // It changed between open and read: the version is gone, or it changed at each look.
                switch (e.code()) {
                    case VERSION_GONE, NOT_READY -> refused++;
                    default -> throw e;
                }
            }
        }
        finish(writer);
        assertThat(refused + read).isPositive();
        byte[] last = Files.readAllBytes(source.resolve("file"));
        // Whatever was cached of a version that a write overlapped, the version that stays has the bytes of the file.
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            FileRecord record =
                    reader.open(server, reader.get("/data/file").id(), 0).record();
            assertThat(reader.readAll(server, record)).isEqualTo(last);
        });
    }

    @Test
    void nothingOutsideOfTheTreeIsEverServed() throws Exception {
        Path outside = Files.createDirectories(directory.resolve("outside"));
        Files.writeString(outside.resolve("file"), "SECRET");
        Path inside = Files.createDirectories(source.resolve("dir"));
        Files.writeString(inside.resolve("file"), "public");
        Path aside = directory.resolve("aside");
        Path link = directory.resolve("link");
        Files.createSymbolicLink(link, outside);
        publish();
        Thread writer = change(round -> {
            // Now the directory stands there, now a link that leads out of the tree, for a moment nothing.
            if (round % 2 == 1) {
                Files.move(inside, aside, StandardCopyOption.ATOMIC_MOVE);
                Files.move(link, inside, StandardCopyOption.ATOMIC_MOVE);
            } else {
                Files.move(inside, link, StandardCopyOption.ATOMIC_MOVE);
                Files.move(aside, inside, StandardCopyOption.ATOMIC_MOVE);
            }
        });
        int served = 0;
        int refused = 0;
        long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
        long latest = end + Duration.ofSeconds(30).toNanos();
        while (System.nanoTime() < end || served == 0 && System.nanoTime() < latest) {
            try {
                FileRecord record = reader.find("/data/dir/file");
                if (record != null) {
                    GridReader.Opened opened = reader.open(server, record.id(), 4096);
                    assertThat(new String(opened.first(), UTF_8)).isEqualTo("public");
                    assertThat(reader.readAll(server, opened.record())).isEqualTo("public".getBytes(UTF_8));
                    served++;
                }
            } catch (FailureException e) {
                refused++;
            }
        }
        finish(writer);
        assertThat(served).as("served, refused %d", refused).isPositive();
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(reader.find("/data/dir/file")).isNotNull());
    }

    private interface Round {
        void run(int round) throws Exception;
    }

    /** Some sixty times a second, until {@link #finish}. */
    private Thread change(Round change) {
        return Thread.ofPlatform().start(() -> {
            for (int round = 1; !done || round % 2 == 0; round++) {
                try {
                    change.run(round);
                } catch (Exception e) {
                    failure.set(e);
                    return;
                }
                LockSupport.parkNanos(CHANGE_NANOS);
            }
        });
    }

    private void finish(Thread writer) throws InterruptedException {
        done = true;
        writer.join();
        assertThat(failure.get()).isNull();
    }

    private void replace(int generation) throws Exception {
        Path temporary = Files.write(directory.resolve("next"), content(generation));
        Files.move(temporary, source.resolve("file"), StandardCopyOption.ATOMIC_MOVE);
    }

    private void rewrite(int generation) throws Exception {
        try (FileChannel file = FileChannel.open(source.resolve("file"), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(content(generation)), 0);
        }
    }

    private static byte[] content(int generation) {
        byte[] content = new byte[BYTES];
        Arrays.fill(content, (byte) generation);
        ByteBuffer.wrap(content).putInt(generation);
        return content;
    }

    private static int generation(byte[] content) {
        return ByteBuffer.wrap(content).getInt();
    }

    private void publish() throws Exception {
        server.replica().publish(source, LogicalPath.parse("/data"), true, false, ProgressListener.NONE);
    }
}
