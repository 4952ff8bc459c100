package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.node.Json;
import spigot.node.home.MountRecord;
import spigot.node.home.SpigotHome;
import spigot.node.mount.LocalMounts;

@Command(
        name = "stats",
        header = "Show what a mount has moved and cached.",
        description = {
            "Counters since the mount began. data_bytes_* are bytes of files, wire_bytes_* all that the sockets carried; fragment_fetches are "
                    + "requests for data; demand_wait_millis is how long readers waited for servers.",
            "With --interval one line of JSON or a table row for each interval, until Ctrl-C; counters are then the differences."
        },
        footer = {"  spigot stats /mnt/grid", "  spigot stats /mnt/grid --json --interval 1s"})
final class StatsVerb extends Verb {
    @Parameters(paramLabel = "MNT", description = "A mount point or a path below it.")
    String path = "";

    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Option(names = "--interval", paramLabel = "TIME", converter = TimeSpan.class, description = "Repeat so often.")
    @Nullable
    Duration interval;

    @Override
    public Integer call() throws Exception {
        LocalMounts mounts = new LocalMounts(SpigotHome.fromEnvironment());
        MountRecord mount = mounts.recordOf(path);
        ObjectNode request = Json.object().put("verb", "stats");
        JsonNode before = mounts.ask(mount, request);
        if (interval == null) {
            print(json ? Json.pretty(before) : Outline.of(before));
            return OK;
        }
        while (true) {
            Thread.sleep(interval);
            JsonNode now = mounts.ask(mount, request);
            JsonNode difference = difference(before, now);
            print(json ? Json.line(difference) : row(difference));
            before = now;
        }
    }

    /** Counters as what was added; sizes of what is there now and times ({@code *_now}, {@code *_micros}, rss, cached, open) as they are. */
    static JsonNode difference(JsonNode before, JsonNode now) {
        ObjectNode result = Json.object();
        for (Map.Entry<String, JsonNode> field : now.properties()) {
            String name = field.getKey();
            boolean gauge = name.startsWith("rss")
                    || name.endsWith("_now")
                    || name.endsWith("_budget")
                    || name.endsWith("_micros");
            if (field.getValue().isIntegralNumber() && !gauge) {
                result.put(name, field.getValue().asLong() - before.path(name).asLong());
            } else if (field.getValue().isObject()) {
                result.set(name, difference(before.path(name), field.getValue()));
            } else {
                result.set(name, field.getValue());
            }
        }
        return result;
    }

    private static String row(JsonNode stats) {
        return "received %s  fetches %d  hits %d  misses %d  waited %d ms  metadata requests %d  rss %s"
                .formatted(
                        ByteSize.format(stats.path("data_bytes_received").asLong()),
                        stats.path("fragment_fetches").asLong(),
                        stats.path("cache_hits").asLong(),
                        stats.path("cache_misses").asLong(),
                        stats.path("demand_wait_millis").asLong(),
                        stats.path("metadata_requests").asLong(),
                        ByteSize.format(stats.path("rss_bytes").asLong()));
    }
}
