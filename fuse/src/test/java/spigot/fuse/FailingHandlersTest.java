package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/** A handler that fails, in whatever way, leaves no caller without an answer. */
@RealMount.Needed
class FailingHandlersTest {
    @TempDir
    Path directory;

    private enum Fault {
        THROWS(Errno.EIO),
        THROWS_AN_ERROR(Errno.EIO),
        THROWS_ERRNO(Errno.EACCES),
        FORGETS_TO_ANSWER(Errno.EIO),
        THROWS_AFTER_DETACHING(Errno.EIO),
        THROWS_WHEN_HANDED_OVER(Errno.EIO),
        THROWS_ERRNO_WHEN_HANDED_OVER(Errno.ENOSPC),
        FORGETS_TO_ANSWER_WHEN_HANDED_OVER(Errno.EIO);

        private final int errno;

        Fault(int errno) {
            this.errno = errno;
        }
    }

    private static final class FaultyFiles extends MemoryFileSystem {
        private final Fault fault;

        FaultyFiles(Fault fault) {
            this.fault = fault;
        }

        @Override
        public void read(ReadRequest request) throws IOException {
            switch (fault) {
                case THROWS -> throw new IllegalStateException("as the test wants");
                case THROWS_AN_ERROR -> throw new StackOverflowError("as the test wants");
                case THROWS_ERRNO -> throw new SystemCallException("read", "f", Errno.EACCES);
                case FORGETS_TO_ANSWER -> {}
                case THROWS_AFTER_DETACHING -> {
                    request.detach();
                    throw new IllegalStateException("as the test wants");
                }
                case THROWS_WHEN_HANDED_OVER ->
                    request.handOver(later -> {
                        throw new IllegalStateException("as the test wants");
                    });
                case THROWS_ERRNO_WHEN_HANDED_OVER ->
                    request.handOver(later -> {
                        throw new SystemCallException("read", "f", Errno.ENOSPC);
                    });
                case FORGETS_TO_ANSWER_WHEN_HANDED_OVER -> request.handOver(later -> {});
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void the_caller_gets_an_error(Fault fault) throws Exception {
        FaultyFiles files = new FaultyFiles(fault);
        files.addFile("f", new byte[10]);
        files.openFlags = OpenFlags.DIRECT_IO;
        try (RealMount mount = RealMount.of(directory, files)) {
            String f = mount.path("f").toString();
            for (int i = 0; i < 4; i++) { // more often than there are workers
                assertThat(mount.helper("pread", f, "0")).isEqualTo("-" + fault.errno);
            }
            assertThat(mount.session.statistics().detached()).isZero();
        }
    }

    @Test
    void a_file_system_that_implements_nothing_can_be_mounted_looked_at_and_unmounted() throws Exception {
        try (RealMount mount = RealMount.of(directory, new FileSystem() {})) {
            assertThat(mount.helper("pread", mount.path("f").toString(), "0")).isEqualTo("-" + Errno.ENOENT);
            assertThat(mount.shell("df $1 > /dev/null; ls -a $1 | wc -l")).isEqualTo("0");
        }
    }
}
