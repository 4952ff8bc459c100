package spigot.fuse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.linux.Errno;
import spigot.linux.Libc;
import spigot.linux.Machine;
import spigot.linux.Processes;

/** Looks whether a directory can be mounted on, without hanging on what may be mounted there. */
final class MountPoint {
    private static final Logger LOG = LoggerFactory.getLogger(MountPoint.class);
    private static final long PROBE_SECONDS = 2;

    private MountPoint() {}

    /** @return the directory's real path, where nothing by FUSE is mounted */
    static Path prepare(Path point) throws FuseException {
        try {
            Path absolute = point.toAbsolutePath().normalize();
            Path parent = absolute.getParent();
            Path name = absolute.getFileName();
            if (parent == null || name == null) {
                throw new FuseException("cannot mount over /: name another directory");
            }
            Path place = parent.toRealPath().resolve(name);
            if (Files.isSymbolicLink(place) && MountTable.at(place).isEmpty()) {
                place = place.toRealPath();
            }
            refuseOrClear(place);
            if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
                throw new NoSuchFileException(place.toString());
            }
            if (!Files.isDirectory(place)) {
                throw new FuseException("mount point " + point + " is not a directory: name an existing directory");
            }
            return place;
        } catch (NoSuchFileException e) {
            throw new FuseException("mount point " + point + " does not exist: create it with mkdir -p " + point);
        } catch (NotDirectoryException e) {
            throw new FuseException("mount point " + point + " is not a directory: name an existing directory");
        } catch (FuseException e) {
            throw e;
        } catch (IOException e) {
            throw new FuseException("cannot use mount point " + point + ": " + e, e);
        }
    }

    private static void refuseOrClear(Path place) throws IOException {
        List<MountTable.Mount> there = MountTable.at(place);
        if (there.isEmpty() || !there.getFirst().isFuse()) {
            return;
        }
        MountTable.Mount mount = there.getFirst();
        if (!isDead(place)) {
            throw new FuseException("mount point " + place + " is in use by " + mount.source() + " (" + mount.type()
                    + "): unmount it first, or name another directory");
        }
        int result = Processes.unmount(place.toString(), Processes.MNT_DETACH | Processes.UMOUNT_NOFOLLOW);
        if (result < 0) {
            throw new FuseException("mount point " + place + " has a dead mount of " + mount.source()
                    + " on it: unmount it first with: fusermount3 -u -z " + place);
        }
        LOG.warn("event=fuse-dead-mount-removed mount={} type={}", place, mount.type());
    }

    /** Whether its daemon is gone; asked by a thread of its own, as a daemon that only hangs would hang it. */
    private static boolean isDead(Path place) {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("fuse-probe").start(() -> {
            int directory = Libc.open(place.toString(), Machine.O_RDONLY | Machine.O_DIRECTORY, 0);
            if (directory >= 0) {
                Libc.close(directory);
            }
            answer.complete(directory == -Errno.ENOTCONN || directory == -Errno.ECONNABORTED);
        });
        try {
            return answer.get(PROBE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }
}
