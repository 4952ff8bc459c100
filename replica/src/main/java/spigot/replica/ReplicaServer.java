package spigot.replica;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import spigot.catalog.client.RegistrationClient;
import spigot.model.LogicalPath;
import spigot.transport.Link;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;

/**
 * Publishes trees in place and serves their files. Safe for any thread; the methods block and are meant for virtual threads.
 */
public final class ReplicaServer implements AutoCloseable {
    private final ReplicaConfiguration configuration;
    private final RegistrationClient catalog;
    private final PeerSource peers;

    /** Opens the index; nothing is published or served before {@link #start}. */
    public ReplicaServer(ReplicaConfiguration configuration, RegistrationClient catalog, PeerSource peers)
            throws IOException {
        this.configuration = configuration;
        this.catalog = catalog;
        this.peers = peers;
    }

    /**
     * Begins the heartbeats and opens what was published in earlier lives, in the background.
     *
     * @param address HOST:PORT at which other processes reach this server
     */
    public void start(String address) {}

    /**
     * Publishes a tree or a single file and returns when all of it is registered. It is remembered: {@link #start} opens it again.
     * Publishing the same source at the same path again only sends what differs.
     *
     * @param source followed if it is a symbolic link; links below it are not
     * @param replica a further copy of what another server publishes at that path: served once verified
     * @throws spigot.transport.FailureException CONFLICT when another server publishes the path
     * @throws IOException when the source can't be opened, holds the server's own data, or is a mount of a grid
     */
    public PublicationStatus publish(
            Path source, LogicalPath path, boolean readOnly, boolean replica, ProgressListener progress)
            throws IOException, InterruptedException {
        throw new IOException("publishing " + source + " at " + path + " is not possible yet");
    }

    /** Ends a publication: its names leave the grid, the files stay where they are. */
    public void unpublish(LogicalPath path) throws IOException, InterruptedException {}

    /** What could not be published, up to a bound of 1000 per publication. */
    public List<Skipped> skipped() {
        return List.of();
    }

    public ReplicaStatus status() {
        return new ReplicaStatus(List.of(), 0, 0, 0, 0, 0, -1);
    }

    /**
     * Answers the requests that a replica server answers: open, read, seek, extended attributes, digests.
     *
     * @return false when the request is not one of them: nothing was answered
     */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        return false;
    }

    /** @return whether the one-way message was for the replica server; never blocks */
    public boolean message(Link from, Envelope message) {
        return false;
    }

    /** A link has broken or was closed. Never blocks. */
    public void linkClosed(Link link) {}

    /** Stops all threads and closes all files; idempotent. */
    @Override
    public void close() {}
}
