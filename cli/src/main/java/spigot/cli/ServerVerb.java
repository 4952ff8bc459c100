package spigot.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import spigot.node.Address;
import spigot.node.server.Publication;
import spigot.node.server.ServerConfiguration;
import spigot.node.server.ServerProcess;

@Command(
        name = "server",
        header = "Run a replica server; the first one of a grid carries its catalog.",
        description = {
            "With an empty or absent DIR a new grid begins; with --join the server enters a grid that is there; with the DIR of an earlier run it "
                    + "goes on as what it was. Prints 'ready HOST:PORT' when it serves, and runs until it gets SIGTERM or Ctrl-C.",
            "The files stay where they are; the server keeps in DIR its keys, its index and, if it is the first, the catalog."
        },
        footer = {
            "  spigot server --data /srv/grid --listen 0.0.0.0:7440 --publish /srv/data=/data:ro",
            "  spigot server --data /srv/grid --join first.example.org:7440 --token TOKEN --site tainan",
        })
final class ServerVerb extends Verb {
    @Option(names = "--data", required = true, paramLabel = "DIR", description = "The server's directory.")
    Path data = Path.of("");

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:7440",
            description = "Where the grid reaches it; port 0 takes a free one (default: ${DEFAULT-VALUE}).")
    Address listen = new Address("127.0.0.1", ServerConfiguration.DEFAULT_PORT);

    @Option(
            names = "--advertise",
            paramLabel = "HOST:PORT",
            description = "What others are told to connect to, if that is not where it listens.")
    @Nullable
    Address advertise;

    @Option(
            names = "--http",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:7441",
            description =
                    "For /metrics, /health and /status, without authentication; 'none' switches it off (default: ${DEFAULT-VALUE}).")
    String http = "127.0.0.1:7441";

    @Option(names = "--name", paramLabel = "NAME", description = "For people (default: the host's name).")
    @Nullable
    String name;

    @Option(
            names = "--site",
            paramLabel = "SITE",
            description = "Where it stands (default: 'default', or as the token says).")
    @Nullable
    String site;

    @Option(
            names = "--publish",
            paramLabel = "SRC=/PATH[:ro]",
            description =
                    "Publish the tree SRC as /PATH of the grid; 'ready' comes when it is registered. May be given several times.")
    List<Publication> publications = new ArrayList<>();

    @Option(names = "--join", paramLabel = "HOST:PORT", description = "The first server of the grid to enter.")
    @Nullable
    Address join;

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description = "From 'spigot token create --role server'; @FILE reads it from a file.")
    @Nullable
    String token;

    @Override
    public Integer call() throws Exception {
        if (join == null && token != null) {
            throw usage("--token goes with --join HOST:PORT");
        }
        Optional<ServerConfiguration.Join> grid = Optional.ofNullable(join)
                .map(address -> new ServerConfiguration.Join(address, valid(() -> TokenText.read(token))));
        ServerConfiguration configuration = valid(() -> new ServerConfiguration(
                data,
                listen,
                Optional.ofNullable(advertise),
                http.equals("none") ? Optional.empty() : Optional.of(Address.parse(http)),
                Optional.ofNullable(name),
                Optional.ofNullable(site),
                publications,
                grid));
        try (ServerProcess server = ServerProcess.start(configuration, this::note)) {
            print("ready " + server.address());
            server.awaitStop();
        }
        return OK;
    }
}
