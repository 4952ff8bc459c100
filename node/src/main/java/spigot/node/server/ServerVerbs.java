package spigot.node.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import spigot.catalog.server.CatalogServer;
import spigot.model.LogicalPath;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.control.ControlHandler;
import spigot.replica.PublicationStatus;
import spigot.replica.ReplicaServer;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.CreateToken;
import spigot.transport.wire.Envelope;

/** The verbs of local users that a server carries out. Safe for any thread. */
final class ServerVerbs {
    private static final Duration CALL = Duration.ofSeconds(20);

    private final ServerStatus status;
    private final Optional<CatalogServer> catalog;
    private final ReplicaServer replica;
    private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(5);

    private final Peer catalogPeer;
    private final Runnable stop;

    ServerVerbs(
            ServerStatus status,
            Optional<CatalogServer> catalog,
            ReplicaServer replica,
            Peer catalogPeer,
            Runnable stop) {
        this.status = status;
        this.catalog = catalog;
        this.replica = replica;
        this.catalogPeer = catalogPeer;
        this.stop = stop;
    }

    Map<String, ControlHandler> handlers() {
        return Map.of(
                "status", (request, progress) -> status.tree(),
                "token", (request, progress) -> token(request),
                "publish", this::publish,
                "unpublish", this::unpublish,
                "stop",
                        (request, progress) -> {
                            stop.run();
                            return Json.object();
                        });
    }

    private JsonNode token(ObjectNode request) throws NodeException, IOException, InterruptedException {
        PeerIdentity.Role role =
                request.path("role").asText().equals("server") ? PeerIdentity.Role.SERVER : PeerIdentity.Role.NODE;
        String site = request.path("site").asText();
        Duration validity = Duration.ofMillis(request.path("valid_millis").asLong());
        try {
            String text;
            if (catalog.isPresent()) {
                text = catalog.get().createToken(role, site, validity).text();
            } else {
                Envelope asked = Envelope.newBuilder()
                        .setCreateToken(CreateToken.newBuilder()
                                .setRole(request.path("role").asText())
                                .setSite(site)
                                .setValidMillis(validity.toMillis()))
                        .build();
                text = catalogPeer
                        .link(CALL)
                        .call(asked, CALL)
                        .getCreateTokenReply()
                        .getToken();
            }
            return Json.object().put("token", text);
        } catch (IllegalArgumentException e) {
            throw new NodeException("the token can't be made: " + NodeException.reason(e), e);
        }
    }

    private JsonNode publish(ObjectNode request, ControlHandler.Progress progress)
            throws NodeException, IOException, InterruptedException {
        Path source = Path.of(request.path("source").asText());
        LogicalPath path = parse(request.path("path").asText());
        // Registration goes on when the one who asked is gone: it is remembered and can be looked at with 'status'.
        PublicationStatus done = replica.publish(
                source,
                path,
                request.path("read_only").asBoolean(),
                request.path("replica").asBoolean(),
                (seen, registered, skipped) -> report(progress, seen, registered, skipped));
        ObjectNode result = Json.object()
                .put("state", done.state().name())
                .put("entries", done.entries())
                .put("registered", done.registered())
                .put("skipped", done.skipped());
        ServerStatus.addSkipped(result.putArray("skipped_entries"), replica.skipped(path));
        return result;
    }

    private static void report(ControlHandler.Progress progress, long seen, long registered, long skipped) {
        try {
            progress.report(Json.object()
                    .put("seen", seen)
                    .put("registered", registered)
                    .put("skipped", skipped));
        } catch (IOException e) {
            // Who asked is gone; see above.
            return;
        }
    }

    private JsonNode unpublish(ObjectNode request, ControlHandler.Progress progress)
            throws NodeException, IOException, InterruptedException {
        LogicalPath path = parse(request.path("path").asText());
        FutureTask<JsonNode> task = new FutureTask<>(() -> {
            replica.unpublish(path);
            return Json.object();
        });
        Thread.ofVirtual().name("unpublish " + path).start(task);
        while (true) {
            try {
                return task.get(SIGN_OF_LIFE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // It goes on when the one who asked is gone.
                report(progress, 0, 0, 0);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof IOException failed) {
                    throw failed;
                }
                throw new IOException("ending the publication " + path + " failed", e.getCause());
            }
        }
    }

    private static LogicalPath parse(String path) throws NodeException {
        try {
            return LogicalPath.parse(path);
        } catch (IllegalArgumentException e) {
            throw new NodeException(NodeException.reason(e), e);
        }
    }

    /** A publication of the command line; one that is remembered from an earlier life opens by itself, in the background. */
    void publishAtStart(Publication publication, Consumer<String> notice)
            throws NodeException, IOException, InterruptedException {
        boolean remembered = replica.status().publications().stream()
                .anyMatch(known -> known.path().equals(publication.path())
                        && known.readOnly() == publication.readOnly()
                        && known.source().toString().equals(publication.source().toString()));
        if (remembered) {
            return;
        }
        try {
            PublicationStatus done = replica.publish(
                    publication.source(),
                    publication.path(),
                    publication.readOnly(),
                    false,
                    new NoticedProgress(publication.path(), notice));
            if (done.skipped() > 0) {
                notice.accept(publication.path() + ": " + done.skipped()
                        + (done.skipped() == 1 ? " entry is" : " entries are")
                        + " not published; see 'spigot status'");
            }
        } catch (IOException e) {
            throw new NodeException(
                    publication.source() + " can't be published as " + publication.path() + ": "
                            + NodeException.reason(e),
                    e);
        }
    }
}
