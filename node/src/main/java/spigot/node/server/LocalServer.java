package spigot.node.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.control.ControlClient;
import spigot.node.home.ProcessStamp;
import spigot.node.home.SpigotHome;

/**
 * A running server of this machine, as verbs find and ask it. A server notes itself twice: in its directory, and below
 * {@code $SPIGOT_HOME/run} of its user, so that its directory need not be named.
 */
public record LocalServer(Path data, ProcessStamp process, Path socket) {
    private static final Duration SILENCE = Duration.ofSeconds(60);

    /** For what a server that is well says at once. */
    private static final Duration SHORT_SILENCE = Duration.ofSeconds(10);

    private static final String PROCESS_FILE = "process.json";
    private static final String PREFIX = "server-";

    /**
     * @param data its directory; null: the only one that runs for this user
     * @throws NodeException when there is none, or more than one
     */
    public static LocalServer find(@Nullable Path data) throws NodeException, IOException {
        if (data != null) {
            Path directory = data.toAbsolutePath().normalize();
            return at(directory)
                    .filter(server -> server.process.isAlive())
                    .orElseThrow(() -> new NodeException("no server is running in " + directory
                            + ": start it with 'spigot server --data " + directory + "'"));
        }
        List<LocalServer> servers = known();
        if (servers.size() == 1) {
            return servers.getFirst();
        }
        throw new NodeException(
                servers.isEmpty()
                        ? "no server of this user is running; name its directory with --data DIR"
                        : servers.size() + " servers of this user are running; name one with --data: "
                                + String.join(
                                        ", ",
                                        servers.stream()
                                                .map(server -> server.data.toString())
                                                .toList()));
    }

    /** The running servers of this user. */
    public static List<LocalServer> known() throws NodeException, IOException {
        SpigotHome home = SpigotHome.fromEnvironment();
        List<LocalServer> servers = new ArrayList<>();
        if (home.exists()) {
            try (DirectoryStream<Path> notes = Files.newDirectoryStream(home.run(), PREFIX + "*")) {
                for (Path note : notes) {
                    at(Path.of(Files.readString(note).strip()))
                            .filter(server -> server.process.isAlive())
                            .ifPresent(servers::add);
                }
            }
        }
        return servers;
    }

    static Optional<ProcessStamp> processOf(Path data) throws NodeException {
        try {
            return at(data).map(LocalServer::process).filter(ProcessStamp::isAlive);
        } catch (IOException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
    }

    private static Optional<LocalServer> at(Path data) throws IOException {
        Path file = data.resolve(PROCESS_FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        ObjectNode json = Json.read(file);
        return Optional.of(new LocalServer(
                data,
                new ProcessStamp(
                        json.path("pid").asLong(), json.path("start_ticks").asLong()),
                Path.of(json.path("socket").asText())));
    }

    /** Notes the server of this process. */
    void note() throws NodeException, IOException {
        Json.write(
                data.resolve(PROCESS_FILE),
                Json.object()
                        .put("pid", process.pid())
                        .put("start_ticks", process.startTicks())
                        .put("socket", socket.toString()));
        Files.writeString(noteFile(), data + "\n");
    }

    /** Undoes {@link #note}. */
    void forget() throws NodeException, IOException {
        Files.deleteIfExists(data.resolve(PROCESS_FILE));
        Files.deleteIfExists(noteFile());
    }

    private Path noteFile() throws NodeException {
        return SpigotHome.fromEnvironment().run().resolve(PREFIX + SpigotHome.nameOf(data.toString()));
    }

    /** @throws NodeException when it does not answer */
    public JsonNode status() throws NodeException {
        return ask(Json.object().put("verb", "status"), SHORT_SILENCE, state -> {});
    }

    /** @throws NodeException when it refuses, or does not answer */
    public JsonNode ask(ObjectNode request, Consumer<JsonNode> progress) throws NodeException {
        return ask(request, SILENCE, progress);
    }

    private JsonNode ask(ObjectNode request, Duration silence, Consumer<JsonNode> progress) throws NodeException {
        try {
            return ControlClient.call(socket, request, silence, progress);
        } catch (IOException e) {
            throw new NodeException(
                    "the server in " + data + " (process " + process.pid() + ") does not answer: "
                            + NodeException.reason(e),
                    e);
        }
    }
}
