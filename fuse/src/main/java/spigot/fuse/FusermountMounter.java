package spigot.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Processes;
import spigot.linux.SystemCallException;

/**
 * Mounts through the set-user-id program fusermount3, for ordinary users: it opens /dev/fuse, mounts, and passes the descriptor back over a socket. It
 * stays, holding the other end of that socket, and unmounts when this process is gone (auto_unmount).
 */
final class FusermountMounter {
    private static final int SOCKET_IN_CHILD = 3;

    /** An established mount and its descriptor of /dev/fuse. */
    record Result(Mounted mounted, int device) {}

    private FusermountMounter() {}

    static Result mount(Path point, MountOptions options) throws FuseException {
        String program = program()
                .orElseThrow(() -> new FuseException(
                        "mounting as an ordinary user needs fusermount3: install the package fuse3, or mount as root"));
        String text = (options.readOnly() ? "ro" : "rw") + ",nosuid,nodev,auto_unmount,fsname="
                + options.fileSystemName().replace("\\", "\\\\").replace(",", "\\,")
                + ",subtype=" + options.subtype()
                + (options.allowOther() ? ",allow_other" : "")
                + (options.defaultPermissions() ? ",default_permissions" : "");
        try {
            int[] pair = Processes.socketPair();
            int process = Processes.spawn(
                    program,
                    new String[] {"fusermount3", "-o", text, "--", point.toString()},
                    new String[] {"_FUSE_COMMFD=" + SOCKET_IN_CHILD, "PATH=/usr/bin:/bin"},
                    new int[] {0, 1, 2, pair[1]});
            Libc.close(pair[1]);
            int device = Processes.receiveDescriptor(pair[0]);
            if (device < 0) {
                Libc.close(pair[0]);
                Processes.waitFor(process);
                throw new FuseException("fusermount3 could not mount at " + point
                        + (options.allowOther()
                                ? " (its message is above; option allow-other needs user_allow_other in /etc/fuse.conf)"
                                : " (its message is above)"));
            }
            Libc.fcntl(device, 2, 1); // close-on-exec
            List<MountTable.Mount> seen = MountTable.at(point);
            int number = seen.isEmpty() ? -1 : seen.getFirst().minor();
            return new Result(new ByUser(point, number, program, pair[0], process), device);
        } catch (SystemCallException e) {
            throw new FuseException("cannot start fusermount3: " + e.getMessage(), e);
        } catch (IOException e) {
            throw e instanceof FuseException f ? f : new FuseException("cannot read the table of mounts", e);
        }
    }

    private static Optional<String> program() {
        return Stream.of("/usr/bin/fusermount3", "/bin/fusermount3", "/usr/local/bin/fusermount3")
                .filter(path -> Files.isExecutable(Path.of(path)))
                .findFirst();
    }

    private record ByUser(Path mountPoint, int connectionNumber, String program, int socket, int process)
            implements Mounted {
        @Override
        public void detach() throws FuseException {
            try {
                int child = Processes.spawn(
                        program,
                        new String[] {"fusermount3", "-u", "-z", "-q", "--", mountPoint.toString()},
                        new String[] {"PATH=/usr/bin:/bin"},
                        new int[] {0, 1, 2});
                int code = Processes.waitFor(child);
                if (code != 0 && !MountTable.at(mountPoint).isEmpty()) {
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
            Libc.close(socket);
            Processes.waitFor(process);
        }
    }
}
