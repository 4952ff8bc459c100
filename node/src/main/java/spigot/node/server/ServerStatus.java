package spigot.node.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import spigot.catalog.server.CatalogServer;
import spigot.node.Json;
import spigot.node.http.HttpEndpoint;
import spigot.node.http.MetricsText;
import spigot.node.http.ProcessFigures;
import spigot.replica.PublicationState;
import spigot.replica.PublicationStatus;
import spigot.replica.ReplicaServer;
import spigot.replica.ReplicaStatus;
import spigot.replica.Skipped;
import spigot.transport.TransportCounters;

/** What a server says of itself: to verbs, over HTTP, as metrics. Safe for any thread. */
final class ServerStatus {
    /** The catalog counts a server as dead after 5 s. */
    private static final int SHOWN_SKIPPED = 100;

    private static final Duration SILENT_CATALOG = Duration.ofSeconds(5);

    private final Path data;
    private final String address;
    private final Membership membership;
    private final Optional<CatalogServer> catalog;
    private final ReplicaServer replica;
    private final TransportCounters counters;
    private volatile int httpPort;

    ServerStatus(
            Path data,
            String address,
            Membership membership,
            Optional<CatalogServer> catalog,
            ReplicaServer replica,
            TransportCounters counters) {
        this.data = data;
        this.address = address;
        this.membership = membership;
        this.catalog = catalog;
        this.replica = replica;
        this.counters = counters;
    }

    void httpPort(int port) {
        httpPort = port;
    }

    ObjectNode tree() {
        ReplicaStatus status = replica.status();
        ObjectNode json = Json.object()
                .put("server", membership.marker().name())
                .put("site", membership.marker().site())
                .put("id", membership.identity().self().id().toString())
                .put("grid", membership.marker().grid())
                .put("address", address)
                .put("data", data.toString())
                .put("pid", ProcessHandle.current().pid())
                .put("health", health().text());
        if (httpPort > 0) {
            json.put("http_port", httpPort);
        }
        if (catalog.isPresent()) {
            json.put("catalog", "here").put("clients", catalog.get().clients());
        } else {
            json.put("catalog", membership.marker().catalog());
        }
        ArrayNode publications = json.putArray("publications");
        for (PublicationStatus publication : status.publications()) {
            publications
                    .addObject()
                    .put("path", publication.path().toString())
                    .put("source", publication.source().toString())
                    .put("state", publication.state().name())
                    .put("entries", publication.entries())
                    .put("skipped", publication.skipped())
                    .put("read_only", publication.readOnly())
                    .put("replica", publication.replica())
                    .put("detail", publication.detail());
        }
        ArrayNode skipped = json.putArray("skipped_entries");
        for (PublicationStatus publication : status.publications()) {
            if (publication.skipped() > 0) {
                addSkipped(skipped, replica.skipped(publication.path()));
            }
        }
        return json.put("leases", status.leases())
                .put("sessions", status.sessions())
                .put("open_descriptors", status.openDescriptors())
                .put("watched_directories", status.watchedDirectories())
                .put("verification_queue", status.verificationQueue())
                .put("data_bytes_sent", counters.payloadSentBytes())
                .put("data_bytes_received", counters.payloadReceivedBytes())
                .put("wire_bytes_sent", counters.wireSentBytes())
                .put("wire_bytes_received", counters.wireReceivedBytes())
                .put("rss_bytes", ProcessFigures.now().residentBytes());
    }

    /** Adds what is not published and why, until the list has its length: how many there are is told elsewhere. */
    static void addSkipped(ArrayNode list, List<Skipped> entries) {
        for (Skipped entry : entries) {
            if (list.size() == SHOWN_SKIPPED) {
                return;
            }
            list.addObject()
                    .put("path", entry.source() + (entry.path().isEmpty() ? "" : "/" + entry.path()))
                    .put("reason", entry.reason());
        }
    }

    String json() {
        return Json.pretty(tree()) + "\n";
    }

    HttpEndpoint.Health health() {
        ReplicaStatus status = replica.status();
        if (status.millisSinceHeartbeat() > SILENT_CATALOG.toMillis()) {
            return new HttpEndpoint.Health(
                    false, "the catalog has not answered for " + status.millisSinceHeartbeat() + " ms");
        }
        for (PublicationStatus publication : status.publications()) {
            if (publication.state() == PublicationState.FAILED || publication.state() == PublicationState.MISSING) {
                return new HttpEndpoint.Health(
                        false, publication.path() + " is " + publication.state() + ": " + publication.detail());
            }
        }
        return new HttpEndpoint.Health(true, "ok");
    }

    String metrics() {
        ReplicaStatus status = replica.status();
        MetricsText text = new MetricsText()
                .gauge("spigot_healthy", "1 when /health says ok.", health().well() ? 1L : 0L)
                .counter("spigot_data_sent_bytes_total", "Bytes of files sent.", counters.payloadSentBytes())
                .counter(
                        "spigot_data_received_bytes_total", "Bytes of files received.", counters.payloadReceivedBytes())
                .counter("spigot_wire_sent_bytes_total", "All bytes sent by the sockets.", counters.wireSentBytes())
                .counter(
                        "spigot_wire_received_bytes_total",
                        "All bytes received by the sockets.",
                        counters.wireReceivedBytes())
                .gauge("spigot_publications", "Publications of this server.", (long)
                        status.publications().size())
                .gauge(
                        "spigot_published_entries",
                        "Registered names.",
                        status.publications().stream()
                                .mapToLong(PublicationStatus::entries)
                                .sum())
                .gauge("spigot_open_descriptors", "Published files that are open.", (long) status.openDescriptors())
                .gauge("spigot_leases", "Leases on files, of all clients.", status.leases())
                .gauge("spigot_watched_directories", "Directories watched by inotify.", (long)
                        status.watchedDirectories())
                .gauge(
                        "spigot_verification_queue",
                        "Files of further copies that wait to be compared.",
                        status.verificationQueue());
        catalog.ifPresent(
                here -> text.gauge("spigot_catalog_clients", "Computing nodes with a session.", (long) here.clients()));
        return text.process().toString();
    }
}
