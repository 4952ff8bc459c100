package spigot.mount;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every system call that would change the grid says EROFS, whether the kernel refuses it by itself or asks. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@EnabledIf("spigot.mount.RealMounts#arePossible")
class RefusalTest {
    private static final String SCRIPT = """
            import ctypes, errno, fcntl, mmap, os, select, stat, sys
            base, kernel_refuses = sys.argv[1], sys.argv[2] == 'true'
            libc = ctypes.CDLL(None, use_errno=True)
            file, directory, empty, link = (base + '/' + n for n in ('file', 'directory', 'empty', 'link'))
            wrong = []
            def expect(name, number, call):
                try: call()
                except OSError as e: got = e.errno
                else: got = 0
                if got != number:
                    wrong.append('%s: %s, not %s' % (name, errno.errorcode.get(got, got), errno.errorcode.get(number, number)))
            def renameat2(old, new, flags):
                if libc.renameat2(-100, old.encode(), -100, new.encode(), flags) != 0:
                    raise OSError(ctypes.get_errno(), 'renameat2')
            def fallocate(fd):
                if libc.fallocate(fd, 0, ctypes.c_long(0), ctypes.c_long(4096)) != 0:
                    raise OSError(ctypes.get_errno(), 'fallocate')
            def utimensat(path):
                os.utime(path, (1, 1), follow_symlinks=False)
            EROFS = errno.EROFS
            expect('open for writing', EROFS, lambda: os.open(file, os.O_WRONLY))
            expect('open for both', EROFS, lambda: os.open(file, os.O_RDWR))
            expect('open to append', EROFS, lambda: os.open(file, os.O_WRONLY | os.O_APPEND))
            expect('open and truncate', EROFS, lambda: os.open(file, os.O_WRONLY | os.O_TRUNC))
            expect('open for reading and truncate', EROFS, lambda: os.open(file, os.O_RDONLY | os.O_TRUNC))
            expect('create', EROFS, lambda: os.open(base + '/new', os.O_WRONLY | os.O_CREAT, 0o644))
            expect('create exclusively', EROFS, lambda: os.open(base + '/new', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
            expect('create what is there exclusively', errno.EEXIST, lambda: os.open(file, os.O_RDONLY | os.O_CREAT | os.O_EXCL))
            expect('a file without a name', EROFS, lambda: os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o600))
            expect('mkdir', EROFS, lambda: os.mkdir(base + '/new'))
            expect('mkdir of what is there', errno.EEXIST, lambda: os.mkdir(directory))
            expect('mkfifo', EROFS, lambda: os.mkfifo(base + '/new'))
            expect('mknod', EROFS, lambda: os.mknod(base + '/new', stat.S_IFCHR | 0o600, os.makedev(1, 3)))
            expect('symlink', EROFS, lambda: os.symlink('x', base + '/new'))
            expect('link', EROFS, lambda: os.link(file, base + '/new'))
            expect('unlink', EROFS, lambda: os.unlink(file))
            expect('unlink of nothing', EROFS if kernel_refuses else errno.ENOENT, lambda: os.unlink(base + '/absent'))
            expect('rmdir', EROFS, lambda: os.rmdir(empty))
            expect('rename', EROFS, lambda: os.rename(file, base + '/new'))
            expect('rename over', EROFS, lambda: os.rename(file, base + '/other'))
            expect('rename exchanging', EROFS, lambda: renameat2(file, base + '/other', 2))
            expect('rename without replacing', EROFS, lambda: renameat2(file, base + '/new', 1))
            expect('truncate', EROFS, lambda: os.truncate(file, 0))
            expect('chmod', EROFS, lambda: os.chmod(file, 0o777))
            expect('chmod of a directory', EROFS, lambda: os.chmod(directory, 0o777))
            expect('chown', EROFS, lambda: os.chown(file, 1, 1))
            expect('lchown', EROFS, lambda: os.lchown(link, 1, 1))
            expect('utime', EROFS, lambda: os.utime(file, (1, 1)))
            expect('utime now', EROFS, lambda: os.utime(file))
            expect('utime of a link', EROFS, lambda: utimensat(link))
            expect('setxattr', EROFS, lambda: os.setxattr(file, 'user.x', b'1'))
            expect('setxattr of spigot', EROFS, lambda: os.setxattr(file, 'user.spigot.version', b'1'))
            expect('removexattr', EROFS, lambda: os.removexattr(file, 'user.x'))
            fd = os.open(file, os.O_RDONLY)
            expect('fchmod', EROFS, lambda: os.fchmod(fd, 0o777))
            expect('fchown', EROFS, lambda: os.fchown(fd, 1, 1))
            expect('futimens', EROFS, lambda: os.utime(fd, (1, 1)))
            expect('fsetxattr', EROFS, lambda: os.setxattr(fd, 'user.x', b'1'))
            expect('write', errno.EBADF, lambda: os.write(fd, b'x'))
            expect('pwrite', errno.EBADF, lambda: os.pwrite(fd, b'x', 0))
            expect('ftruncate', errno.EINVAL, lambda: os.ftruncate(fd, 0))
            expect('fallocate', errno.EBADF, lambda: fallocate(fd))
            expect('copy_file_range', errno.EBADF, lambda: os.copy_file_range(fd, fd, 1, 0, 10))
            expect('a writable shared mapping', errno.EACCES, lambda: mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE))
            expect('an ioctl that nobody knows', errno.ENOTTY, lambda: fcntl.ioctl(fd, 0x5401, bytes(64)))
            if kernel_refuses:
                expect('access for writing', EROFS, lambda: None if os.access(file, os.W_OK) else (_ for _ in ()).throw(OSError(EROFS, '')))
            # What changes nothing goes on as ever.
            os.close(os.open(file, os.O_RDONLY | os.O_CREAT, 0o644))
            os.fsync(fd); os.fdatasync(fd)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            poll = select.poll(); poll.register(fd, select.POLLIN)
            assert poll.poll(0) == [(fd, select.POLLIN)]
            assert os.read(fd, 100) == b'content'
            os.close(fd)
            directory_fd = os.open(directory, os.O_RDONLY); os.fsync(directory_fd); os.close(directory_fd)
            print('\\n'.join(wrong))
            """;

    private TestGrid grid;
    private SourceTree tree;

    @BeforeAll
    void publish(@TempDir Path directory) throws Exception {
        Path source = Files.createDirectories(directory.resolve("source"));
        Programs.text(Programs.bash(
                "cd \"$1\"; printf content > file; printf other > other; mkdir empty directory; touch directory/x; ln -s file link",
                source));
        grid = new TestGrid(directory);
        tree = grid.publish(source, "/data");
    }

    @AfterAll
    void unmount() throws Exception {
        grid.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyChangeIsRefused(boolean byTheKernel) throws Exception {
        TestGrid.Node node = grid.mount(tree, MountedGrid.options().withReadOnly(byTheKernel));
        assertThat(Programs.text(Programs.python(SCRIPT, node.point.resolve("data"), byTheKernel)))
                .isBlank();
    }
}
