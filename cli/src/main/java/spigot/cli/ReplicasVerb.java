package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.node.Json;
import spigot.node.home.SpigotHome;
import spigot.node.mount.LocalMounts;

@Command(
        name = "replicas",
        header = "Show all copies of a file and whether they are used.",
        description = {
            "HOME orders the file's versions and serves it; VERIFIED has the same digests and serves it; UNVERIFIED is still being compared; "
                    + "DIFFERS has another size or content and is not used; WITHDRAWN: its server is not alive."
        },
        footer = "  spigot replicas /mnt/grid/data/run7.h5")
final class ReplicasVerb extends Verb {
    @Parameters(paramLabel = "PATH", description = "A file below a mount.")
    String path = "";

    @Option(names = "--json", description = "As JSON.")
    boolean json;

    @Override
    public Integer call() throws Exception {
        LocalMounts mounts = new LocalMounts(SpigotHome.fromEnvironment());
        JsonNode replicas = mounts.askAbout(path, Json.object().put("verb", "replicas"), state -> {});
        print(json ? Json.pretty(replicas) : Outline.of(replicas));
        return OK;
    }
}
