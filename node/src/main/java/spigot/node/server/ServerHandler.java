package spigot.node.server;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.CatalogServer;
import spigot.replica.ReplicaServer;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;

/**
 * Hands what peers send to the part of the server that it is for. The port is open before the parts are: until then requests are
 * answered with NOT_READY.
 */
final class ServerHandler implements LinkHandler {
    private static final int RETRY_MILLIS = 50;

    /** Both at once. */
    private record Parts(@Nullable CatalogServer catalog, ReplicaServer replica) {}

    private volatile @Nullable Parts parts;

    void serve(Optional<CatalogServer> catalog, ReplicaServer replica) {
        parts = new Parts(catalog.orElse(null), replica);
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        Parts now = parts;
        if (now == null) {
            responder.fail(Failure.newBuilder()
                    .setCode(Failure.Code.NOT_READY)
                    .setMessage("the server is starting")
                    .setRetryAfterMillis(RETRY_MILLIS)
                    .build());
            return;
        }
        boolean answered = (now.catalog != null && now.catalog.request(from, request, responder))
                || now.replica.request(from, request, responder);
        if (!answered) {
            throw new FailureException(
                    Failure.Code.BAD_REQUEST, "this server does not answer " + request.getBodyCase());
        }
    }

    @Override
    public void message(Link from, Envelope message) {
        Parts now = parts;
        if (now != null && (now.catalog == null || !now.catalog.message(from, message))) {
            now.replica.message(from, message);
        }
    }

    @Override
    public void closed(Link link) {
        Parts now = parts;
        if (now != null) {
            if (now.catalog != null) {
                now.catalog.linkClosed(link);
            }
            now.replica.linkClosed(link);
        }
    }
}
