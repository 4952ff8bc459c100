package spigot.fuse;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.Memory;
import spigot.linux.Processes;

/** Mounts file systems: as root by mount(2), as an ordinary user through fusermount3. */
public final class FuseMount {
    private static final String DEVICE = "/dev/fuse";

    private FuseMount() {}

    /**
     * Mounts, and serves until {@link FuseSession#unmount}, or until somebody else unmounts.
     *
     * @param point an existing directory; a mount left there by a process that died is taken away first
     * @throws FuseException with one line for the user when it can't be done; then nothing is left behind
     */
    public static FuseSession mount(Path point, MountOptions options, FileSystem fileSystem) throws FuseException {
        Path place = MountPoint.prepare(point);
        int first;
        Mounted mounted;
        if (Processes.effectiveUserId() == 0) {
            first = openDevice();
            try {
                mounted = RootMounter.mount(first, place, options);
            } catch (FuseException e) {
                Libc.close(first);
                throw e;
            }
        } else {
            int probe = openDevice(); // for the clearer message
            Libc.close(probe);
            FusermountMounter.Result result = FusermountMounter.mount(place, options);
            first = result.device();
            mounted = result.mounted();
        }
        List<Channel> channels = new ArrayList<>();
        channels.add(new Channel(first));
        try {
            Connection connection = Connection.open(channels, options);
            for (int i = 1; i < options.workers(); i++) {
                addClone(channels, first);
            }
            FuseSession session = new FuseSession(connection, mounted);
            fileSystem.init(session);
            connection.serve(fileSystem, options.workers(), () -> {});
            RootMounter.tuneReadAhead(mounted.connectionNumber(), options.readAheadBytes());
            return session;
        } catch (FuseException | RuntimeException e) {
            giveUp(channels, mounted, e);
            throw e;
        }
    }

    private static void giveUp(List<Channel> channels, Mounted mounted, Exception reason) {
        try {
            mounted.detach();
        } catch (FuseException e) {
            reason.addSuppressed(e);
        }
        channels.forEach(Channel::close);
        mounted.dismissGuard();
    }

    private static int openDevice() throws FuseException {
        int device = Libc.open(DEVICE, Machine.O_RDWR, 0);
        if (device >= 0) {
            return device;
        }
        throw new FuseException(
                switch (-device) {
                    case Errno.ENOENT, Errno.ENODEV, Errno.ENXIO ->
                        "there is no " + DEVICE
                                + ": load the kernel module (modprobe fuse), or give the device to this container";
                    case Errno.EACCES, Errno.EPERM ->
                        "not permitted to open " + DEVICE + ": mount as root, or let the administrator run chmod 0666 "
                                + DEVICE;
                    default -> "cannot open " + DEVICE + ": " + Errno.describe(-device);
                });
    }

    /** Each worker reads its own descriptor where the kernel and the permissions of the device allow; else they share. */
    private static void addClone(List<Channel> channels, int first) {
        int clone = Libc.open(DEVICE, Machine.O_RDWR, 0);
        if (clone < 0) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            long number = Memory.allocate(arena, 4, 4);
            Memory.putInt(number, first);
            if (Libc.ioctl(clone, Layout.IOCTL_CLONE, number) < 0) {
                Libc.close(clone);
            } else {
                channels.add(new Channel(clone));
            }
        }
    }
}
