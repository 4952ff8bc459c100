package spigot.catalog.server;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import spigot.session.BootClock;
import spigot.transport.Link;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.JoinToken;
import spigot.transport.wire.Envelope;

/**
 * The catalog's part of a server process: answers what is meant for the catalog and leaves everything else alone. Safe for any
 * thread.
 */
public final class CatalogServer implements AutoCloseable {
    private CatalogServer() {}

    /**
     * Opens the catalog in a directory, which is made if it does not exist; returns when it can answer.
     *
     * @throws IOException when the directory can't be used, or another process has it open
     */
    public static CatalogServer open(
            Path directory, GridAuthority authority, CatalogConfiguration configuration, BootClock clock)
            throws IOException, InterruptedException {
        throw new IOException("not there yet");
    }

    /**
     * @return whether the request was for the catalog (sessions, joining, names, registration); then it is answered
     * @throws spigot.transport.FailureException when it is refused; the transport makes a Failure of it
     */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        return false;
    }

    /** @return whether the one-way message was for the catalog; never blocks */
    public boolean message(Link from, Envelope message) {
        return false;
    }

    /** A link has broken or was closed. Never blocks. */
    public void linkClosed(Link link) {}

    /** A one-time token that lets one server or node into the grid. */
    public JoinToken createToken(PeerIdentity.Role role, String site, Duration validity)
            throws IOException, InterruptedException {
        throw new IOException("not there yet");
    }

    /** Computing nodes with a session. */
    public int clients() {
        return 0;
    }

    /** Finishes what is under way and closes the files; idempotent. */
    @Override
    public void close() {}
}
