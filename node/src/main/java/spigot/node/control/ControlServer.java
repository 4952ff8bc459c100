package spigot.node.control;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.node.Json;
import spigot.node.NodeException;

/**
 * Answers the verbs of local users who may open the socket: its owner and root. A virtual thread accepts, each connection has
 * one of its own and carries one request; at most {@value #MAX_CONNECTIONS} at a time, further ones wait in the kernel's queue.
 */
public final class ControlServer implements Closeable {
    private static final Logger log = LoggerFactory.getLogger(ControlServer.class);
    private static final int MAX_CONNECTIONS = 32;

    private final Path socket;
    private final Map<String, ControlHandler> verbs;
    private final ServerSocketChannel listener;
    private final Semaphore slots = new Semaphore(MAX_CONNECTIONS);
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();

    private ControlServer(Path socket, Map<String, ControlHandler> verbs, ServerSocketChannel listener) {
        this.socket = socket;
        this.verbs = Map.copyOf(verbs);
        this.listener = listener;
    }

    /**
     * Listens; a socket that a dead process left there is replaced. The caller makes sure that none of a living one is there.
     *
     * @param socket see {@link ControlSocket#at}
     */
    public static ControlServer listen(Path socket, Map<String, ControlHandler> verbs) throws IOException {
        Files.deleteIfExists(socket);
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            listener.bind(UnixDomainSocketAddress.of(socket), MAX_CONNECTIONS);
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            listener.close();
            throw new IOException("the control socket " + socket + " can't be made: " + NodeException.reason(e), e);
        }
        ControlServer server = new ControlServer(socket, verbs, listener);
        Thread.ofVirtual().name("control").start(server::accept);
        return server;
    }

    public Path socket() {
        return socket;
    }

    private void accept() {
        try {
            while (true) {
                slots.acquire();
                SocketChannel channel = listener.accept();
                open.add(channel);
                Thread.ofVirtual().name("control-request").start(() -> serve(channel));
            }
        } catch (ClosedChannelException | InterruptedException e) {
            log.debug("event=control_closed socket={}", socket);
        } catch (IOException e) {
            log.error("event=control_failed socket={} reason={}", socket, e.toString());
        }
    }

    private void serve(SocketChannel channel) {
        try (channel) {
            ControlLines lines = new ControlLines(channel, ControlLines.MAX_REQUEST_BYTES);
            String line = lines.read();
            if (line != null) {
                lines.write(Json.line(answer(line, lines)));
            }
        } catch (IOException e) {
            log.debug("event=control_request_broken reason={}", e.toString());
        } finally {
            open.remove(channel);
            slots.release();
        }
    }

    private ObjectNode answer(String line, ControlLines lines) {
        String verb = "request";
        try {
            ObjectNode request = Json.parse(line);
            verb = request.path("verb").asText();
            ControlHandler handler = verbs.get(verb);
            if (handler == null) {
                throw new NodeException(
                        "this process does not know '" + verb + "', only " + new TreeSet<>(verbs.keySet()));
            }
            ObjectNode answer = Json.object();
            answer.set(
                    "result",
                    handler.handle(
                            request,
                            state -> lines.write(Json.line(Json.object().set("progress", state)))));
            return answer;
        } catch (NodeException | IOException e) {
            log.debug("event=control_refused verb={} reason={}", verb, e.toString());
            return Json.object().put("error", NodeException.reason(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Json.object().put("error", "the process is stopping");
        } catch (RuntimeException e) {
            log.error("event=control_fault verb={}", verb, e);
            return Json.object().put("error", verb + " failed by a fault in Spigot: " + e + "; see the log");
        }
    }

    /** Stops listening, breaks what is under way, removes the socket. */
    @Override
    public void close() throws IOException {
        listener.close();
        for (SocketChannel channel : open) {
            channel.close();
        }
        Files.deleteIfExists(socket);
    }
}
