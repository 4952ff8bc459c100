package spigot.linux;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Beneath a root directory")
class PublishedTreesTest {
    @TempDir
    private Path directory;

    private Path tree;

    @BeforeEach
    void makeTree() throws IOException {
        tree = Files.createDirectories(directory.resolve("tree"));
        Files.writeString(directory.resolve("secret"), "outside");
    }

    @Test
    void aFileIsOpenedAndLookedAt() throws Exception {
        Files.createDirectory(tree.resolve("a"));
        Files.writeString(tree.resolve("a/file"), "content");
        try (RootDirectory root = root();
                Descriptor located = root.locate(bytes("a/file"));
                Descriptor file = RootDirectory.reopen(located)) {
            FileStatus status = Statx.of(file.number());
            assertThat(status.isRegular()).isTrue();
            assertThat(status.size()).isEqualTo(7);
            assertThat(status.bornNanos()).isPositive();
            assertThat(status).isEqualTo(Statx.of(located.number()));
        }
    }

    @Test
    void symbolicLinksAreNeverFollowed() throws Exception {
        Files.createSymbolicLink(tree.resolve("link"), Path.of("../secret"));
        Files.createSymbolicLink(tree.resolve("up"), Path.of(".."));
        Files.createSymbolicLink(tree.resolve("inside"), Path.of("."));
        try (RootDirectory root = root()) {
            assertFails(root, "up/secret", Errno.ELOOP);
            assertFails(root, "inside/link", Errno.ELOOP);
            try (Descriptor link = root.locate(bytes("link"))) {
                assertThat(Statx.of(link.number()).isSymlink()).isTrue();
                assertThat(SymbolicLinks.target(link.number(), new byte[0])).isEqualTo(bytes("../secret"));
            }
        }
    }

    @Test
    void nothingAboveIsReached() throws Exception {
        try (RootDirectory root = root()) {
            assertFails(root, "../secret", Errno.EXDEV);
            assertFails(root, "/etc/passwd", Errno.EXDEV);
        }
    }

    @Test
    void namesAreRawBytes() throws Exception {
        byte[] invalid = {'b', (byte) 0xff, '\n', (byte) 0xc3};
        byte[] longest = "x".repeat(255).getBytes(UTF_8);
        run("printf x > $'b\\xff\\n\\xc3'; printf yy > " + "x".repeat(255));
        try (RootDirectory root = root();
                Descriptor opened = root.openDirectory(new byte[0])) {
            List<byte[]> names = DirectoryReader.names(opened.number(), "the tree");
            assertThat(names).containsExactlyInAnyOrder(invalid, longest);
            assertThat(Statx.at(opened.number(), invalid).size()).isEqualTo(1);
            try (Descriptor file = root.locate(longest)) {
                assertThat(Statx.of(file.number()).size()).isEqualTo(2);
            }
        }
    }

    @Test
    void aPathMayBeLongerThanPathMax() throws Exception {
        String name = "d".repeat(200);
        run("for i in $(seq 30); do mkdir " + name + " && cd " + name + "; done; printf deep > leaf");
        String path = (name + "/").repeat(30) + "leaf";
        try (RootDirectory root = root();
                Descriptor leaf = root.locate(bytes(path))) {
            assertThat(path.length()).isGreaterThan(4096);
            assertThat(Statx.of(leaf.number()).size()).isEqualTo(4);
        } finally {
            run("for i in $(seq 29); do cd " + name + "; done; cd /; rm -rf " + tree + "/" + name);
        }
    }

    @Test
    void aDirectoryOfThousandsIsListedCompletely() throws Exception {
        for (int i = 0; i < 5000; i++) {
            Files.createFile(tree.resolve("entry" + i));
        }
        try (RootDirectory root = root();
                Descriptor opened = root.openDirectory(new byte[0])) {
            assertThat(DirectoryReader.names(opened.number(), "the tree").stream()
                            .map(name -> new String(name, UTF_8))
                            .distinct())
                    .hasSize(5000);
        }
    }

    @Test
    void holesAreFound() throws Exception {
        try (FileChannel file =
                FileChannel.open(tree.resolve("sparse"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {1}), 64 << 20);
        }
        try (RandomAccessFile file = new RandomAccessFile(tree.resolve("sparse").toFile(), "rw")) {
            file.setLength(128 << 20);
        }
        try (RootDirectory root = root();
                Descriptor located = root.locate(bytes("sparse"));
                Descriptor file = RootDirectory.reopen(located)) {
            assertThat(SparseFiles.nextData(file.number(), 0)).isEqualTo(64 << 20);
            assertThat(SparseFiles.nextHole(file.number(), 0)).isZero();
            assertThat(SparseFiles.nextData(file.number(), 65 << 20)).isEqualTo(-Errno.ENXIO);
        }
    }

    @Test
    void extendedAttributesAreRead() throws Exception {
        Path file = Files.createFile(tree.resolve("file"));
        Files.createSymbolicLink(tree.resolve("link"), Path.of("file"));
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class)
                .write("colour", ByteBuffer.wrap(bytes("blue")));
        try (RootDirectory root = root();
                Descriptor opened = root.openDirectory(new byte[0]);
                Descriptor located = root.locate(bytes("file"));
                Descriptor link = root.locate(bytes("link"))) {
            assertThat(ExtendedAttributes.names(located)).containsExactly(bytes("user.colour"));
            assertThat(ExtendedAttributes.names(opened, bytes("file"))).containsExactly(bytes("user.colour"));
            assertThat(ExtendedAttributes.names(opened, bytes("link"))).isEmpty();
            assertThat(ExtendedAttributes.names(link)).isEmpty();
            assertThat(ExtendedAttributes.value(located, bytes("user.colour"))).isEqualTo(bytes("blue"));
            assertThatExceptionOfType(SystemCallException.class)
                    .isThrownBy(() -> ExtendedAttributes.value(located, bytes("user.none")))
                    .matches(e -> e.errno() == Errno.ENODATA);
        }
    }

    @Test
    void changesOfADirectoryAreReported() throws Exception {
        try (RootDirectory root = root();
                Inotify inotify = new Inotify()) {
            int watch = inotify.watch(root.descriptor(), Inotify.CREATED | Inotify.WRITTEN_AND_CLOSED);
            assertThat(watch).isPositive();
            Files.writeString(tree.resolve("new"), "x");
            List<Inotify.Event> events = new ArrayList<>();
            inotify.poll(10_000, events::add);
            assertThat(events).anySatisfy(event -> {
                assertThat(event.watch()).isEqualTo(watch);
                assertThat(event.name()).isEqualTo(bytes("new"));
                assertThat(event.mask() & Inotify.CREATED).isNotZero();
            });
        }
    }

    @Test
    void theFileSystemHasRoom() throws Exception {
        try (RootDirectory root = root()) {
            FileSystemStatus status = FileSystemStatus.of(root.descriptor().number());
            assertThat(status.totalBytes()).isEqualTo(Files.getFileStore(tree).getTotalSpace());
            assertThat(status.availableBytes()).isBetween(1L, status.totalBytes());
        }
    }

    private RootDirectory root() throws IOException {
        return RootDirectory.open(bytes(tree.toString()));
    }

    private void run(String script) throws Exception {
        Process process = new ProcessBuilder("bash", "-c", script)
                .directory(tree.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
    }

    private static void assertFails(RootDirectory root, String path, int errno) {
        assertThatExceptionOfType(SystemCallException.class)
                .isThrownBy(() -> root.locate(bytes(path)).close())
                .matches(e -> e.errno() == errno, "errno " + Errno.name(errno));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }
}
