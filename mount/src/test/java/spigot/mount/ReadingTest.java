package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** What unmodified programs see of a published tree. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIf("spigot.mount.RealMounts#arePossible")
class ReadingTest {
    /** A tree with all that file systems can hold; $1 is where. */
    private static final String TREE = """
            set -e
            cd "$1"
            mkdir -p plain/deep/deeper empty odd links
            printf 'hello, grid\\n' > plain/hello.txt
            head -c 3000000 /dev/urandom > plain/random.bin
            : > plain/zero
            printf 'x' > plain/deep/deeper/x
            chmod 0640 plain/hello.txt; chown 12:34 plain/hello.txt; chmod 4755 plain/zero; chmod 1777 empty
            touch -d '1969-12-31 12:00:00.123456789 UTC' plain/zero
            touch -d '2106-03-01 12:00:00.987654321 UTC' plain/deep/deeper/x
            printf 'a' > "odd/$(printf 'new\\nline')"
            printf 'b' > "odd/$(printf 'not\\xffutf8\\xc3')"
            printf 'c' > "odd/$(head -c 255 /dev/zero | tr '\\0' n)"
            printf 'd' > 'odd/ blank at both ends '
            printf 'e' > 'odd/-rf'
            printf 'f' > 'odd/ümläut 漢字'
            printf 'linked' > links/one; ln links/one links/two; ln links/one plain/three
            ln -s one links/to-one; ln -s ../plain/hello.txt links/up; ln -s nowhere links/dangling
            ln -s "$(printf 'odd\\ntarget\\xfe')" links/odd-target
            ln -s deep plain/to-directory
            mkfifo plain/fifo; mknod plain/device c 1 3
            truncate -s 16M plain/sparse; printf 'island' | dd of=plain/sparse bs=1 seek=8388608 conv=notrunc status=none
            setfattr -n user.color -v green plain/random.bin; setfattr -n user.empty plain/random.bin
            cp /bin/true plain/run; setfattr -n user.origin -v here plain/run
            printf 'shared' > plain/shared
            setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff020004000c00000004000400ffffffff10000400ffffffff20000400ffffffff plain/shared
            """;

    private Path source;
    private TestGrid grid;
    private SourceTree tree;
    private TestGrid.Node node;

    @BeforeAll
    void mount(@TempDir Path directory) throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        Programs.text(Programs.bash(TREE, source));
        grid = new TestGrid(directory);
        tree = grid.publish(source, "/data/set");
        node = grid.mount(tree);
    }

    @AfterAll
    void unmount() throws Exception {
        grid.close();
    }

    private Path data() {
        return node.point.resolve("data/set");
    }

    @Test
    void theTreeHasTheSameNamesAttributesAndLinks() throws Exception {
        String list =
                "cd \"$1\" && find . -printf '%P %y %m %U %G %s %b %n %T@ %C@ %l\\0' | LC_ALL=C sort -z | tr '\\0' '\\001'";
        assertThat(Programs.text(Programs.bash(list, data()))).isEqualTo(Programs.text(Programs.bash(list, source)));
    }

    @Test
    void allContentIsTheSame() throws Exception {
        String sums =
                "cd \"$1\" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -z | tr '\\0' '\\001'";
        assertThat(Programs.text(Programs.bash(sums, data()))).isEqualTo(Programs.text(Programs.bash(sums, source)));
    }

    @Test
    void diffAndTarFindNoDifference() throws Exception {
        Programs.text(Programs.bash(
                "diff -r --no-dereference \"$1/plain/deep\" \"$2/plain/deep\" && diff -r \"$1/odd\" \"$2/odd\"",
                source,
                data()));
        Programs.text(Programs.bash("tar -C \"$1\" -cf - . | tar -C \"$2\" --compare -f -", source, data()));
    }

    @Test
    void hardLinksShareAnInodeAndTwoMountsShowTheSameNumbers() throws Exception {
        TestGrid.Node second = grid.mount(tree);
        String inodes = "cd \"$1/data/set\" && stat -c %i links/one links/two plain/three";
        String[] first = Programs.text(Programs.bash(inodes, node.point)).split("\n");
        assertThat(first[0]).isEqualTo(first[1]).isEqualTo(first[2]);
        String all = "cd \"$1\" && find . -printf '%i %P\\0' | LC_ALL=C sort -z | tr '\\0' '\\001'";
        assertThat(Programs.text(Programs.bash(all, second.point)))
                .isEqualTo(Programs.text(Programs.bash(all, node.point)));
    }

    @Test
    void dotDotAndTheRootHaveTheInodesOfTheirDirectories() throws Exception {
        String script = """
                import os, sys
                root = sys.argv[1]
                assert os.stat(root).st_ino == 1
                for directory in ['data', 'data/set', 'data/set/plain']:
                    path = os.path.join(root, directory)
                    assert os.stat(path + '/..').st_ino == os.stat(os.path.dirname(path)).st_ino, directory
                    assert os.stat(path + '/.').st_ino == os.stat(path).st_ino, directory
                import subprocess
                shown = subprocess.run(['ls', '-ai', root + '/data/set/plain'], capture_output=True, text=True).stdout
                by_name = {line.split(None, 1)[1]: int(line.split()[0]) for line in shown.splitlines()}
                assert by_name['.'] == os.stat(root + '/data/set/plain').st_ino
                assert by_name['..'] == os.stat(root + '/data/set').st_ino
                """;
        Programs.text(Programs.python(script, node.point));
    }

    @Test
    void mappingsPrivateAndSharedReadWhatTheFileHas() throws Exception {
        String script = """
                import mmap, os, sys
                source, mounted = sys.argv[1:]
                expected = open(source, 'rb').read()
                fd = os.open(mounted, os.O_RDONLY)
                for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
                    with mmap.mmap(fd, 0, flags, mmap.PROT_READ) as mapped:
                        assert mapped[1234567:1239999] == expected[1234567:1239999]
                        assert bytes(mapped) == expected
                private = mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
                private[0:4] = b'mine'
                assert os.pread(fd, 4, 0) == expected[0:4]
                """;
        Programs.text(Programs.python(script, source.resolve("plain/random.bin"), data().resolve("plain/random.bin")));
    }

    @Test
    void directReadsAndReadsAtTheEndGetWhatThereIs() throws Exception {
        String script = """
                import mmap, os, sys
                source, mounted = sys.argv[1:]
                expected = open(source, 'rb').read()
                fd = os.open(mounted, os.O_RDONLY | os.O_DIRECT)
                buffer = mmap.mmap(-1, 1 << 20)
                got = bytearray()
                while True:
                    n = os.preadv(fd, [buffer], len(got))
                    if n == 0: break
                    got += buffer[:n]
                assert bytes(got) == expected
                plain = os.open(mounted, os.O_RDONLY)
                size = len(expected)
                assert os.pread(plain, 100, size - 10) == expected[-10:]
                assert os.pread(plain, 100, size) == b''
                assert os.pread(plain, 100, size + 100000) == b''
                assert os.pread(plain, 1, 4095) == expected[4095:4096]
                """;
        Programs.text(Programs.python(script, source.resolve("plain/random.bin"), data().resolve("plain/random.bin")));
    }

    @Test
    void holesAreFoundWhereTheSourceHasThem() throws Exception {
        String script = """
                import errno, os, sys
                found = []
                for path in sys.argv[1:]:
                    fd = os.open(path, os.O_RDONLY)
                    places = []
                    for offset, whence in ((0, os.SEEK_DATA), (0, os.SEEK_HOLE), (8388608, os.SEEK_HOLE), (9000000, os.SEEK_DATA)):
                        try: places.append(os.lseek(fd, offset, whence))
                        except OSError as e: places.append(errno.errorcode[e.errno])
                    found.append(places)
                print(found)
                assert found[0] == found[1]
                assert found[0][0] == 8388608
                """;
        Programs.text(Programs.python(script, source.resolve("plain/sparse"), data().resolve("plain/sparse")));
    }

    @Test
    void accessIsDecidedByOwnerAndMode() throws Exception {
        Path secret = data().resolve("plain/hello.txt");
        // The mount is for its user only, so that even the superuser's other users do not get in.
        Programs.Result other = Programs.bash("setpriv --reuid 99 --clear-groups cat \"$1\"", secret);
        assertThat(other.status()).isNotZero();
        assertThat(Programs.text(
                        Programs.bash("cat \"$1\"; test -r \"$1\" && test ! -w \"$1\" && test ! -x \"$1\"", secret)))
                .isEqualTo("hello, grid\n");
    }

    @Test
    void deviceNodesAreShownButCanNotBeUsed() throws Exception {
        Programs.Result result = Programs.bash("test -c \"$1\" && cat \"$1\"", data().resolve("plain/device"));
        assertThat(result.text()).contains("Permission denied");
    }

    @Test
    void statfsAnswersWithTheFiguresOfTheGrid() throws Exception {
        org.awaitility.Awaitility.await()
                .untilAsserted(
                        () -> assertThat(Programs.text(Programs.bash("stat -f -c '%b %S %l' \"$1\"", node.point)))
                                .isEqualTo((100L << 30) / 4096 + " 4096 255\n"));
    }

    @Test
    void theFirstStatfsOfAMountHasFiguresThatNobodyHadToAskFor() throws Exception {
        TestGrid.Node fresh = grid.mount(tree);
        org.awaitility.Awaitility.await().until(fresh.mounted::hasFigures);
        assertThat(Programs.text(Programs.bash("stat -f -c '%b' \"$1\"", fresh.point)))
                .isEqualTo((100L << 30) / 4096 + "\n");
    }

    @Test
    void aFileHasItsOwnExtendedAttributesAndThoseOfSpigot() throws Exception {
        String script = """
                import errno, os, sys
                random, plain, root, source = sys.argv[1:]
                assert os.getxattr(random, 'user.color') == b'green'
                assert os.getxattr(random, 'user.empty') == b''
                assert sorted(os.listxattr(random)) == ['user.color', 'user.empty']
                assert os.listxattr(plain) == []
                def refused(call, number):
                    try: call()
                    except OSError as e: assert e.errno == number, e
                    else: raise AssertionError('no error')
                refused(lambda: os.getxattr(random, 'user.absent'), errno.ENODATA)
                refused(lambda: os.getxattr(plain, 'user.color'), errno.ENODATA)
                refused(lambda: os.getxattr(plain, 'user.spigot.nonsense'), errno.ENODATA)
                refused(lambda: os.getxattr(plain, 'user.spigot.error'), errno.ENODATA)
                refused(lambda: os.getxattr(root, 'user.spigot.home'), errno.ENODATA)
                assert len(os.getxattr(plain, 'user.spigot.file_id')) == 32
                assert os.getxattr(root, 'user.spigot.file_id') == b'00000000000000000000000000000001'
                assert os.getxattr(plain, 'user.spigot.home') == b'00000000000000090000000000000001'
                assert os.getxattr(plain, 'user.spigot.stale') == b'0'
                assert b'.' in os.getxattr(plain, 'user.spigot.version')
                assert os.getxattr(plain, 'user.spigot.replicas').split(b'\\t')[:2] == [b'alpha', b'home']
                """;
        Programs.text(Programs.python(
                script, data().resolve("plain/random.bin"), data().resolve("plain/hello.txt"), node.point, source));
    }

    @Test
    void aFileWithoutExtendedAttributesIsNotAskedForThem() throws Exception {
        int before = node.files.xattrQuestions.get();
        Programs.text(Programs.bash(
                "getfattr -d \"$1\"; getfattr -n user.other \"$1\" || true", data().resolve("plain/hello.txt")));
        assertThat(node.files.xattrQuestions.get()).isEqualTo(before);
    }

    @Test
    void onceTheNamesOfAttributesAreKnownNobodyIsAskedForOthers() throws Exception {
        Path file = data().resolve("plain/random.bin");
        Programs.text(Programs.bash("getfattr \"$1\"", file));
        int before = node.files.xattrQuestions.get();
        Programs.text(Programs.bash("getfattr -n user.other \"$1\" || true", file));
        assertThat(node.files.xattrQuestions.get()).isEqualTo(before);
    }

    @Test
    void aFileWithoutAccessListAndCapabilityIsNotAskedForThemWhateverElseItHas() throws Exception {
        int before = node.files.xattrQuestions.get();
        Path file = data().resolve("plain/run");
        Programs.text(Programs.bash("ls -l \"$1\"; stat \"$1\"; \"$1\"", file));
        String script = """
                import errno, os, sys
                for name in ('system.posix_acl_access', 'system.posix_acl_default', 'security.capability', 'trusted.x'):
                    try: os.getxattr(sys.argv[1], name)
                    except OSError as e: assert e.errno in (errno.ENODATA, errno.EOPNOTSUPP), e
                    else: raise AssertionError(name)
                """;
        Programs.text(Programs.python(script, file));
        assertThat(node.files.xattrQuestions.get()).isEqualTo(before);
        assertThat(Programs.text(Programs.bash("getfattr --absolute-names --only-values -n user.origin \"$1\"", file)))
                .isEqualTo("here");
    }

    @Test
    void theAccessListOfAFileIsTold() throws Exception {
        int before = node.files.xattrQuestions.get();
        assertThat(Programs.text(Programs.python(
                        "import os, sys; print(os.listxattr(sys.argv[1]))", data().resolve("plain/shared"))))
                .isEqualTo("['system.posix_acl_access']\n");
        assertThat(node.files.xattrQuestions.get()).isEqualTo(before);
        String list = "getfattr --absolute-names --only-values -e hex -n system.posix_acl_access \"$1\" | od -c";
        assertThat(Programs.text(Programs.bash(list, data().resolve("plain/shared"))))
                .isEqualTo(Programs.text(Programs.bash(list, source.resolve("plain/shared"))))
                .hasLineCount(4);
    }

    @Test
    void birthTimesAreTold() throws Exception {
        String born = "stat -c %W \"$1/plain/random.bin\"";
        assertThat(Programs.text(Programs.bash(born, data()))).isEqualTo(Programs.text(Programs.bash(born, source)));
    }

    @Test
    void namesThatAreTooLongOrNotThereAreRefusedAsUsual() throws Exception {
        String script = """
                import errno, os, sys
                def refused(path, number):
                    try: os.stat(path)
                    except OSError as e: assert e.errno == number, e
                    else: raise AssertionError('no error')
                base = sys.argv[1]
                refused(base + '/' + 'n' * 256, errno.ENAMETOOLONG)
                refused(base + '/absent', errno.ENOENT)
                refused(base + '/.Trash', errno.ENOENT)
                refused(base + '/plain/hello.txt/x', errno.ENOTDIR)
                """;
        Programs.text(Programs.python(script, data()));
    }
}
