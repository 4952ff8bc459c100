package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.node.Json;
import spigot.node.home.SpigotHome;
import spigot.node.mount.LocalMounts;

@Command(
        name = "info",
        header = "Show what the grid knows of a file.",
        description =
                "Id, size, fragment size, version, home, the replicas with their servers, sites and states, and which ranges this mount has cached.",
        footer = {"  spigot info /mnt/grid/data/run7.h5", "  spigot info --json run7.h5"})
final class InfoVerb extends Verb {
    @Parameters(paramLabel = "PATH", description = "A file or directory below a mount.")
    String path = "";

    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() throws Exception {
        LocalMounts mounts = new LocalMounts(SpigotHome.fromEnvironment());
        JsonNode info = mounts.askAbout(path, Json.object().put("verb", "info"), state -> {});
        print(json ? Json.pretty(info) : Outline.of(info));
        return OK;
    }
}
