package spigot.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Errno;
import spigot.linux.Processes;

/** Mounts by mount(2), for root. */
final class RootMounter {
    private static final Logger LOG = LoggerFactory.getLogger(RootMounter.class);

    private RootMounter() {}

    /** @param device an open descriptor of /dev/fuse */
    static Mounted mount(int device, Path point, MountOptions options) throws FuseException {
        long flags = (options.setUserIdAndDevices() ? 0 : Processes.MS_NOSUID | Processes.MS_NODEV)
                | (options.readOnly() ? Processes.MS_RDONLY : 0);
        String data = "fd=" + device + ",rootmode=40000,user_id=" + Processes.effectiveUserId() + ",group_id="
                + Processes.effectiveGroupId()
                + (options.allowOther() ? ",allow_other" : "")
                + (options.defaultPermissions() ? ",default_permissions" : "");
        int result =
                Processes.mount(options.fileSystemName(), point.toString(), "fuse." + options.subtype(), flags, data);
        if (result < 0) {
            throw new FuseException("cannot mount at " + point + ": " + Errno.describe(-result)
                    + (result == -Errno.EPERM ? "; root needs the capability CAP_SYS_ADMIN for it" : ""));
        }
        try {
            List<MountTable.Mount> seen = MountTable.at(point);
            if (seen.isEmpty() || !seen.getFirst().isFuse()) {
                throw new FuseException("mounted at " + point + ", but it is not in /proc/self/mountinfo");
            }
            return new Root(
                    point,
                    seen.getFirst().minor(),
                    CrashGuard.start(seen.getFirst().device(), "umount", "-l", point.toString()));
        } catch (IOException e) {
            Processes.unmount(point.toString(), Processes.MNT_DETACH);
            throw e instanceof FuseException f ? f : new FuseException("cannot read the table of mounts", e);
        }
    }

    /** Sets how far the kernel reads ahead, which mount options can't raise. */
    static void tuneReadAhead(int connection, int bytes) {
        Path file = Path.of("/sys/class/bdi/0:" + connection + "/read_ahead_kb");
        try {
            Files.writeString(file, Integer.toString(bytes >> 10));
        } catch (IOException e) {
            LOG.debug("event=fuse-read-ahead-unchanged file={} reason=\"{}\"", file, e.toString());
        }
    }

    private record Root(
            Path mountPoint, int connectionNumber, @Nullable CrashGuard guard) implements Mounted {
        @Override
        public void detach() throws FuseException {
            try {
                if (!MountTable.isSeen(mountPoint, connectionNumber)) {
                    return;
                }
            } catch (IOException e) {
                throw new FuseException("cannot read the table of mounts", e);
            }
            int result = Processes.unmount(mountPoint.toString(), Processes.MNT_DETACH | Processes.UMOUNT_NOFOLLOW);
            if (result < 0 && result != -Errno.EINVAL && result != -Errno.ENOENT) { // those two: gone meanwhile
                throw new FuseException("cannot unmount " + mountPoint + ": " + Errno.describe(-result));
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
