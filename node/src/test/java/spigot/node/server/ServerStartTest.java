package spigot.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.node.Address;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.control.ControlClient;

@DisplayName("A server")
class ServerStartTest {
    private static final Address ANY = new Address("127.0.0.1", 0);

    @TempDir
    Path directory;

    private ServerConfiguration in(Path data, Publication... publications) {
        return configuration(data, ANY, Optional.empty(), publications);
    }

    private static ServerConfiguration configuration(
            Path data, Address listen, Optional<ServerConfiguration.Join> join, Publication... publications) {
        return new ServerConfiguration(
                data,
                listen,
                Optional.empty(),
                Optional.empty(),
                Optional.of("one"),
                Optional.empty(),
                List.of(publications),
                join);
    }

    private static ServerProcess start(ServerConfiguration configuration) throws Exception {
        return ServerProcess.start(configuration, line -> {});
    }

    private static String token(Path data, String role, Duration validity) throws Exception {
        return ask(
                        data,
                        Json.object()
                                .put("verb", "token")
                                .put("role", role)
                                .put("site", "there")
                                .put("valid_millis", validity.toMillis()))
                .path("token")
                .asText();
    }

    private static JsonNode ask(Path data, com.fasterxml.jackson.databind.node.ObjectNode request) throws Exception {
        return ControlClient.call(data.resolve("control.sock"), request, Duration.ofSeconds(60));
    }

    private Path source() throws Exception {
        Path source = Files.createDirectories(directory.resolve("source/sub"));
        Files.writeString(source.resolve("file"), "content");
        return directory.resolve("source");
    }

    private void assertRefused(ServerConfiguration configuration, String... words) {
        assertThatThrownBy(() -> start(configuration))
                .isInstanceOf(NodeException.class)
                .satisfies(e -> assertThat(e.getMessage()).contains(words).doesNotContain("\n"));
    }

    @Test
    void makesAGridAndGoesOnAsWhatItWas() throws Exception {
        Path data = directory.resolve("data");
        Publication publication = new Publication(source(), spigot.model.LogicalPath.parse("/data"), true);
        String grid;
        try (ServerProcess server = start(in(data, publication))) {
            assertThat(server.address()).matches("127\\.0\\.0\\.1:[1-9][0-9]*");
            JsonNode status = ask(data, Json.object().put("verb", "status"));
            grid = status.path("grid").asText();
            assertThat(status.path("publications").get(0).path("path").asText()).isEqualTo("/data");
            assertRefused(in(data), "is running", data.toString(), "stop it");
        }
        try (ServerProcess again = start(in(data))) {
            JsonNode status = ask(data, Json.object().put("verb", "status"));
            assertThat(status.path("grid").asText()).isEqualTo(grid);
            assertThat(status.path("publications").size()).isEqualTo(1);
            assertThat(again.address()).isNotEmpty();
        }
        assertThat(data.resolve("control.sock")).doesNotExist();
        assertThat(data.resolve("process.json")).doesNotExist();
    }

    @Test
    void isJoinedByTokensThatAreGoodOnce() throws Exception {
        Path first = directory.resolve("first");
        try (ServerProcess server = start(in(first))) {
            Address grid = Address.parse(server.address());
            String good = token(first, "server", Duration.ofMinutes(5));
            Path second = directory.resolve("second");
            try (ServerProcess other = start(joining(second, grid, good))) {
                JsonNode status = ask(second, Json.object().put("verb", "status"));
                assertThat(status.path("site").asText()).isEqualTo("there");
                assertThat(status.path("catalog").asText()).isEqualTo(server.address());
                assertThat(other.address()).isNotEqualTo(server.address());
                assertThat(token(second, "node", Duration.ofMinutes(5))).startsWith("spigot1.");
            }
            Path third = directory.resolve("third");
            assertRefused(joining(third, grid, good), "used already");
            assertRefused(joining(third, grid, token(first, "node", Duration.ofMinutes(5))), "a node, not a server");
            String expired = token(first, "server", Duration.ofMillis(1));
            org.awaitility.Awaitility.await()
                    .untilAsserted(() -> assertRefused(joining(third, grid, expired), "expired"));
            assertRefused(joining(third, grid, "rubbish"), "not a join token");
            assertRefused(joining(third, grid, good.substring(0, good.length() - 2)), "copy it again");
            assertRefused(
                    configuration(third, ANY, Optional.of(new ServerConfiguration.Join(grid, Optional.empty()))),
                    "--token");
            assertThat(third).doesNotExist();
            assertRefused(joining(first, grid, good), "is running");
        }
    }

    @Test
    void doesNotTakeTheTokenOfAnotherGrid() throws Exception {
        try (ServerProcess one = start(in(directory.resolve("one")));
                ServerProcess two = start(in(directory.resolve("two")))) {
            String foreign = token(directory.resolve("two"), "server", Duration.ofMinutes(5));
            assertThat(two.address()).isNotEqualTo(one.address());
            assertRefused(joining(directory.resolve("third"), Address.parse(one.address()), foreign), one.address());
            assertThat(directory.resolve("third")).doesNotExist();
        }
    }

    private static ServerConfiguration joining(Path data, Address grid, String token) {
        return configuration(data, ANY, Optional.of(new ServerConfiguration.Join(grid, Optional.of(token))));
    }

    @Test
    void leavesNothingWhenItCanNotStart() throws Exception {
        Path absent = directory.resolve("absent");
        Path missing = directory.resolve("missing");
        assertRefused(
                in(absent, new Publication(missing, spigot.model.LogicalPath.parse("/x"), false)),
                "no " + missing,
                "/x");
        assertThat(absent).doesNotExist();
        assertRefused(in(directory.resolve("no/such")), "no directory " + directory.resolve("no"));
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Address address = new Address("127.0.0.1", taken.getLocalPort());
            assertRefused(configuration(absent, address, Optional.empty()), address.toString(), "--listen");
        }
        assertThat(absent).doesNotExist();
        assertRefused(joining(absent, new Address("127.0.0.1", 1), "rubbish"), "not a join token");
        assertThat(absent).doesNotExist();
        Path empty = Files.createDirectory(directory.resolve("empty"));
        assertRefused(joining(empty, new Address("127.0.0.1", 1), "rubbish"), "not a join token");
        assertThat(empty).isEmptyDirectory();
    }

    @Test
    void takesNoDirectoryOfSomebodyElse() throws Exception {
        Path full = Files.createDirectory(directory.resolve("full"));
        Files.writeString(full.resolve("thesis.tex"), "all of it");
        assertRefused(in(full), "not empty");
        assertThat(full.resolve("thesis.tex")).hasContent("all of it");
        assertThat(full.resolve("lock")).doesNotExist();
        Path file = Files.createFile(directory.resolve("file"));
        assertRefused(in(file), "not a directory");
    }
}
