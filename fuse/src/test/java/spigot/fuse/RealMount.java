package spigot.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import spigot.linux.Processes;

/** A file system mounted for a test, and programs that use it from other processes. */
final class RealMount implements AutoCloseable {
    /** On tests that need root and /dev/fuse. A hang fails the test, as the mount is cut then. */
    @Target(ElementType.TYPE)
    @Retention(RetentionPolicy.RUNTIME)
    @EnabledIf("spigot.fuse.RealMount#isPossible")
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @interface Needed {}

    private static final Path HELPER = HelperProgram.build();

    final FuseSession session;
    final Path point;

    RealMount(Path point, MountOptions options, FileSystem fileSystem) throws IOException {
        if (MountTable.at(point).isEmpty()) { // else a dead one, which the mount should replace
            Files.createDirectories(point);
        }
        this.point = point;
        this.session = FuseMount.mount(point, options, fileSystem);
    }

    static RealMount of(Path directory, FileSystem fileSystem) throws IOException {
        return new RealMount(directory.resolve("mnt"), MountOptions.defaults().withAllowOther(true), fileSystem);
    }

    static boolean isPossible() {
        return Processes.effectiveUserId() == 0 && Files.isWritable(Path.of("/dev/fuse"));
    }

    Path path(String name) {
        return point.resolve(name);
    }

    /** Runs a shell command with the mount as $1, and expects success. */
    String shell(String command) throws IOException, InterruptedException {
        Process process = start("sh", "-ec", command, "sh", point.toString());
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as(command).isTrue();
        assertThat(process.exitValue()).as(command + "\n" + output).isZero();
        return output.strip();
    }

    /** Runs the C helper to its end, and returns what it says. */
    String helper(String... arguments) throws IOException, InterruptedException {
        Process process = startHelper(arguments);
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return output.strip();
    }

    Process startHelper(String... arguments) throws IOException {
        String[] command = new String[arguments.length + 1];
        command[0] = HELPER.toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        return start(command);
    }

    static Process start(String... command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    static List<MountTable.Mount> mountsAt(Path point) throws IOException {
        return MountTable.at(point);
    }

    @Override
    public void close() throws FuseException {
        session.close();
    }
}
