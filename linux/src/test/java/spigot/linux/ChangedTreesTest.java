package spigot.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.DirectoryEntries.Renaming;
import spigot.linux.ExtendedAttributes.Setting;

@DisplayName("In an open directory")
class ChangedTreesTest {
    private static final int FIFO = 0010000;
    private static final int SOCKET = 0140000;

    @TempDir
    private Path tree;

    private RootDirectory root;
    private Descriptor directory;

    @BeforeEach
    void open() throws Exception {
        root = RootDirectory.open(tree.toString().getBytes(UTF_8));
        directory = root.descriptor();
    }

    @AfterEach
    void close() {
        root.close();
    }

    private interface Call {
        void run() throws SystemCallException;
    }

    private static void assertFails(int errno, Call call) {
        assertThatExceptionOfType(SystemCallException.class)
                .isThrownBy(call::run)
                .satisfies(e -> assertThat(Errno.name(e.errno())).isEqualTo(Errno.name(errno)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private FileStatus status(String name) throws SystemCallException {
        return Statx.at(directory.number(), bytes(name));
    }

    @Test
    void aFileIsCreatedOnce() throws Exception {
        try (Descriptor file = DirectoryEntries.createFile(directory, bytes("a"), 0600)) {
            assertThat(Statx.of(file.number())).isEqualTo(status("a"));
            assertThat(status("a").fullMode() & 07777).isEqualTo(0600);
        }
        assertFails(Errno.EEXIST, () -> DirectoryEntries.createFile(directory, bytes("a"), 0600));
        Files.createSymbolicLink(tree.resolve("dangling"), Path.of("nowhere"));
        assertFails(Errno.EEXIST, () -> DirectoryEntries.createFile(directory, bytes("dangling"), 0600));
        assertFails(
                Errno.ENAMETOOLONG,
                () -> DirectoryEntries.createFile(directory, bytes("x".repeat(256)), 0600)
                        .close());
    }

    @Test
    void aFileWithoutANameGetsOne() throws Exception {
        try (Descriptor file = DirectoryEntries.createNameless(directory, 0640)) {
            assertThat(Statx.of(file.number()).links()).isZero();
            DirectoryEntries.link(file, directory, bytes("named"));
            assertThat(status("named").inode())
                    .isEqualTo(Statx.of(file.number()).inode());
        }
    }

    @Test
    void directoriesAreMadeAndRemoved() throws Exception {
        DirectoryEntries.makeDirectory(directory, bytes("d"), 0700);
        assertThat(status("d").isDirectory()).isTrue();
        assertFails(Errno.EEXIST, () -> DirectoryEntries.makeDirectory(directory, bytes("d"), 0700));
        Files.writeString(tree.resolve("d/x"), "x");
        assertFails(Errno.ENOTEMPTY, () -> DirectoryEntries.removeDirectory(directory, bytes("d")));
        assertFails(Errno.EISDIR, () -> DirectoryEntries.unlink(directory, bytes("d")));
        Files.delete(tree.resolve("d/x"));
        DirectoryEntries.removeDirectory(directory, bytes("d"));
        assertFails(Errno.ENOENT, () -> DirectoryEntries.removeDirectory(directory, bytes("d")));
    }

    @Test
    void nodesAndSymbolicLinksAreMade() throws Exception {
        DirectoryEntries.makeNode(directory, bytes("fifo"), FIFO | 0600, 0);
        DirectoryEntries.makeNode(directory, bytes("socket"), SOCKET | 0600, 0);
        assertThat(status("fifo").fullMode()).isEqualTo(FIFO | 0600);
        assertThat(status("socket").fullMode()).isEqualTo(SOCKET | 0600);
        DirectoryEntries.makeSymbolicLink(bytes("../any where"), directory, bytes("link"));
        assertThat(Files.readSymbolicLink(tree.resolve("link"))).hasToString("../any where");
        assertFails(Errno.EEXIST, () -> DirectoryEntries.makeSymbolicLink(bytes("x"), directory, bytes("link")));
    }

    @Test
    void namesAreLinkedAndUnlinked() throws Exception {
        Files.writeString(tree.resolve("a"), "content");
        DirectoryEntries.link(directory, bytes("a"), directory, bytes("b"));
        assertThat(status("b").links()).isEqualTo(2);
        assertFails(Errno.EEXIST, () -> DirectoryEntries.link(directory, bytes("a"), directory, bytes("b")));
        try (Descriptor located = root.locate(bytes("b"))) {
            DirectoryEntries.unlink(directory, bytes("a"));
            DirectoryEntries.link(located, directory, bytes("c"));
        }
        assertThat(status("c").inode()).isEqualTo(status("b").inode());
        assertFails(Errno.ENOENT, () -> DirectoryEntries.unlink(directory, bytes("a")));
    }

    @Test
    void namesAreMovedReplacedAndExchanged() throws Exception {
        Files.writeString(tree.resolve("a"), "a");
        Files.writeString(tree.resolve("b"), "b");
        assertFails(
                Errno.EEXIST,
                () -> DirectoryEntries.rename(directory, bytes("a"), directory, bytes("b"), Renaming.NO_REPLACE));
        DirectoryEntries.rename(directory, bytes("a"), directory, bytes("b"), Renaming.EXCHANGE);
        assertThat(tree.resolve("a")).hasContent("b");
        DirectoryEntries.rename(directory, bytes("a"), directory, bytes("b"), Renaming.REPLACE);
        assertThat(tree.resolve("b")).hasContent("b");
        assertThat(tree.resolve("a")).doesNotExist();
        DirectoryEntries.makeDirectory(directory, bytes("d"), 0700);
        try (Descriptor below = root.openDirectory(bytes("d"))) {
            assertFails(
                    Errno.EINVAL,
                    () -> DirectoryEntries.rename(directory, bytes("d"), below, bytes("e"), Renaming.REPLACE));
        }
    }

    @Test
    void modeTimesAndSizeAreSet() throws Exception {
        Files.writeString(tree.resolve("a"), "content");
        try (Descriptor file = root.locate(bytes("a"))) {
            FileSettings.setMode(file, 02751);
            FileSettings.setTimes(file, -1_500_000_000L, 1_234_567_890L);
            assertThat(status("a").fullMode() & 07777).isEqualTo(02751);
            assertThat(status("a").accessedNanos()).isEqualTo(-1_500_000_000L);
            assertThat(status("a").modifiedNanos()).isEqualTo(1_234_567_890L);
            FileSettings.setTimes(file, FileSettings.OMIT, FileSettings.NOW);
            assertThat(status("a").accessedNanos()).isEqualTo(-1_500_000_000L);
            assertThat(status("a").modifiedNanos()).isGreaterThan(1_600_000_000_000_000_000L);
            FileSettings.setSize(file, 3);
            assertThat(tree.resolve("a")).hasContent("con");
        }
        assertFails(Errno.EISDIR, () -> FileSettings.setSize(directory, 3));
    }

    @Test
    void aSymbolicLinkIsNotFollowed() throws Exception {
        Files.writeString(tree.resolve("a"), "content");
        Files.createSymbolicLink(tree.resolve("link"), Path.of("a"));
        try (Descriptor link = root.locate(bytes("link"))) {
            FileSettings.setTimes(link, 1, 2_000_000_000L);
            assertThat(status("link").modifiedNanos()).isEqualTo(2_000_000_000L);
            assertThat(status("a").modifiedNanos()).isGreaterThan(2_000_000_000L);
            assertFails(Errno.EOPNOTSUPP, () -> FileSettings.setMode(link, 0600));
        }
    }

    @Test
    void theOwnerIsSet() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root to give a file away");
        Files.writeString(tree.resolve("a"), "content");
        Files.createSymbolicLink(tree.resolve("link"), Path.of("a"));
        try (Descriptor file = root.locate(bytes("a"));
                Descriptor link = root.locate(bytes("link"))) {
            FileSettings.setOwner(file, 1234, FileSettings.UNCHANGED);
            FileSettings.setOwner(link, 77, 88);
            assertThat(status("a").uid()).isEqualTo(1234);
            assertThat(status("a").gid()).isEqualTo((int) Files.getAttribute(tree, "unix:gid"));
            assertThat(Files.getAttribute(tree.resolve("link"), "unix:gid", LinkOption.NOFOLLOW_LINKS))
                    .isEqualTo(88);
        }
    }

    @Test
    void extendedAttributesAreSetAndRemoved() throws Exception {
        Files.writeString(tree.resolve("a"), "content");
        try (Descriptor file = root.locate(bytes("a"))) {
            ExtendedAttributes.set(file, bytes("user.one"), bytes("1"), Setting.ONLY_NEW);
            assertFails(
                    Errno.EEXIST, () -> ExtendedAttributes.set(file, bytes("user.one"), bytes("2"), Setting.ONLY_NEW));
            assertFails(
                    Errno.ENODATA,
                    () -> ExtendedAttributes.set(file, bytes("user.two"), bytes("2"), Setting.ONLY_EXISTING));
            ExtendedAttributes.set(file, bytes("user.one"), new byte[0], Setting.ALWAYS);
            assertThat(ExtendedAttributes.value(file, bytes("user.one"))).isEmpty();
            assertThat(ExtendedAttributes.has(file, "user.one")).isTrue();
            ExtendedAttributes.remove(file, bytes("user.one"));
            assertThat(ExtendedAttributes.has(file, "user.one")).isFalse();
            assertFails(Errno.ENODATA, () -> ExtendedAttributes.remove(file, bytes("user.one")));
        }
    }

    @Test
    void theModeIsTheOneThatWasAskedForLessTheUmask() throws IOException {
        try (Descriptor _ = DirectoryEntries.createFile(directory, bytes("a"), 0600)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(tree.resolve("a"))))
                    .isEqualTo("rw-------");
        }
    }
}
