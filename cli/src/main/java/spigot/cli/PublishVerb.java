package spigot.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import spigot.node.Json;
import spigot.node.server.LocalServer;

@Command(
        name = "publish",
        header = "Publish a directory tree or a file of this machine in the grid.",
        description = {
            "Nothing is copied: the server reads the files where they are. Ends when all is registered; what can't be read is skipped and listed. "
                    + "Run again, it only looks at what changed.",
            "A path that another server publishes is refused, unless --replica says that SRC is a further copy of the same files: "
                    + "it is compared with the first and served once they agree."
        },
        footer = {
            "  spigot publish /srv/data /data",
            "  spigot publish /mirror/data /data --replica --data /srv/second",
        })
final class PublishVerb extends Verb {
    @Parameters(index = "0", paramLabel = "SRC", description = "A directory or file.")
    Path source = Path.of("");

    @Parameters(index = "1", paramLabel = "/PATH", description = "Where it appears in the grid.")
    String path = "";

    @Option(names = "--read-only", description = "It can't be written through the grid.")
    boolean readOnly;

    @Option(names = "--replica", description = "SRC is a further copy of what another server publishes at /PATH.")
    boolean replica;

    @Option(names = "--remove", description = "End the publication instead; the files stay where they are.")
    boolean remove;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "The directory of the running server (default: the only one of this user).")
    @Nullable
    Path data;

    @Override
    public Integer call() throws Exception {
        LocalServer server = LocalServer.find(data);
        if (remove) {
            server.ask(Json.object().put("verb", "unpublish").put("path", path), state -> {});
            print(path + " is not published any more");
            return OK;
        }
        long start = System.nanoTime();
        JsonNode done;
        try (RegistrationProgress progress = new RegistrationProgress(path)) {
            done = server.ask(
                    Json.object()
                            .put("verb", "publish")
                            .put("source", source.toAbsolutePath().toString())
                            .put("path", path)
                            .put("read_only", readOnly)
                            .put("replica", replica),
                    progress::show);
        }
        print("%s: %s, %,d new or changed, %,d skipped, %.1f s"
                .formatted(
                        path,
                        Counted.entries(done.path("entries").asLong()),
                        done.path("registered").asLong(),
                        done.path("skipped").asLong(),
                        (System.nanoTime() - start) / 1e9));
        for (JsonNode skipped : done.path("skipped_entries")) {
            note("skipped " + skipped.path("path").asText() + ": "
                    + skipped.path("reason").asText());
        }
        long more = done.path("skipped").asLong() - done.path("skipped_entries").size();
        if (more > 0) {
            note("skipped %,d more".formatted(more));
        }
        return OK;
    }
}
