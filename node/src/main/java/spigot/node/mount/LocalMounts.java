package spigot.node.mount;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.control.ControlClient;
import spigot.node.home.MountRecord;
import spigot.node.home.MountRecords;
import spigot.node.home.SpigotHome;

/** The mounts of this user, for verbs: found by records and the kernel's table of mounts, never by touching the mounts. */
public final class LocalMounts {
    private static final Duration SILENCE = Duration.ofSeconds(10);

    /** While files are looked up or fetched the daemon reports now and then. */
    private static final Duration WORKING_SILENCE = Duration.ofSeconds(60);

    private final MountRecords records;

    public LocalMounts(SpigotHome home) {
        this.records = new MountRecords(home);
    }

    public List<MountRecord> records() throws NodeException, IOException {
        return records.all();
    }

    /** @throws NodeException when no grid is mounted there by this user */
    public MountRecord recordAt(String mountPoint) throws NodeException, IOException {
        String path = MountedPath.absolute(mountPoint);
        Optional<MountRecord> record = records.at(path);
        if (record.isPresent()) {
            return record.get();
        }
        boolean foreign = MountTable.read()
                .at(path)
                .filter(entry -> entry.type().equals(MountTable.TYPE))
                .isPresent();
        throw new NodeException(
                foreign
                        ? path + " is a mount of another user, or of another SPIGOT_HOME"
                        : "no grid is mounted at " + path + "; 'spigot status' lists the mounts");
    }

    /** The mount that a path lies in. */
    public MountRecord recordOf(String path) throws NodeException, IOException {
        Map<String, MountRecord> known = new HashMap<>();
        records.all().forEach(record -> known.put(record.mountPoint(), record));
        String absolute = MountedPath.absolute(path);
        for (String at = absolute; !at.isEmpty(); at = at.substring(0, Math.max(0, at.lastIndexOf('/')))) {
            MountRecord record = known.get(at);
            if (record != null) {
                return record;
            }
        }
        return recordAt(MountedPath.resolve(path).mount().mountPoint());
    }

    public JsonNode ask(MountRecord mount, ObjectNode request) throws NodeException {
        return ask(mount, request, SILENCE, state -> {});
    }

    /** Asks the daemon about a path in its mount; adds the logical path to the request. */
    public JsonNode askAbout(String path, ObjectNode request, Consumer<JsonNode> progress)
            throws NodeException, IOException {
        MountedPath mounted = MountedPath.resolve(path);
        MountRecord record = recordAt(mounted.mount().mountPoint());
        return ask(record, request.put("path", mounted.logicalPath()), WORKING_SILENCE, progress);
    }

    private static JsonNode ask(MountRecord mount, ObjectNode request, Duration silence, Consumer<JsonNode> progress)
            throws NodeException {
        if (!mount.daemon().isAlive()) {
            throw new NodeException("the daemon of " + mount.mountPoint() + " has died (process "
                    + mount.daemon().pid() + "); see " + mount.log() + ", and clean up with 'spigot umount "
                    + mount.mountPoint() + "'");
        }
        try {
            return ControlClient.call(mount.socket(), request, silence, progress);
        } catch (IOException e) {
            throw new NodeException(
                    "the daemon of " + mount.mountPoint() + " (process "
                            + mount.daemon().pid() + ") does not answer: " + NodeException.reason(e),
                    e);
        }
    }

    /** What the daemon says of itself, and how it is: "running", "dead" or "silent". Never fails for a daemon that is not well. */
    public ObjectNode status(MountRecord mount) {
        ObjectNode status = Json.object()
                .put("mount_point", mount.mountPoint())
                .put("pid", mount.daemon().pid())
                .put("grid", mount.grid())
                .put("address", mount.address());
        if (!mount.daemon().isAlive()) {
            return status.put("daemon", "dead").put("advice", "spigot umount " + mount.mountPoint());
        }
        try {
            JsonNode own = ask(mount, Json.object().put("verb", "status"));
            status.put("daemon", "running");
            if (own instanceof ObjectNode object) {
                status.setAll(object);
            }
            return status;
        } catch (NodeException e) {
            return status.put("daemon", "silent").put("advice", e.getMessage());
        }
    }
}
