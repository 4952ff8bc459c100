package spigot.replica;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static spigot.replica.GridActor.assertFails;
import static spigot.replica.GridActor.id;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.linux.Errno;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.XattrKinds;
import spigot.transport.FailureException;
import spigot.transport.Messages;
import spigot.transport.wire.Caller;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Kind;
import spigot.transport.wire.OperationReply;
import spigot.transport.wire.OperationRequest;

@DisplayName("An operation on a published tree")
class OperationsTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int NO_REPLACE = 1;
    private static final int EXCHANGE = 2;
    private static final int WHITEOUT = 4;

    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private TestGrid.TestServer server;
    private GridReader reader;
    private GridActor actor;
    private FileId root;

    @BeforeEach
    void start() throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        grid = new TestGrid(directory);
        server = grid.server(grid.serverIdentity("home"), directory.resolve("data"));
        server.replica().publish(source, LogicalPath.parse("/data"), false, false, ProgressListener.NONE);
        reader = grid.reader();
        actor = new GridActor(reader.to(server), 4_711);
        root = reader.get("/data").id();
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    private FileRecord shown(String name) throws Exception {
        return reader.get("/data/" + name);
    }

    private boolean isShown(String name) throws Exception {
        return reader.find("/data/" + name) != null;
    }

    private int mode(String name) throws IOException {
        return (int) Files.getAttribute(source.resolve(name), "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777;
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** What the grid shows of a directory is what the tree has. */
    private void assertAgrees(String below) throws Exception {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> there = Files.list(source.resolve(below))) {
            there.map(path -> path.getFileName().toString())
                    .filter(name -> !name.equals(".spigot-orphans"))
                    .forEach(names::add);
        }
        assertThat(reader.list("/data" + (below.isEmpty() ? "" : "/" + below)).stream()
                        .map(FileName::toString))
                .containsExactlyInAnyOrderElementsOf(names);
    }

    @Nested
    @DisplayName("that makes something")
    class Making {
        @Test
        void createsAFileThatIsShownAtOnce() throws Exception {
            OperationReply reply = actor.create(root, "a", 0666);
            assertThat(reply.getCreated()).isTrue();
            assertThat(reply.getVisible()).isTrue();
            FileRecord record = shown("a");
            assertThat(Messages.wire(record)).isEqualTo(reply.getRecord());
            assertThat(record.attributes().isRegular()).isTrue();
            assertThat(record.attributes().mode()).isEqualTo(0644);
            assertThat(Files.size(source.resolve("a"))).isZero();
            assertThat(mode("a")).isEqualTo(0644);
            assertThat(reader.open(server, record.id(), 10).record().version()).isEqualTo(record.version());
            assertThat(reply.getDirectories(0).getAttributes().getModifiedNanos())
                    .isEqualTo(reader.get("/data").attributes().modifiedNanos());
        }

        @Test
        void findsTheFileThatIsThereUnlessItMustBeNew() throws Exception {
            FileId made = id(actor.create(root, "a", 0600).getRecord());
            assertFails(Errno.EEXIST, () -> actor.create(root, "a", 0600));
            OperationReply there = actor.createOrOpen(root, "a", 0666);
            assertThat(there.getCreated()).isFalse();
            assertThat(id(there.getRecord())).isEqualTo(made);
            assertThat(actor.createOrOpen(root, "b", 0666).getCreated()).isTrue();
            actor.makeDirectory(root, "d", 0700);
            assertFails(Errno.EISDIR, () -> actor.createOrOpen(root, "d", 0666));
            assertFails(Errno.EEXIST, () -> actor.makeDirectory(root, "a", 0700));
            assertFails(Errno.EEXIST, () -> actor.makeSymlink(root, "a", "x"));
        }

        @Test
        void makesDirectoriesInDirectories() throws Exception {
            FileId one = id(actor.makeDirectory(root, "one", 0777).getRecord());
            FileId two = id(actor.makeDirectory(one, "two", 0750).getRecord());
            actor.create(two, "three", 0600);
            assertThat(source.resolve("one/two/three")).exists();
            assertThat(mode("one")).isEqualTo(0755);
            assertThat(mode("one/two")).isEqualTo(0750);
            assertThat(shown("one/two/three").attributes().mode()).isEqualTo(0600);
            assertThat(shown("one").attributes().links())
                    .isEqualTo((int) Files.getAttribute(source.resolve("one"), "unix:nlink"));
        }

        @Test
        void makesNodesAndSymbolicLinks() throws Exception {
            actor.makeNode(root, "fifo", Kind.FIFO, 0666);
            actor.makeNode(root, "socket", Kind.SOCKET, 0600);
            OperationReply link = actor.makeSymlink(root, "link", "some/where");
            assertThat(shown("fifo").attributes().kind()).isEqualTo(spigot.model.FileKind.FIFO);
            assertThat(mode("fifo")).isEqualTo(0644);
            assertThat(shown("socket").attributes().kind()).isEqualTo(spigot.model.FileKind.SOCKET);
            assertThat(shown("link").symlinkTarget()).hasToString("some/where");
            assertThat(link.getRecord().getSymlinkTarget().toStringUtf8()).isEqualTo("some/where");
            assertThat(Files.readSymbolicLink(source.resolve("link"))).hasToString("some/where");
            assertFails(Errno.ENOENT, () -> actor.makeSymlink(root, "empty", ""));
            assertFails(Errno.ENAMETOOLONG, () -> actor.makeSymlink(root, "long", "x".repeat(4096)));
        }

        @Test
        void refusesNamesThatAreTooLongOrNone() throws Exception {
            actor.create(root, "x".repeat(255), 0600);
            assertThat(isShown("x".repeat(255))).isTrue();
            assertFails(Errno.ENAMETOOLONG, () -> actor.create(root, "x".repeat(256), 0600));
            assertFails(Errno.EINVAL, () -> actor.create(root, "a/b", 0600));
            assertFails(Errno.EINVAL, () -> actor.create(root, "..", 0600));
            assertFails(Errno.EACCES, () -> actor.create(root, ".spigot-orphans", 0600));
        }

        @Test
        void takesRawBytesForNames() throws Exception {
            byte[] raw = {'b', (byte) 0xff, '\n', (byte) 0xc3};
            OperationRequest.Create create = GridActor.creating(root, "x", 0600, true).toBuilder()
                    .setName(ByteString.copyFrom(raw))
                    .build();
            FileId made = id(actor.ask(actor.next().setCreate(create).build()).getRecord());
            FileRecord found = reader.find(List.of(FileName.of("data"), FileName.of(raw)));
            assertThat(found).isNotNull().extracting(FileRecord::id).isEqualTo(made);
        }

        @Test
        void failsWhileTheDiskIsFullAndGoesOnWhenThereIsRoomAgain() throws Exception {
            assumeTrue(isRoot(), "needs root to mount a small file system");
            Path small = Files.createDirectories(directory.resolve("small"));
            assumeTrue(run("mount", "-t", "tmpfs", "-o", "nr_inodes=6", "small", small.toString()), "needs tmpfs");
            try {
                server.replica().publish(small, LogicalPath.parse("/small"), false, false, ProgressListener.NONE);
                FileId smallRoot = reader.get("/small").id();
                assertFails(Errno.ENOSPC, () -> {
                    for (int i = 0; i < 10; i++) {
                        actor.create(smallRoot, "f" + i, 0600);
                    }
                });
                actor.unlink(smallRoot, "f0");
                assertThat(actor.create(smallRoot, "again", 0600).getCreated()).isTrue();
                assertThat(reader.find("/small/f0")).isNull();
            } finally {
                assertThat(run("umount", "-l", small.toString())).isTrue();
            }
        }

        private static boolean run(String... command) throws Exception {
            return new ProcessBuilder(command)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        }

        @Test
        void failsInWhatIsGoneOrNoDirectory() throws Exception {
            FileId file = id(actor.create(root, "a", 0600).getRecord());
            FileId gone = id(actor.makeDirectory(root, "d", 0700).getRecord());
            actor.removeDirectory(root, "d");
            assertFails(Errno.ENOTDIR, () -> actor.create(file, "x", 0600));
            assertThatExceptionOfType(FailureException.class)
                    .isThrownBy(() -> actor.create(gone, "x", 0600))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(Failure.Code.NOT_FOUND));
        }

        @Test
        void givesWhatItMakesToItsCaller() throws Exception {
            assumeTrue(isRoot(), "needs root to give files away");
            GridActor user = actor.as(Caller.newBuilder()
                    .setUid(1234)
                    .setGid(77)
                    .addGroups(88)
                    .setUmask(0)
                    .build());
            assertThat(user.create(root, "a", 06755).getRecord().getAttributes())
                    .satisfies(attributes -> {
                        assertThat(attributes.getUid()).isEqualTo(1234);
                        assertThat(attributes.getGid()).isEqualTo(77);
                        assertThat(attributes.getMode()).isEqualTo(06755);
                    });
            assertThat(user.makeSymlink(root, "l", "x")
                            .getRecord()
                            .getAttributes()
                            .getUid())
                    .isEqualTo(1234);
            FileId shared = id(actor.makeDirectory(root, "shared", 0777).getRecord());
            actor.set(shared, set -> set.setGid(99).setMode(02777));
            assertThat(user.makeDirectory(shared, "d", 0700).getRecord().getAttributes())
                    .satisfies(attributes -> {
                        assertThat(attributes.getGid()).isEqualTo(99);
                        assertThat(attributes.getMode()).isEqualTo(02700);
                    });
            // Not a member of the group: no program runs as that group by this.
            assertThat(user.create(shared, "f", 02755).getRecord().getAttributes())
                    .satisfies(attributes -> {
                        assertThat(attributes.getGid()).isEqualTo(99);
                        assertThat(attributes.getMode()).isEqualTo(0755);
                    });
        }

        @Test
        void inheritsADefaultAccessListInsteadOfTheUmask() throws Exception {
            // u::rwx,g::rwx,o::r-x: version 2, then (tag, permissions, id) of each entry, little-endian.
            byte[] list = java.util.HexFormat.of()
                    .parseHex("02000000" + "01000700ffffffff" + "04000700ffffffff" + "20000500ffffffff");
            actor.ask(actor.next()
                    .setSetXattr(OperationRequest.SetXattr.newBuilder()
                            .setId(Messages.bytes(root))
                            .setName(ByteString.copyFromUtf8("system.posix_acl_default"))
                            .setValue(ByteString.copyFrom(list)))
                    .build());
            GridActor strict = actor.as(Caller.newBuilder().setUmask(077).build());
            assertThat(strict.create(root, "a", 0666)
                            .getRecord()
                            .getAttributes()
                            .getMode())
                    .isEqualTo(0664);
            assertThat(strict.makeDirectory(root, "d", 0777).getRecord().getAttributes())
                    .satisfies(attributes -> {
                        assertThat(attributes.getMode()).isEqualTo(0775);
                        assertThat(attributes.getHasXattrs()).isTrue();
                    });
            assertThat(mode("a")).isEqualTo(0664);
        }
    }

    @Nested
    @DisplayName("that removes or moves names")
    class Names {
        private FileId a;

        @BeforeEach
        void make() throws Exception {
            a = id(actor.create(root, "a", 0600).getRecord());
        }

        @Test
        void linksAFileAndCountsItsNames() throws Exception {
            FileId d = id(actor.makeDirectory(root, "d", 0700).getRecord());
            assertThat(actor.link(a, d, "b").getRecord().getAttributes().getLinks())
                    .isEqualTo(2);
            assertThat(shown("d/b").id()).isEqualTo(a);
            assertThat(shown("a").attributes().links()).isEqualTo(2);
            assertFails(Errno.EEXIST, () -> actor.link(a, d, "b"));
            assertFails(Errno.EPERM, () -> actor.link(d, root, "e"));
            OperationReply left = actor.unlink(root, "a");
            assertThat(left.getReplaced().getAttributes().getLinks()).isEqualTo(1);
            assertThat(shown("d/b").attributes().links()).isEqualTo(1);
            assertThat(shown("d/b").version())
                    .isEqualTo(Messages.record(left.getReplaced()).version());
            assertThat(isShown("a")).isFalse();
        }

        @Test
        void unlinksAFile() throws Exception {
            OperationReply reply = actor.unlink(root, "a");
            assertThat(id(reply.getReplaced())).isEqualTo(a);
            assertThat(reply.getReplaced().getAttributes().getLinks()).isZero();
            assertThat(isShown("a")).isFalse();
            assertThat(source.resolve("a")).doesNotExist();
            assertFails(Errno.ENOENT, () -> actor.unlink(root, "a"));
        }

        @Test
        void removesOnlyEmptyDirectories() throws Exception {
            FileId d = id(actor.makeDirectory(root, "d", 0700).getRecord());
            actor.create(d, "x", 0600);
            assertFails(Errno.ENOTEMPTY, () -> actor.removeDirectory(root, "d"));
            assertFails(Errno.EISDIR, () -> actor.unlink(root, "d"));
            assertFails(Errno.ENOTDIR, () -> actor.removeDirectory(root, "a"));
            actor.unlink(d, "x");
            actor.removeDirectory(root, "d");
            assertThat(isShown("d")).isFalse();
            assertFails(Errno.ENOENT, () -> actor.removeDirectory(root, "d"));
            actor.makeDirectory(root, "d", 0700);
            assertThat(shown("d").id()).isNotEqualTo(d);
        }

        @Test
        void renamesAFileWhichKeepsItsIdAndVersion() throws Exception {
            FileId d = id(actor.makeDirectory(root, "d", 0700).getRecord());
            FileRecord before = shown("a");
            OperationReply reply = actor.rename(root, "a", d, "b", 0);
            assertThat(isShown("a")).isFalse();
            assertThat(shown("d/b").id()).isEqualTo(a);
            assertThat(shown("d/b").version()).isEqualTo(before.version());
            assertThat(reply.getDirectoriesCount()).isEqualTo(2);
            assertThat(source.resolve("d/b")).exists();
            assertFails(Errno.ENOENT, () -> actor.rename(root, "a", d, "c", 0));
        }

        @Test
        void replacesAFileByARename() throws Exception {
            FileId b = id(actor.create(root, "b", 0600).getRecord());
            assertFails(Errno.EEXIST, () -> actor.rename(root, "a", root, "b", NO_REPLACE));
            OperationReply reply = actor.rename(root, "a", root, "b", 0);
            assertThat(id(reply.getReplaced())).isEqualTo(b);
            assertThat(shown("b").id()).isEqualTo(a);
            assertThat(isShown("a")).isFalse();
            assertAgrees("");
        }

        @Test
        void renamesWithoutEffectWhenBothAreOneFile() throws Exception {
            actor.link(a, root, "b");
            actor.rename(root, "a", root, "b", 0);
            assertThat(isShown("a")).isTrue();
            assertThat(isShown("b")).isTrue();
            actor.rename(root, "a", root, "a", 0);
            assertThat(shown("a").attributes().links()).isEqualTo(2);
        }

        @Test
        void exchangesTwoNames() throws Exception {
            FileId d = id(actor.makeDirectory(root, "d", 0700).getRecord());
            actor.create(d, "inside", 0600);
            actor.rename(root, "a", root, "d", EXCHANGE);
            assertThat(shown("a").id()).isEqualTo(d);
            assertThat(shown("d").id()).isEqualTo(a);
            assertThat(isShown("a/inside")).isTrue();
            assertFails(Errno.ENOENT, () -> actor.rename(root, "a", root, "nothing", EXCHANGE));
            assertFails(Errno.EINVAL, () -> actor.rename(root, "a", root, "b", WHITEOUT));
        }

        @Test
        void movesDirectoriesWithAllBelow() throws Exception {
            FileId d = id(actor.makeDirectory(root, "d", 0700).getRecord());
            FileId e = id(actor.makeDirectory(root, "e", 0700).getRecord());
            FileId inside = id(actor.create(d, "inside", 0600).getRecord());
            assertFails(Errno.EINVAL, () -> actor.rename(root, "d", d, "x", 0));
            assertFails(Errno.EISDIR, () -> actor.rename(root, "a", root, "d", 0));
            assertFails(Errno.ENOTDIR, () -> actor.rename(root, "d", root, "a", 0));
            actor.rename(root, "d", e, "f", 0);
            assertThat(shown("e/f/inside").id()).isEqualTo(inside);
            actor.create(d, "more", 0600);
            assertThat(isShown("e/f/more")).isTrue();
            assertFails(Errno.ENOTEMPTY, () -> {
                FileId g = id(actor.makeDirectory(root, "g", 0700).getRecord());
                actor.rename(root, "g", e, "f", 0);
                throw new AssertionError("renamed over " + g);
            });
            assertThat(reader.open(server, inside, 10).record().id()).isEqualTo(inside);
        }

        @Test
        void doesNotReachBeyondItsPublication() throws Exception {
            Path other = Files.createDirectories(directory.resolve("other"));
            server.replica().publish(other, LogicalPath.parse("/other"), false, false, ProgressListener.NONE);
            FileId otherRoot = reader.get("/other").id();
            assertFails(Errno.EXDEV, () -> actor.rename(root, "a", otherRoot, "a", 0));
            assertFails(Errno.EXDEV, () -> actor.link(a, otherRoot, "a"));
        }

        @Test
        void isRefusedWhereThePublicationIsReadOnly() throws Exception {
            Path fixed = Files.createDirectories(directory.resolve("fixed"));
            Files.writeString(fixed.resolve("f"), "x");
            server.replica().publish(fixed, LogicalPath.parse("/fixed"), true, false, ProgressListener.NONE);
            FileId fixedRoot = reader.get("/fixed").id();
            assertFails(Errno.EROFS, () -> actor.create(fixedRoot, "x", 0600));
            assertFails(Errno.EROFS, () -> actor.unlink(fixedRoot, "f"));
            assertFails(Errno.EROFS, () -> actor.set(reader.get("/fixed/f").id(), set -> set.setMode(0600)));
        }
    }

    @Nested
    @DisplayName("that sets attributes")
    class Attributes {
        private FileId a;

        @BeforeEach
        void make() throws Exception {
            Files.writeString(source.resolve("a"), "content");
            await().atMost(SOON).until(() -> isShown("a"));
            a = shown("a").id();
        }

        @Test
        void setsModeAndTimesWithoutANewVersion() throws Exception {
            FileRecord before = shown("a");
            OperationReply reply = actor.set(
                    a, set -> set.setMode(0640).setModifiedNanos(1_234_567_890L).setAccessedNanos(-5));
            FileRecord after = shown("a");
            assertThat(Messages.wire(after)).isEqualTo(reply.getRecord());
            assertThat(after.attributes().mode()).isEqualTo(0640);
            assertThat(after.attributes().modifiedNanos()).isEqualTo(1_234_567_890L);
            assertThat(after.version()).isEqualTo(before.version());
            assertThat(reader.text(server, "/data/a")).isEqualTo("content");
            actor.set(a, set -> set.setModifiedNow(true));
            assertThat(shown("a").attributes().modifiedNanos()).isGreaterThan(1_600_000_000_000_000_000L);
            actor.set(root, set -> set.setMode(0711));
            assertThat(reader.get("/data").attributes().mode()).isEqualTo(0711);
        }

        @Test
        void setsTheSizeWithANewVersion() throws Exception {
            FileRecord before = shown("a");
            OperationReply reply = actor.set(a, set -> set.setSize(3));
            assertThat(reply.getRecord().getAttributes().getSize()).isEqualTo(3);
            assertThat(shown("a").version()).isNotEqualTo(before.version());
            assertThat(reader.text(server, "/data/a")).isEqualTo("con");
            assertThat(source.resolve("a")).hasContent("con");
            assertFails(Errno.EISDIR, () -> actor.set(root, set -> set.setSize(3)));
            assertThatExceptionOfType(FailureException.class)
                    .isThrownBy(() -> reader.read(server, a, before.version(), 0, 10))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(Failure.Code.VERSION_GONE));
        }

        @Test
        void setsExtendedAttributes() throws Exception {
            assertThat(actor.setXattr(a, "user.one", "1", 0)
                            .getRecord()
                            .getAttributes()
                            .getHasXattrs())
                    .isTrue();
            assertThat(reader.xattr(server, a, "user.one")).isEqualTo("1".getBytes(UTF_8));
            assertFails(Errno.EEXIST, () -> actor.setXattr(a, "user.one", "2", 1));
            assertFails(Errno.ENODATA, () -> actor.setXattr(a, "user.two", "2", 2));
            assertFails(Errno.EOPNOTSUPP, () -> actor.setXattr(a, "trusted.x", "2", 0));
            actor.removeXattr(a, "user.one");
            assertFails(Errno.ENODATA, () -> actor.removeXattr(a, "user.one"));
            assertThat(shown("a").attributes().xattrs()).isEqualTo(XattrKinds.NONE);
        }

        @Test
        void setsTheOwner() throws Exception {
            assumeTrue(isRoot(), "needs root to give files away");
            assertThat(actor.set(a, set -> set.setUid(1234).setGid(99))
                            .getRecord()
                            .getAttributes()
                            .getUid())
                    .isEqualTo(1234);
            assertThat(shown("a").attributes().gid()).isEqualTo(99);
        }
    }

    @Nested
    @DisplayName("among others")
    class AmongOthers {
        @Test
        void isNotTakenForAChangeBehindTheBack() throws Exception {
            long registered = grid.asked(Envelope.BodyCase.REGISTER_REQUEST);
            long withdrawn = grid.asked(Envelope.BodyCase.WITHDRAW_REQUEST);
            FileId d = id(actor.makeDirectory(root, "d", 0700).getRecord());
            for (int i = 0; i < 30; i++) {
                FileId file = id(actor.create(d, "f" + i, 0600).getRecord());
                actor.set(file, set -> set.setMode(0644));
                actor.rename(d, "f" + i, root, "g" + i, 0);
                if (i % 3 == 0) {
                    actor.unlink(root, "g" + i);
                }
            }
            // What a local program makes is registered after all events of before have been looked at.
            Files.writeString(source.resolve("local"), "x");
            await().atMost(SOON).until(() -> isShown("local"));
            assertThat(grid.asked(Envelope.BodyCase.REGISTER_REQUEST)).isEqualTo(registered + 1);
            assertThat(grid.asked(Envelope.BodyCase.WITHDRAW_REQUEST)).isEqualTo(withdrawn);
            assertAgrees("");
            assertAgrees("d");
        }

        @Test
        void findsWhatLocalProgramsHaveJustDone() throws Exception {
            for (int i = 0; i < 20; i++) {
                Files.writeString(source.resolve("l" + i), "x");
                String name = "l" + i;
                assertFails(Errno.EEXIST, () -> actor.create(root, name, 0600));
                Files.delete(source.resolve(name));
                actor.create(root, name, 0600);
                Files.delete(source.resolve(name));
                assertFails(Errno.ENOENT, () -> actor.unlink(root, name));
            }
        }

        @Test
        void fromManyActorsAtOnceHasOneWinnerEach() throws Exception {
            int rounds = 15;
            List<GridActor> actors = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                actors.add(new GridActor(grid.reader("node" + i, null).to(server), 100 + i));
            }
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int round = 0; round < rounds; round++) {
                    String name = "r" + round;
                    List<Future<Integer>> results = new ArrayList<>();
                    for (GridActor each : actors) {
                        results.add(threads.submit(() -> {
                            try {
                                each.create(root, name, 0600);
                                return 1;
                            } catch (FailureException e) {
                                assertThat(e.failure().getErrno()).isEqualTo(Errno.EEXIST);
                                return 0;
                            }
                        }));
                    }
                    int winners = 0;
                    for (Future<Integer> result : results) {
                        winners += result.get();
                    }
                    assertThat(winners).isEqualTo(1);
                }
                // Everybody moves files to and fro between two directories, and local programs make others.
                FileId d = id(actor.makeDirectory(root, "d", 0700).getRecord());
                List<Future<?>> movers = new ArrayList<>();
                for (int i = 0; i < actors.size(); i++) {
                    GridActor mover = actors.get(i);
                    String own = "own" + i;
                    movers.add(threads.submit(() -> {
                        mover.create(root, own, 0600);
                        for (int round = 0; round < rounds; round++) {
                            mover.rename(root, own, d, own, 0);
                            mover.rename(d, own, root, own, 0);
                        }
                        return null;
                    }));
                }
                for (int i = 0; i < rounds; i++) {
                    Files.writeString(source.resolve("d/local" + i), "x");
                }
                for (Future<?> mover : movers) {
                    mover.get();
                }
            }
            await().atMost(SOON).untilAsserted(() -> {
                assertAgrees("");
                assertAgrees("d");
            });
        }
    }

    @Nested
    @DisplayName("that is repeated")
    class Repeated {
        @Test
        void isDoneOnceAndAnsweredTheSame() throws Exception {
            OperationRequest request = actor.next()
                    .setCreate(GridActor.creating(root, "a", 0600, true))
                    .build();
            OperationReply first = actor.ask(request);
            actor.rename(root, "a", root, "b", 0);
            assertThat(actor.ask(request)).isEqualTo(first);
            assertThat(isShown("a")).isFalse();
        }

        @Test
        void isNotKnownAnyMoreWhenItsAnswerWasHeard() throws Exception {
            OperationRequest request = actor.next()
                    .setCreate(GridActor.creating(root, "a", 0600, true))
                    .build();
            actor.ask(request);
            actor.ask(actor.next()
                    .setAnsweredBelow(request.getNumber() + 1)
                    .setCreate(GridActor.creating(root, "b", 0600, true))
                    .build());
            assertThatExceptionOfType(FailureException.class)
                    .isThrownBy(() -> actor.ask(request))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(Failure.Code.BAD_REQUEST));
        }

        @Test
        void tellsEarlyWhatTheTreeHasIfThatIsAskedFor() throws Exception {
            OperationRequest request = actor.next()
                    .setEarly(true)
                    .setCreate(GridActor.creating(root, "a", 0600, true))
                    .build();
            List<Envelope> parts = new ArrayList<>();
            Envelope last = reader.to(server).stream(
                    Envelope.newBuilder().setOperationRequest(request).build(), SOON, parts::add);
            assertThat(parts)
                    .singleElement()
                    .satisfies(part ->
                            assertThat(part.getOperationReply().getVisible()).isFalse());
            assertThat(last.getOperationReply().getVisible()).isTrue();
            assertThat(parts.getFirst().getOperationReply().getRecord())
                    .isEqualTo(last.getOperationReply().getRecord());
        }
    }
}
