package spigot.cli;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import spigot.node.Json;
import spigot.node.server.LocalServer;

@Command(
        name = "token",
        header = "Let further servers and nodes into the grid.",
        subcommands = TokenVerb.Create.class,
        footer = "  spigot token create --role node --ttl 1h --data /srv/grid")
final class TokenVerb extends Verb {
    /** What a token lets in. */
    enum Role {
        server,
        node
    }

    @Override
    public Integer call() {
        throw usage("which verb? One of: create");
    }

    @Command(
            name = "create",
            header = "Make a one-time token and print it.",
            description =
                    "The token lets one server or one node in and names the grid it is for. Run it on the machine of the grid's first "
                            + "server, as the user that runs it.",
            footer = {
                "  spigot token create --role node --data /srv/grid",
                "  spigot token create --role server --site tainan --ttl 10m",
            })
    static final class Create extends Verb {
        @Option(
                names = "--role",
                required = true,
                paramLabel = "ROLE",
                description = "What it lets in: server (publishes and reads) or node (reads).")
        Role role = Role.node;

        @Option(
                names = "--site",
                paramLabel = "SITE",
                defaultValue = "default",
                description = "Where the newcomer stands (default: ${DEFAULT-VALUE}).")
        String site = "default";

        @Option(
                names = "--ttl",
                paramLabel = "TIME",
                defaultValue = "1h",
                converter = TimeSpan.class,
                description = "How long it may be used (default: ${DEFAULT-VALUE}).")
        Duration ttl = Duration.ofHours(1);

        @Option(
                names = "--data",
                paramLabel = "DIR",
                description = "The directory of the running server (default: the only one of this user).")
        @Nullable
        Path data;

        @Override
        public Integer call() throws Exception {
            print(LocalServer.find(data)
                    .ask(
                            Json.object()
                                    .put("verb", "token")
                                    .put("role", role.name())
                                    .put("site", site)
                                    .put("valid_millis", ttl.toMillis()),
                            state -> {})
                    .path("token")
                    .asText());
            return OK;
        }
    }
}
