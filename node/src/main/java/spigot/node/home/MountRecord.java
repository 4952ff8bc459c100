package spigot.node.home;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import spigot.node.Json;

/**
 * A mount that is there, or was left by a daemon that died.
 *
 * @param mountPoint absolute
 * @param grid id of the grid, 32 hexadecimal digits
 * @param address HOST:PORT of the server that it was mounted from
 */
public record MountRecord(
        String mountPoint, ProcessStamp daemon, Path socket, String grid, String address, String cache, Path log) {

    ObjectNode json() {
        return Json.object()
                .put("mount_point", mountPoint)
                .put("pid", daemon.pid())
                .put("start_ticks", daemon.startTicks())
                .put("socket", socket.toString())
                .put("grid", grid)
                .put("address", address)
                .put("cache", cache)
                .put("log", log.toString());
    }

    static MountRecord of(ObjectNode json) {
        return new MountRecord(
                json.path("mount_point").asText(),
                new ProcessStamp(
                        json.path("pid").asLong(), json.path("start_ticks").asLong()),
                Path.of(json.path("socket").asText()),
                json.path("grid").asText(),
                json.path("address").asText(),
                json.path("cache").asText(),
                Path.of(json.path("log").asText()));
    }
}
