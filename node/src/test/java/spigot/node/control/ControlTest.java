package spigot.node.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.node.Json;
import spigot.node.NodeException;

@DisplayName("A control socket")
class ControlTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private final CountDownLatch never = new CountDownLatch(1);
    private ControlServer server;
    private Path socket;

    @BeforeEach
    void listen() throws Exception {
        socket = ControlSocket.at(directory.resolve("control.sock"));
        server = ControlServer.listen(
                socket,
                Map.of(
                        "echo", (request, progress) -> request,
                        "count",
                                (request, progress) -> {
                                    for (int i = 1; i <= 3; i++) {
                                        progress.report(Json.object().put("done", i));
                                    }
                                    return Json.object().put("all", 3);
                                },
                        "refuse",
                                (request, progress) -> {
                                    throw new NodeException("this can't be done:\nask somebody else");
                                },
                        "fault",
                                (request, progress) -> {
                                    throw new IllegalStateException("a bug");
                                },
                        "hang",
                                (request, progress) -> {
                                    never.await();
                                    return request;
                                }));
    }

    @AfterEach
    void close() throws Exception {
        never.countDown();
        server.close();
    }

    private com.fasterxml.jackson.databind.JsonNode call(String verb) throws Exception {
        return ControlClient.call(socket, Json.object().put("verb", verb), PATIENCE);
    }

    @Test
    void carriesARequestAndItsResult() throws Exception {
        assertThat(ControlClient.call(socket, Json.object().put("verb", "echo").put("word", "naïve\n"), PATIENCE)
                        .path("word")
                        .asText())
                .isEqualTo("naïve\n");
    }

    @Test
    void carriesProgressInOrderBeforeTheResult() throws Exception {
        List<Integer> seen = new ArrayList<>();
        assertThat(ControlClient.call(
                                socket,
                                Json.object().put("verb", "count"),
                                PATIENCE,
                                state -> seen.add(state.path("done").asInt()))
                        .path("all")
                        .asInt())
                .isEqualTo(3);
        assertThat(seen).containsExactly(1, 2, 3);
    }

    @Test
    void carriesARefusalOnOneLine() {
        assertThatThrownBy(() -> call("refuse"))
                .isInstanceOf(ControlClient.RefusedException.class)
                .hasMessage("this can't be done: ask somebody else");
    }

    @Test
    void namesAVerbThatIsNotKnown() {
        assertThatThrownBy(() -> call("fly")).hasMessageContaining("'fly'").hasMessageContaining("echo");
    }

    @Test
    void survivesAFaultOfAVerb() throws Exception {
        assertThatThrownBy(() -> call("fault")).hasMessageContaining("a bug");
        assertThat(call("count").path("all").asInt()).isEqualTo(3);
    }

    @Test
    void survivesWhatIsNoRequest() throws Exception {
        for (String line : new String[] {"no json\n", "[1]\n", "\n", "{\"verb\":", "x".repeat(100_000) + "\n"}) {
            try (var channel = java.nio.channels.SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                channel.write(java.nio.ByteBuffer.wrap(line.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
                channel.shutdownOutput();
                channel.read(java.nio.ByteBuffer.allocate(1000));
            } catch (IOException e) {
                assertThat(e).hasMessageMatching("(?i).*(broken pipe|reset).*");
            }
        }
        assertThat(call("count").path("all").asInt()).isEqualTo(3);
    }

    @Test
    void neverHoldsUpItsCallerForLongerThanAllowed() {
        assertThatThrownBy(() -> ControlClient.call(socket, Json.object().put("verb", "hang"), Duration.ofMillis(200)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("did not answer within 200 ms");
    }

    @Test
    void thatNobodyAcceptsOnHoldsUpNobodyEither() throws Exception {
        Path deaf = directory.resolve("deaf.sock");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(deaf));
            assertThatThrownBy(
                            () -> ControlClient.call(deaf, Json.object().put("verb", "echo"), Duration.ofMillis(200)))
                    .isInstanceOf(IOException.class);
        }
        assertThatThrownBy(() -> ControlClient.call(deaf, Json.object().put("verb", "echo"), PATIENCE))
                .as("and one that is left by a dead process is told at once")
                .isInstanceOf(IOException.class);
    }

    @Test
    void isForItsOwnerAlone() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-------");
    }

    @Test
    void isGoneWhenItsServerIsClosed() throws Exception {
        server.close();
        assertThat(socket).doesNotExist();
        assertThatThrownBy(() -> call("echo")).hasMessageContaining("no process listens");
    }

    @Test
    void hasAShortPathHoweverDeepItsDirectoryIs() throws Exception {
        Path deep = directory.resolve("d".repeat(120)).resolve("control.sock");
        Path found = ControlSocket.at(deep);
        assertThat(found.toString().length()).isLessThan(100);
        assertThat(ControlSocket.at(deep)).isEqualTo(found);
        assertThat(ControlSocket.at(deep.resolveSibling("other.sock"))).isNotEqualTo(found);
    }
}
