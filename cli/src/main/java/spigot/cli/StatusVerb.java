package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.node.Address;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.RemoteGrid;
import spigot.node.home.SpigotHome;
import spigot.node.mount.LocalMounts;
import spigot.node.server.LocalServer;

@Command(
        name = "status",
        header = "Show mounts, a server, or a grid.",
        description =
                "Without an argument: this user's mounts and servers. With MNT: that mount. With HOST:PORT: the grid, as its first server sees it. "
                        + "With --data: the server that runs there. Exit code 1 when something that was asked for is not well.",
        footer = {"  spigot status", "  spigot status /mnt/grid --json", "  spigot status grid.example.org:7440"})
final class StatusVerb extends Verb {
    @Parameters(arity = "0..1", paramLabel = "MNT|HOST:PORT", description = "A mount point or a server's address.")
    @Nullable
    String subject;

    @Option(names = "--data", paramLabel = "DIR", description = "The directory of a running server on this machine.")
    @Nullable
    Path data;

    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() throws Exception {
        SpigotHome home = SpigotHome.fromEnvironment();
        LocalMounts mounts = new LocalMounts(home);
        if (data != null) {
            show(LocalServer.find(data).status());
            return OK;
        }
        String asked = subject;
        if (asked == null) {
            return all(mounts);
        }
        if (!asked.startsWith("/") && asked.matches(".*:\\d+")) {
            show(RemoteGrid.status(home, valid(() -> Address.parse(asked))));
            return OK;
        }
        ObjectNode status = mounts.status(mounts.recordAt(asked));
        show(status);
        return status.path("daemon").asText().equals("running") ? OK : FAILED;
    }

    private int all(LocalMounts mounts) throws Exception {
        ObjectNode everything = Json.object();
        ArrayNode list = everything.putArray("mounts");
        boolean well = true;
        for (var mount : mounts.records()) {
            ObjectNode status = mounts.status(mount);
            well &= status.path("daemon").asText().equals("running");
            list.add(status);
        }
        ArrayNode servers = everything.putArray("servers");
        for (LocalServer server : LocalServer.known()) {
            try {
                servers.add(server.status());
            } catch (NodeException e) {
                well = false;
                servers.add(Json.object().put("data", server.data().toString()).put("error", e.getMessage()));
            }
        }
        if (json) {
            print(Json.pretty(everything));
        } else if (list.isEmpty() && servers.isEmpty()) {
            print("no mounts and no servers of this user");
        } else {
            for (JsonNode each : List.<Iterable<JsonNode>>of(list, servers).stream()
                    .flatMap(nodes -> java.util.stream.StreamSupport.stream(nodes.spliterator(), false))
                    .toList()) {
                show(each);
            }
        }
        return well ? OK : FAILED;
    }

    private void show(JsonNode status) {
        print(json ? Json.pretty(status) : Outline.of(status));
    }
}
