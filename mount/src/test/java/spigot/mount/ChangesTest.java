package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;

/** What changes at the source is seen as soon as the change was acknowledged, and nothing is asked while nothing changes. */
@EnabledIf("spigot.mount.RealMounts#arePossible")
class ChangesTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    private TestGrid grid;
    private SourceTree tree;
    private TestGrid.Node node;
    private Path directory;
    private Path source;
    private Path data;

    @BeforeEach
    void mount(@TempDir Path temporary) throws Exception {
        directory = temporary;
        source = Files.createDirectories(directory.resolve("source"));
        Programs.text(Programs.bash(
                "cd \"$1\"; mkdir few many; printf one > few/file; printf x > few/other; (cd many; seq -f 'name%05g' 2000 | xargs touch)",
                source));
        grid = new TestGrid(directory);
        tree = grid.publish(source, "/data");
        node = grid.mount(tree);
        data = node.point.resolve("data");
        await().atMost(SOON).until(() -> node.kernel.nameValidNanos() > 0);
    }

    @AfterEach
    void unmount() throws Exception {
        node.files.letReadsGo();
        grid.close();
    }

    private String run(String script, Object... arguments) throws Exception {
        return Programs.text(Programs.bash(script, arguments));
    }

    private long requests(String operation) {
        return node.mounted.status().fuse().requests(operation);
    }

    // ---- names ----

    @Test
    void theKernelAnswersAgainWhatItWasToldUnderALease() throws Exception {
        String script = "stat \"$1/few/file\" > /dev/null; ! stat \"$1/few/absent\" 2> /dev/null";
        run("ls -l \"$1/few\"", data);
        run(script, data);
        long lookups = requests("LOOKUP");
        long attributes = requests("GETATTR");
        run("for i in 1 2 3 4 5; do " + script + "; done", data);
        assertThat(requests("LOOKUP")).isEqualTo(lookups);
        assertThat(requests("GETATTR")).isEqualTo(attributes);
    }

    @Test
    void aNameThatWasAbsentAppearsWhenItIsRegistered() throws Exception {
        run("ls -l \"$1/few\"; ! stat \"$1/few/new\" 2> /dev/null", data);
        Files.writeString(source.resolve("few/new"), "fresh");
        tree.register("few");
        assertThat(run("cat \"$1/few/new\"; ls \"$1/few\"", data)).isEqualTo("freshfile\nnew\nother\n");
    }

    @Test
    void aNameThatIsWithdrawnIsGoneAtOnce() throws Exception {
        assertThat(run("ls -l \"$1/few\" > /dev/null; ls \"$1/few\"; stat -c %s \"$1/few/file\"", data))
                .isEqualTo("file\nother\n3\n");
        tree.withdraw("few/file");
        assertThat(Programs.bash("cat \"$1/few/file\"", data).text()).contains("No such file or directory");
        assertThat(run("ls \"$1/few\"", data)).isEqualTo("other\n");
    }

    @Test
    void aDirectoryThatIsSomebodysWorkingDirectoryStaysUsableWhenItChanges() throws Exception {
        Path go = directory.resolve("go");
        Path output = directory.resolve("output");
        Process shell = Programs.start(
                "bash",
                "cd \"$1/few\"; ls > /dev/null; echo ready; while [ ! -e \"$2\" ]; do sleep 0.05; done; pwd -P; /bin/pwd; ls; cat new",
                output,
                data,
                go);
        await().atMost(SOON).until(() -> Files.readString(output).contains("ready"));
        Files.writeString(source.resolve("few/new"), "fresh");
        tree.register("few");
        Files.createFile(go);
        assertThat(shell.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output))
                .isEqualTo("ready\n" + data + "/few\n" + data + "/few\nfile\nnew\nother\nfresh");
    }

    @Test
    void aChangedModeIsSeenThroughNamesAndOpenDescriptors() throws Exception {
        Path go = directory.resolve("go");
        Path output = directory.resolve("output");
        Process reader = Programs.start("python3", """
                import os, sys, time
                path, go = sys.argv[1:]
                place = os.open(path, os.O_PATH)
                directory = os.open(os.path.dirname(path), os.O_RDONLY)
                def modes(): return [oct(os.stat(path).st_mode), oct(os.fstat(place).st_mode), oct(os.fstat(directory).st_mode)]
                print(modes(), flush=True)
                while not os.path.exists(go): time.sleep(0.05)
                print(modes(), flush=True)
                """, output, data.resolve("few/file"), go);
        await().atMost(SOON).until(() -> Files.readString(output).endsWith("\n"));
        run("chmod 600 \"$1/few/file\"; chmod 711 \"$1/few\"", source);
        tree.update("few/file", false);
        tree.update("few", false);
        Files.createFile(go);
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output))
                .isEqualTo("['0o100644', '0o100644', '0o40755']\n['0o100600', '0o100600', '0o40711']\n");
    }

    // ---- directories ----

    @Test
    void aDirectoryThatWasListedIsListedAgainWithoutARequestForItsEntries() throws Exception {
        run("ls -lR \"$1\" > /dev/null", data);
        long read = requests("READDIR") + requests("READDIRPLUS");
        long questions = node.questions.get();
        run("ls -lR \"$1\" > /dev/null; ls -lR \"$1\" > /dev/null", data);
        assertThat(requests("READDIR") + requests("READDIRPLUS")).isEqualTo(read);
        assertThat(node.questions.get()).isEqualTo(questions);
    }

    @Test
    void whoReadsADirectoryWhileItChangesSeesTheOldNamesOnceEachAndTheNextReaderTheNewOnes() throws Exception {
        Path go = directory.resolve("go");
        Path output = directory.resolve("output");
        Process reader = Programs.start("python3", """
                import os, sys, time
                path, go = sys.argv[1:]
                names = []
                with os.scandir(path) as entries:
                    for entry in entries:
                        names.append(entry.name)
                        if len(names) == 700:
                            print('half', flush=True)
                            while not os.path.exists(go): time.sleep(0.05)
                assert sorted(names) == ['name%05d' % i for i in range(1, 2001)], len(names)
                print(len(os.listdir(path)), 'new' in os.listdir(path), 'name01999' in os.listdir(path), flush=True)
                """, output, data.resolve("many"), go);
        await().atMost(SOON).until(() -> Files.readString(output).startsWith("half"));
        Files.writeString(source.resolve("many/new"), "");
        tree.register("many");
        tree.withdraw("many/name01999");
        tree.withdraw("many/name00001");
        assertThat(run("ls \"$1/many\" | wc -l; ls -f \"$1/many\" | grep -c new", data))
                .isEqualTo("1999\n1\n");
        Files.createFile(go);
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output)).isEqualTo("half\n1999 True False\n");
    }

    @Test
    void aRewoundDirectoryShowsWhatItHoldsNowAndEarlierPositionsStayValid() throws Exception {
        Path go = directory.resolve("go");
        Path output = directory.resolve("output");
        Process reader = Programs.start("python3", """
                import ctypes, os, sys, time
                libc = ctypes.CDLL(None)
                class Entry(ctypes.Structure):
                    _fields_ = [('ino', ctypes.c_ulong), ('off', ctypes.c_long), ('len', ctypes.c_ushort), ('type', ctypes.c_ubyte), ('name', ctypes.c_char * 256)]
                libc.opendir.restype = ctypes.c_void_p
                libc.readdir.restype = ctypes.POINTER(Entry)
                libc.telldir.restype = ctypes.c_long
                for f in (libc.readdir, libc.telldir, libc.rewinddir): f.argtypes = [ctypes.c_void_p]
                libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
                path, go = sys.argv[1:]
                opened = libc.opendir(path.encode())
                def read():
                    entry = libc.readdir(opened)
                    return entry.contents.name if entry else None
                for i in range(1000): read()
                place = libc.telldir(opened)
                following = read()
                print('ready', flush=True)
                while not os.path.exists(go): time.sleep(0.05)
                libc.seekdir(opened, place)
                assert read() == following, following
                libc.rewinddir(opened)
                names = set()
                while (name := read()): names.add(name)
                assert b'new' in names and len(names) == 2003, len(names)
                print('done', flush=True)
                """, output, data.resolve("many"), go);
        await().atMost(SOON).until(() -> Files.readString(output).contains("\n"));
        Files.writeString(source.resolve("many/new"), "");
        tree.register("many");
        Files.createFile(go);
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output)).isEqualTo("ready\ndone\n");
    }

    // ---- content ----

    /** What a home does when a file has changed: the lease goes first, then the new content takes effect. */
    private void change(String path, String content) throws Exception {
        FileId id = tree.id(path);
        CompletableFuture<Void> dropped = new CompletableFuture<>();
        node.files.loseLease(id);
        node.kernel.changed(id, () -> dropped.complete(null));
        dropped.get(30, TimeUnit.SECONDS);
        Files.writeString(source.resolve(path), content);
        tree.update(path, true);
    }

    @Test
    void anOpenFileAndItsMappingShowTheNewContent() throws Exception {
        Path go = directory.resolve("go");
        Path output = directory.resolve("output");
        Files.writeString(source.resolve("few/file"), "old ".repeat(5000));
        tree.update("few/file", true);
        Process reader = Programs.start("python3", """
                import mmap, os, sys, time
                path, go = sys.argv[1:]
                fd = os.open(path, os.O_RDONLY)
                mapped = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
                print(mapped[0:3], mapped[16000:16003], os.pread(fd, 3, 8000), flush=True)
                while not os.path.exists(go): time.sleep(0.05)
                print(mapped[0:3], mapped[16000:16003], os.pread(fd, 3, 8000), os.fstat(fd).st_size, flush=True)
                """, output, data.resolve("few/file"), go);
        await().atMost(SOON).until(() -> Files.readString(output).endsWith("\n"));
        change("few/file", "new ".repeat(6000));
        Files.createFile(go);
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output)).isEqualTo("b'old' b'old' b'old'\nb'new' b'new' b'new' 24000\n");
    }

    @Test
    void aFileThatIsOpenedAgainKeepsItsPagesUntilItChanges() throws Exception {
        run("cat \"$1/few/file\"; cat \"$1/few/file\"", data);
        long reads = requests("READ");
        assertThat(run("cat \"$1/few/file\"", data)).isEqualTo("one");
        assertThat(requests("READ")).isEqualTo(reads);
        change("few/file", "three");
        assertThat(run("cat \"$1/few/file\"", data)).isEqualTo("three");
    }

    @Test
    void aChangeIsAcknowledgedWhileReadsOfTheFileWaitAndTheseGetTheNewContent() throws Exception {
        Files.writeString(source.resolve("few/file"), "old ".repeat(500_000));
        tree.update("few/file", true);
        Path go = directory.resolve("go");
        Path output = directory.resolve("output");
        node.files.inMemory(true);
        Process reader = Programs.start("python3", """
                import mmap, os, sys, threading, time
                path, go = sys.argv[1:]
                fd = os.open(path, os.O_RDONLY)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
                mapped = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
                mapped.madvise(mmap.MADV_RANDOM)
                print(mapped[0:3], mapped[1600000:1600003], flush=True)
                while not os.path.exists(go + '1'): time.sleep(0.02)
                got = []
                def load(at): got.append(os.pread(fd, 3, at))
                threads = [threading.Thread(target=load, args=(at,)) for at in (400000, 800000, 1200000)]
                for t in threads: t.start()
                while not os.path.exists(go + '2'): time.sleep(0.02)
                print(mapped[0:3], mapped[1600000:1600003], flush=True)
                for t in threads: t.join()
                print(got, flush=True)
                """, output, data.resolve("few/file"), go);
        await().atMost(SOON).until(() -> Files.readString(output).endsWith("\n"));
        node.files.inMemory(false);
        node.files.holdReads();
        Files.createFile(directory.resolve("go1"));
        await().atMost(SOON).until(() -> node.files.waitingReads.get() == 3);
        // The reads wait for the home, which waits for this: that it returns is the point.
        change("few/file", "new ".repeat(500_000));
        node.files.letReadsGo();
        Files.createFile(directory.resolve("go2"));
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output)).isEqualTo("b'old' b'old'\nb'new' b'new'\n[b'new', b'new', b'new']\n");
    }

    @Test
    void readersThatNeverPauseSeeNoOldByteAfterAChange() throws Exception {
        Path file = source.resolve("few/file");
        Files.writeString(file, "000000".repeat(20_000));
        tree.update("few/file", true);
        node.files.inMemory(true);
        Path marker = directory.resolve("marker");
        Files.writeString(marker, "000000");
        Path output = directory.resolve("output");
        Process reader = Programs.start("python3", """
                import mmap, os, random, sys
                path, marker = sys.argv[1:]
                fd = os.open(path, os.O_RDONLY)
                mapped = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
                while True:
                    least = open(marker).read(6)
                    if len(least) < 6: continue
                    if least == 'ending': break
                    at = random.randrange(20000) * 6
                    for got in (mapped[at:at + 6], os.pread(fd, 6, at)):
                        # Every byte is one of a digit that only grows.
                        assert min(got) >= ord(least[0]), (got, least)
                print('done', flush=True)
                """, output, data.resolve("few/file"), marker);
        FileId id = tree.id("few/file");
        await().atMost(SOON).until(() -> node.mounted.status().openFiles() > 0);
        for (char digit = '1'; digit <= '9'; digit++) {
            CompletableFuture<Void> dropped = new CompletableFuture<>();
            node.files.loseLease(id);
            node.kernel.changed(id, () -> dropped.complete(null));
            dropped.get(30, TimeUnit.SECONDS);
            byte[] next = String.valueOf(digit).repeat(120_000).getBytes(StandardCharsets.US_ASCII);
            Files.write(file, next, java.nio.file.StandardOpenOption.WRITE);
            // Reads between the acknowledgement and the change got old bytes without a lease: one more look at the home
            // ends that.
            CompletableFuture<Void> again = new CompletableFuture<>();
            node.kernel.changed(id, () -> again.complete(null));
            again.get(30, TimeUnit.SECONDS);
            Files.writeString(directory.resolve("next"), String.valueOf(digit).repeat(6));
            Files.move(directory.resolve("next"), marker, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        }
        Files.writeString(marker, "ending");
        assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(output)).isEqualTo("done\n");
    }
}
