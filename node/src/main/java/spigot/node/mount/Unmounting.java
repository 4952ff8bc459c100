package spigot.node.mount;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import spigot.linux.Errno;
import spigot.linux.Processes;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.control.ControlClient;
import spigot.node.home.MountRecord;
import spigot.node.home.MountRecords;
import spigot.node.home.SpigotHome;

/**
 * Ends mounts: by asking their daemons, and by force where a daemon has died or does not answer. Every step is bounded in time, and
 * the mount itself is never touched.
 */
public final class Unmounting {
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final Duration END = Duration.ofSeconds(20);
    private static final long LOOK_MILLIS = 20;
    private static final Path CONNECTIONS = Path.of("/sys/fs/fuse/connections");

    private final MountRecords records;

    public Unmounting(SpigotHome home) {
        this.records = new MountRecords(home);
    }

    /**
     * Returns when the mount is gone and its daemon has ended.
     *
     * @param lazy also when programs use it
     * @throws NodeException when no grid is mounted there, or programs use it
     */
    public void unmount(String given, boolean lazy) throws NodeException, IOException, InterruptedException {
        String path = MountedPath.absolute(given);
        Optional<MountRecord> record = records.at(path);
        Optional<MountTable.Entry> entry =
                MountTable.read().at(path).filter(found -> found.type().equals(MountTable.TYPE));
        if (record.isEmpty() && entry.isEmpty()) {
            throw new NodeException("no grid is mounted at " + path + "; 'spigot status' lists the mounts");
        }
        if (record.isPresent() && record.get().daemon().isAlive()) {
            endDaemon(record.get(), lazy);
        } else if (entry.isPresent()) {
            detach(path);
        }
        if (record.isPresent()) {
            records.remove(record.get());
        }
    }

    private void endDaemon(MountRecord mount, boolean lazy) throws NodeException, IOException, InterruptedException {
        try {
            JsonNode ignored = ControlClient.call(
                    mount.socket(), Json.object().put("verb", "unmount").put("lazy", lazy), ANSWER);
        } catch (IOException e) {
            // It does not answer: what follows does without it.
            abort(mount.mountPoint());
            detach(mount.mountPoint());
            ProcessHandle.of(mount.daemon().pid()).ifPresent(ProcessHandle::destroyForcibly);
        }
        awaitEnd(mount);
        if (MountTable.read()
                .at(mount.mountPoint())
                .filter(found -> found.type().equals(MountTable.TYPE))
                .isPresent()) {
            detach(mount.mountPoint());
        }
    }

    /** By looking, not by {@link ProcessHandle#onExit}: that one takes a zombie, which no init collects in some containers, to be alive. */
    private static void awaitEnd(MountRecord mount) throws NodeException, InterruptedException {
        long deadline = System.nanoTime() + END.toNanos();
        while (mount.daemon().isAlive()) {
            if (System.nanoTime() - deadline >= 0) {
                ProcessHandle.of(mount.daemon().pid()).ifPresent(ProcessHandle::destroyForcibly);
                throw new NodeException("the mount is gone, but its daemon (process "
                        + mount.daemon().pid() + ") had to be killed; see " + mount.log());
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /** Wakes whoever waits for the daemon: fusectl's file of exactly this mount's connection (Documentation/filesystems/fuse). */
    private static void abort(String path) throws IOException {
        Optional<MountTable.Entry> entry = MountTable.read().at(path);
        if (entry.isPresent()) {
            Path abort =
                    CONNECTIONS.resolve(Integer.toString(entry.get().minor())).resolve("abort");
            if (Files.isWritable(abort)) {
                Files.write(abort, "1".getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    private static void detach(String path) throws NodeException, InterruptedException, IOException {
        int result = Processes.unmount(path, Processes.MNT_DETACH | Processes.UMOUNT_NOFOLLOW);
        if (result == 0 || result == -Errno.EINVAL) {
            return;
        }
        if (result != -Errno.EPERM) {
            throw new NodeException(path + " can't be unmounted: " + Errno.describe(-result));
        }
        Process helper = new ProcessBuilder("fusermount3", "-u", "-z", "--", path)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!helper.waitFor(END.toSeconds(), TimeUnit.SECONDS) || helper.exitValue() != 0) {
            helper.destroyForcibly();
            throw new NodeException(path + " can't be unmounted by this user: fusermount3 -uz refused");
        }
    }
}
