package spigot.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.wire.DigestRequest;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

@DisplayName("A further copy")
class CopiesTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final LogicalPath DATA = LogicalPath.parse("/data");

    @TempDir
    private Path directory;

    private Path first;
    private Path second;
    private TestGrid grid;
    private TestGrid.TestServer home;
    private TestGrid.TestServer copy;
    private GridReader reader;

    @BeforeEach
    void start() throws Exception {
        first = Files.createDirectories(directory.resolve("first"));
        second = Files.createDirectories(directory.resolve("second"));
        grid = new TestGrid(directory, Duration.ofSeconds(2));
        home = grid.server(grid.serverIdentity("home"), directory.resolve("data1"));
        copy = grid.server(grid.serverIdentity("copy"), directory.resolve("data2"));
        reader = grid.reader();
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    @Test
    void isServedWhenAllItsBytesAreTheHomes() throws Exception {
        byte[] content = new byte[5_000_000];
        new Random(2).nextBytes(content);
        put("file", content, content);
        put("empty", new byte[0], new byte[0]);
        publish();
        FileRecord file = opened("file");
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(stateOfCopy(file.id())).isEqualTo(ReplicaState.VERIFIED);
            assertThat(stateOfCopy(opened("empty").id())).isEqualTo(ReplicaState.VERIFIED);
        });
        assertThat(reader.readAll(copy, file)).isEqualTo(content);
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.open(copy, file.id(), 0))
                .matches(e -> e.code() == Failure.Code.NOT_HOME);
    }

    @Test
    void thatDiffersInOneBitIsListedAndNeverServed() throws Exception {
        byte[] content = new byte[3_000_000];
        new Random(3).nextBytes(content);
        byte[] other = content.clone();
        other[2_500_000] ^= 1;
        put("file", content, other);
        put("short", new byte[10], new byte[9]);
        publish();
        FileRecord file = opened("file");
        FileId shorter = opened("short").id();
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(stateOfCopy(file.id())).isEqualTo(ReplicaState.DIFFERS);
            assertThat(replica(file.id()).detail()).contains("2097152");
            assertThat(stateOfCopy(shorter)).isEqualTo(ReplicaState.DIFFERS);
            assertThat(replica(shorter).detail()).contains("9 bytes");
        });
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.read(copy, file.id(), file.version(), 0, 4096))
                .matches(e -> e.code() == Failure.Code.VERSION_GONE);

        // Put right, it is compared again.
        Files.write(second.resolve("file"), content);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(stateOfCopy(file.id())).isEqualTo(ReplicaState.VERIFIED));
        assertThat(reader.readAll(copy, file)).isEqualTo(content);
    }

    @Test
    void isNotServedAnyMoreOnceItChanges() throws Exception {
        put("file", "content".getBytes(UTF_8), "content".getBytes(UTF_8));
        publish();
        FileRecord file = opened("file");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(stateOfCopy(file.id())).isEqualTo(ReplicaState.VERIFIED));
        Files.writeString(second.resolve("file"), "CONTENT", StandardOpenOption.WRITE);
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.read(copy, file.id(), file.version(), 0, 4096))
                .matches(e -> e.code() == Failure.Code.VERSION_GONE);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(stateOfCopy(file.id())).isEqualTo(ReplicaState.DIFFERS));
    }

    @Test
    void isComparedWithEachNewVersionOfTheHome() throws Exception {
        put("file", "content".getBytes(UTF_8), "content".getBytes(UTF_8));
        publish();
        FileRecord before = opened("file");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(stateOfCopy(before.id())).isEqualTo(ReplicaState.VERIFIED));
        Files.writeString(first.resolve("file"), "CONTENT", StandardOpenOption.WRITE);
        FileRecord after = opened("file");
        assertThat(after.version()).isGreaterThan(before.version());
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(stateOfCopy(before.id())).isEqualTo(ReplicaState.DIFFERS));
        Files.writeString(second.resolve("file"), "CONTENT", StandardOpenOption.WRITE);
        await().atMost(SOON).untilAsserted(() -> {
            assertThat(stateOfCopy(before.id())).isEqualTo(ReplicaState.VERIFIED);
            assertThat(reader.readAll(copy, opened("file"))).isEqualTo("CONTENT".getBytes(UTF_8));
        });
    }

    @Test
    void becomesTheHomeWhenTheHomeIsDead() throws Exception {
        put("file", "content".getBytes(UTF_8), "content".getBytes(UTF_8));
        publish();
        FileRecord file = opened("file");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(stateOfCopy(file.id())).isEqualTo(ReplicaState.VERIFIED));
        home.close();
        await().atMost(SOON)
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(reader.locate(file.id()).home())
                        .isEqualTo(copy.self().id()));
        FileRecord moved = reader.open(copy, file.id(), 0).record();
        assertThat(moved.home()).isEqualTo(copy.self().id());
        assertThat(moved.homeEpoch()).isGreaterThan(file.homeEpoch());
        assertThat(reader.readAll(copy, moved)).isEqualTo("content".getBytes(UTF_8));
        Files.writeString(second.resolve("file"), "changed", StandardOpenOption.WRITE);
        FileRecord changed = reader.open(copy, file.id(), 0).record();
        assertThat(changed.version()).isGreaterThan(moved.version());
        assertThat(reader.readAll(copy, changed)).isEqualTo("changed".getBytes(UTF_8));
    }

    @Test
    void ofAHugeSparseFileIsComparedWithoutReadingIt() throws Exception {
        for (Path path : new Path[] {first, second}) {
            try (RandomAccessFile file =
                    new RandomAccessFile(path.resolve("sparse").toFile(), "rw")) {
                file.setLength(20L << 30);
                file.seek(10L << 30);
                file.write(1);
            }
        }
        publish();
        FileRecord file = opened("sparse");
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(stateOfCopy(file.id())).isEqualTo(ReplicaState.VERIFIED));
    }

    @Test
    void isAskedForDigestsByServersOnly() throws Exception {
        put("file", "content".getBytes(UTF_8), "content".getBytes(UTF_8));
        publish();
        FileRecord file = opened("file");
        Link link = reader.to(home);
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> link.call(
                        Envelope.newBuilder()
                                .setDigestRequest(DigestRequest.newBuilder()
                                        .setId(Messages.bytes(file.id()))
                                        .setVersion(Messages.wire(file.version()))
                                        .setFragments(1))
                                .build(),
                        GridReader.PATIENCE))
                .matches(e -> e.code() == Failure.Code.DENIED);
    }

    private void put(String name, byte[] atHome, byte[] atCopy) throws IOException {
        Files.write(first.resolve(name), atHome);
        Files.write(second.resolve(name), atCopy);
    }

    private void publish() throws Exception {
        home.replica().publish(first, DATA, true, false, ProgressListener.NONE);
        copy.replica().publish(second, DATA, true, true, ProgressListener.NONE);
    }

    private FileRecord opened(String name) throws Exception {
        return reader.open(home, reader.get("/data/" + name).id(), 0).record();
    }

    private Replica replica(FileId id) throws Exception {
        return reader.replicas(id).stream()
                .filter(each -> each.server().equals(copy.self().id()))
                .findFirst()
                .orElseThrow();
    }

    private ReplicaState stateOfCopy(FileId id) throws Exception {
        return replica(id).state();
    }
}
