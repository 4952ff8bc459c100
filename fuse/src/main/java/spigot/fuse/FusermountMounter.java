package spigot.fuse;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.Memory;
import spigot.linux.Processes;
import spigot.linux.SystemCallException;

/**
 * Mounts through the set-user-id program fusermount3, for ordinary users: it opens /dev/fuse, mounts, and passes the descriptor back over a socket. Its
 * own option auto_unmount works only together with allow_other, so a {@link CrashGuard} does that here too.
 */
final class FusermountMounter {
    private static final int SOCKET_IN_CHILD = 3;
    private static final int MESSAGE_BYTES = 512;
    private static final int F_SETFD = 2;
    private static final int FD_CLOEXEC = 1;

    /** An established mount and its descriptor of /dev/fuse. */
    record Result(Mounted mounted, int device) {}

    private FusermountMounter() {}

    static Result mount(Path point, MountOptions options) throws FuseException {
        String program = program()
                .orElseThrow(() -> new FuseException(
                        "mounting as an ordinary user needs fusermount3: install the package fuse3, or mount as root"));
        String text = (options.readOnly() ? "ro" : "rw") + ",nosuid,nodev,fsname="
                + options.fileSystemName().replace("\\", "\\\\").replace(",", "\\,")
                + ",subtype=" + options.subtype()
                + (options.allowOther() ? ",allow_other" : "")
                + (options.defaultPermissions() ? ",default_permissions" : "");
        int device = started(program, text, point, options);
        Libc.fcntl(device, F_SETFD, FD_CLOEXEC);
        try {
            List<MountTable.Mount> seen = MountTable.at(point);
            if (seen.isEmpty()) {
                throw new FuseException("fusermount3 mounted at " + point + ", but it is not in /proc/self/mountinfo");
            }
            CrashGuard guard =
                    CrashGuard.start(seen.getFirst().device(), program, "-u", "-z", "-q", "--", point.toString());
            return new Result(new ByUser(point, seen.getFirst().minor(), program, guard), device);
        } catch (IOException e) {
            Libc.close(device);
            throw e instanceof FuseException f ? f : new FuseException("cannot read the table of mounts", e);
        }
    }

    /** @return the descriptor that fusermount3 passed */
    private static int started(String program, String text, Path point, MountOptions options) throws FuseException {
        try {
            int[] passing = Processes.socketPair();
            int[] saying = Processes.socketPair();
            int nothing = Libc.open("/dev/null", Machine.O_RDWR, 0);
            int process;
            try {
                process = Processes.spawn(
                        program,
                        new String[] {"fusermount3", "-o", text, "--", point.toString()},
                        new String[] {"_FUSE_COMMFD=" + SOCKET_IN_CHILD, "PATH=/usr/bin:/bin"},
                        new int[] {nothing, nothing, saying[1], passing[1]});
            } finally {
                Libc.close(passing[1]);
                Libc.close(saying[1]);
                Libc.close(nothing);
            }
            int device = Processes.receiveDescriptor(passing[0]);
            String said = device < 0 ? firstLine(saying[0]) : "";
            Libc.close(passing[0]);
            Libc.close(saying[0]);
            Processes.waitFor(process);
            if (device < 0) {
                throw new FuseException(
                        "cannot mount at " + point + ": " + (said.isEmpty() ? "fusermount3 failed" : said)
                                + (options.allowOther()
                                        ? " (to let others in, /etc/fuse.conf must have user_allow_other)"
                                        : ""));
            }
            return device;
        } catch (SystemCallException e) {
            throw new FuseException("cannot start fusermount3: " + e.getMessage(), e);
        }
    }

    private static String firstLine(int socket) {
        try (Arena arena = Arena.ofConfined()) {
            long buffer = Memory.allocate(arena, MESSAGE_BYTES, 8);
            long bytes = Libc.read(socket, buffer, MESSAGE_BYTES);
            String said = new String(Memory.bytes(buffer, (int) Math.max(bytes, 0)), StandardCharsets.UTF_8);
            return said.lines().findFirst().orElse("");
        }
    }

    private static Optional<String> program() {
        return Stream.of("/usr/bin/fusermount3", "/bin/fusermount3", "/usr/local/bin/fusermount3")
                .filter(path -> Files.isExecutable(Path.of(path)))
                .findFirst();
    }

    private record ByUser(
            Path mountPoint,
            int connectionNumber,
            String program,
            @Nullable CrashGuard guard) implements Mounted {
        @Override
        public void detach() throws FuseException {
            try {
                if (!MountTable.isSeen(mountPoint, connectionNumber)) {
                    return;
                }
                int child = Processes.spawn(
                        program,
                        new String[] {"fusermount3", "-u", "-z", "-q", "--", mountPoint.toString()},
                        new String[] {"PATH=/usr/bin:/bin"},
                        new int[] {0, 1, 2});
                int code = Processes.waitFor(child);
                if (code != 0 && MountTable.isSeen(mountPoint, connectionNumber)) {
                    throw new FuseException(
                            "fusermount3 could not unmount " + mountPoint + " (exit code " + code + ")");
                }
            } catch (SystemCallException e) {
                throw new FuseException(
                        "cannot start fusermount3 to unmount " + mountPoint + ": " + Errno.describe(e.errno()));
            } catch (IOException e) {
                throw e instanceof FuseException f ? f : new FuseException("cannot read the table of mounts", e);
            }
        }

        @Override
        public void abort() throws FuseException {
            Fusectl.abort(connectionNumber);
        }

        @Override
        public void dismissGuard() {
            if (guard != null) {
                guard.dismiss();
            }
        }
    }
}
