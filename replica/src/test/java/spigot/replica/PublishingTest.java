package spigot.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.Errno;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.XattrKinds;
import spigot.transport.FailureException;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

@DisplayName("A published tree")
class PublishingTest {
    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private TestGrid.TestServer server;
    private GridReader reader;

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
    void isFoundByNameAndReadByItsBytes() throws Exception {
        Files.createDirectories(source.resolve("a/b"));
        byte[] content = new byte[3_000_001];
        new Random(1).nextBytes(content);
        Files.write(source.resolve("a/b/file"), content);

        PublicationStatus status = publish();

        assertThat(status.state()).isEqualTo(PublicationState.SERVING);
        assertThat(status.entries()).isEqualTo(3);
        FileRecord record = reader.get("/data/a/b/file");
        assertThat(record.attributes().size()).isEqualTo(content.length);
        GridReader.Opened opened = reader.open(server, record.id(), 65536);
        assertThat(opened.record().version()).isEqualTo(record.version());
        assertThat(opened.first()).isEqualTo(java.util.Arrays.copyOf(content, 65536));
        assertThat(reader.readAll(server, opened.record())).isEqualTo(content);
    }

    @Test
    void showsTheKindsOfAllEntries() throws Exception {
        Files.createSymbolicLink(source.resolve("link"), Path.of("../else/where"));
        run("mkfifo fifo; mknod null c 1 3; mkdir -m 700 dir; touch plain; chmod 4751 plain");
        publish();
        assertThat(reader.get("/data/link").attributes().kind()).isEqualTo(FileKind.SYMLINK);
        assertThat(reader.get("/data/link").symlinkTarget().toString()).isEqualTo("../else/where");
        assertThat(reader.get("/data/fifo").attributes().kind()).isEqualTo(FileKind.FIFO);
        assertThat(reader.get("/data/null").attributes().kind()).isEqualTo(FileKind.CHARACTER_DEVICE);
        assertThat(reader.get("/data/null").attributes().device()).isEqualTo(0x103);
        assertThat(reader.get("/data/dir").attributes().mode()).isEqualTo(0700);
        assertThat(reader.get("/data/plain").attributes().mode()).isEqualTo(04751);
    }

    @Test
    void keepsNamesThatAreNotText() throws Exception {
        run("printf 1 > $'b\\xff\\nc'; printf 22 > " + "n".repeat(255));
        publish();
        byte[] invalid = {'b', (byte) 0xff, '\n', 'c'};
        assertThat(reader.list("/data")).containsExactlyInAnyOrder(FileName.of(invalid), FileName.of("n".repeat(255)));
        FileRecord record = Objects.requireNonNull(reader.find(List.of(FileName.of("data"), FileName.of(invalid))));
        assertThat(reader.readAll(server, reader.open(server, record.id(), 0).record()))
                .isEqualTo("1".getBytes(UTF_8));
    }

    @Test
    void makesHardLinksOneFile() throws Exception {
        Files.writeString(source.resolve("one"), "x");
        Files.createDirectory(source.resolve("d"));
        Files.createLink(source.resolve("d/two"), source.resolve("one"));
        publish();
        assertThat(reader.get("/data/d/two").id())
                .isEqualTo(reader.get("/data/one").id());
        assertThat(reader.get("/data/one").attributes().links()).isEqualTo(2);
    }

    @Test
    void servesAHundredGibibytesOfHolesWithoutReadingThem() throws Exception {
        try (FileChannel file =
                FileChannel.open(source.resolve("sparse"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap("end".getBytes(UTF_8)), (100L << 30) - 3);
        }
        publish();
        FileRecord record =
                reader.open(server, reader.get("/data/sparse").id(), 65536).record();
        assertThat(record.attributes().size()).isEqualTo(100L << 30);
        assertThat(record.attributes().allocatedBytes()).isLessThan(1 << 20);
        assertThat(server.replica().status().bytesServed()).isZero();
        assertThat(reader.read(server, record.id(), record.version(), 50L << 30, 4 << 20))
                .isEqualTo(new byte[4 << 20]);
        assertThat(server.replica().status().bytesServed()).isZero();
        byte[] end = reader.read(server, record.id(), record.version(), (100L << 30) - 4096, 8192);
        assertThat(end).hasSize(4096).endsWith('e', 'n', 'd');
    }

    @Test
    void tellsItsExtendedAttributes() throws Exception {
        Path file = Files.writeString(source.resolve("file"), "x");
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class)
                .write("colour", ByteBuffer.wrap("blue".getBytes(UTF_8)));
        Files.writeString(source.resolve("plain"), "x");
        publish();
        FileRecord record = reader.get("/data/file");
        assertThat(record.attributes().xattrs().isEmpty()).isFalse();
        assertThat(reader.get("/data/plain").attributes().xattrs()).isEqualTo(XattrKinds.NONE);
        assertThat(reader.xattr(server, record.id(), "user.colour")).isEqualTo("blue".getBytes(UTF_8));
        assertThat(reader.xattr(server, record.id(), "")).isEqualTo("user.colour\0".getBytes(UTF_8));
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.xattr(server, record.id(), "user.none"))
                .matches(e -> e.code() == Failure.Code.NO_ATTRIBUTE);
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.xattr(server, record.id(), "trusted.secret"))
                .matches(e -> e.code() == Failure.Code.NO_ATTRIBUTE);
    }

    @Test
    void mayBeASingleFile() throws Exception {
        Path file = Files.writeString(source.resolve("single"), "first");
        server.replica().publish(file, LogicalPath.parse("/alone"), true, false, ProgressListener.NONE);
        assertThat(reader.text(server, "/alone")).isEqualTo("first");
        assertThat(reader.get("/alone").readOnly()).isTrue();
    }

    @Test
    void neverHoldsTheServersOwnData() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> server.replica()
                        .publish(directory, LogicalPath.parse("/x"), true, false, ProgressListener.NONE))
                .withMessageContaining("its own data");
    }

    @Test
    void thatDoesNotExistIsRefused() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> server.replica()
                        .publish(
                                directory.resolve("nothing"),
                                LogicalPath.parse("/x"),
                                true,
                                false,
                                ProgressListener.NONE));
        assertThat(server.replica().status().publications()).isEmpty();
    }

    @Test
    void ofAnotherServerIsNotPublishedTwice() throws Exception {
        publish();
        TestGrid.TestServer second = grid.server(grid.serverIdentity("second"), directory.resolve("data2"));
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> second.replica()
                        .publish(source, LogicalPath.parse("/data"), true, false, ProgressListener.NONE))
                .matches(e -> e.code() == Failure.Code.CONFLICT);
        assertThat(second.replica().status().publications()).isEmpty();
    }

    @Test
    void skipsWhatCantBeReadAndListsIt() throws Exception {
        Files.writeString(source.resolve("file"), "x");
        Path tricky = Files.createDirectory(source.resolve("tricky"));
        // Links that even root may not read, if this is a container of a certain kind.
        assumeThat(mount("--bind", "/proc/1/fd", tricky.toString()))
                .as("may mount")
                .isTrue();
        try {
            Path link = tricky.resolve("0");
            assumeThat(Files.isSymbolicLink(link) && !canRead(link))
                    .as("links that can't be read")
                    .isTrue();
            PublicationStatus status = publish();
            assertThat(status.state()).isEqualTo(PublicationState.SERVING);
            assertThat(status.skipped()).isPositive();
            assertThat(server.replica().skipped(LogicalPath.parse("/other"))).isEmpty();
            assertThat(server.replica().skipped(LogicalPath.parse("/data"))).anySatisfy(skipped -> {
                assertThat(skipped.path().toString()).isEqualTo("tricky/0");
                assertThat(skipped.errno()).isEqualTo(Errno.EACCES);
                assertThat(skipped.reason()).contains("EACCES");
            });
            assertThat(reader.text(server, "/data/file")).isEqualTo("x");
        } finally {
            server.replica().unpublish(LogicalPath.parse("/data"));
            unmount(tricky);
        }
    }

    @Test
    void crossesMountPointsBelowIt() throws Exception {
        Path mounted = Files.createDirectory(source.resolve("mounted"));
        assumeThat(mount("-t", "tmpfs", "none", mounted.toString()))
                .as("may mount")
                .isTrue();
        try {
            Files.writeString(mounted.resolve("file"), "on another file system");
            publish();
            assertThat(reader.text(server, "/data/mounted/file")).isEqualTo("on another file system");
        } finally {
            server.replica().unpublish(LogicalPath.parse("/data"));
            unmount(mounted);
        }
    }

    private static boolean canRead(Path link) {
        try {
            Files.readSymbolicLink(link);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean mount(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        return process.waitFor() == 0;
    }

    /** The server may have the mount open for a moment yet. */
    private static void unmount(Path path) throws Exception {
        assertThat(new ProcessBuilder("umount", "-l", path.toString()).start().waitFor())
                .isZero();
    }

    @Test
    void goesOnToServeWhatAnotherFileSystemHidesAndKeepsItsIds() throws Exception {
        Files.writeString(source.resolve("file"), "below");
        Files.createDirectory(source.resolve("d"));
        Files.writeString(source.resolve("d/deep"), "deeper");
        publish();
        FileRecord before = reader.get("/data/file");
        assumeThat(mount("-t", "tmpfs", "none", source.toString()))
                .as("may mount")
                .isTrue();
        try {
            Files.writeString(source.resolve("other"), "above");
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> detail().startsWith("another file system is mounted over"));
            assertThat(reader.find("/data/other")).isNull();
            assertThat(reader.get("/data/file")).isEqualTo(before);
            assertThat(reader.text(server, "/data/file")).isEqualTo("below");
            assertThat(reader.text(server, "/data/d/deep")).isEqualTo("deeper");
        } finally {
            unmount(source);
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> detail().isEmpty());
        Files.writeString(source.resolve("new"), "after");
        await().atMost(Duration.ofSeconds(30)).until(() -> reader.find("/data/new") != null);
        assertThat(reader.get("/data/file").id()).isEqualTo(before.id());
        assertThat(reader.text(server, "/data/file")).isEqualTo("below");
    }

    private String detail() {
        return server.replica().status().publications().getFirst().detail();
    }

    @Test
    void endsWhenItIsTakenBack() throws Exception {
        Files.writeString(source.resolve("file"), "x");
        publish();
        server.replica().unpublish(LogicalPath.parse("/data"));
        assertThat(reader.find("/data")).isNull();
        assertThat(server.replica().status().publications()).isEmpty();
        assertThat(source.resolve("file")).exists();
        publish();
        assertThat(reader.text(server, "/data/file")).isEqualTo("x");
    }

    @Test
    void aReplyIsNeverLongerThanTheFileAndARangeIsChecked() throws Exception {
        Files.writeString(source.resolve("file"), "x".repeat(5000));
        publish();
        FileRecord record =
                reader.open(server, reader.get("/data/file").id(), 0).record();
        assertThat(reader.read(server, record.id(), record.version(), 4096, 1 << 20))
                .hasSize(904);
        assertThat(reader.read(server, record.id(), record.version(), 8192, 4096))
                .isEmpty();
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.read(server, record.id(), record.version(), 1, 10))
                .matches(e -> e.code() == Failure.Code.BAD_REQUEST);
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> reader.read(server, record.id(), record.version(), 0, (4 << 20) + 1))
                .matches(e -> e.code() == Failure.Code.BAD_REQUEST);
        assertThat(grid.asked(Envelope.BodyCase.PUBLISH_REQUEST)).isEqualTo(1);
    }

    private PublicationStatus publish() throws Exception {
        return server.replica().publish(source, LogicalPath.parse("/data"), true, false, ProgressListener.NONE);
    }

    private void run(String script) throws Exception {
        Process process = new ProcessBuilder("bash", "-c", script)
                .directory(source.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
    }
}
