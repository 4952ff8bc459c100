package spigot.node.mount;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import spigot.cache.CacheStatistics;
import spigot.cache.FileClient;
import spigot.cache.SourceStatus;
import spigot.catalog.client.CatalogClient;
import spigot.catalog.client.Grid;
import spigot.mount.MountStatistics;
import spigot.mount.MountedGrid;
import spigot.node.Json;
import spigot.node.RemoteGrid;
import spigot.node.http.ProcessFigures;
import spigot.transport.TransportCounters;
import spigot.transport.identity.Identity;

/** What a mount says of itself. Never asks a server: answers at once, whatever the grid does. Safe for any thread. */
final class MountStatus {
    private final MountConfiguration configuration;
    private final Identity identity;
    private final Path cache;
    private final CatalogClient catalog;
    private final FileClient files;
    private final MountedGrid mounted;
    private final TransportCounters counters;

    MountStatus(
            MountConfiguration configuration,
            Identity identity,
            Path cache,
            CatalogClient catalog,
            FileClient files,
            MountedGrid mounted,
            TransportCounters counters) {
        this.configuration = configuration;
        this.identity = identity;
        this.cache = cache;
        this.catalog = catalog;
        this.files = files;
        this.mounted = mounted;
        this.counters = counters;
    }

    ObjectNode tree() {
        CacheStatistics statistics = files.statistics();
        boolean reached = catalog.isConnected();
        ObjectNode json = Json.object()
                .put("mount_point", configuration.mountPoint())
                .put("pid", ProcessHandle.current().pid())
                .put("grid", identity.self().grid())
                .put("node", identity.self().id().toString())
                .put("site", identity.self().site())
                .put("address", configuration.server().toString())
                .put("names", reached ? "current" : "stale: the catalog can't be reached")
                .put("catalog_reachable", reached)
                .put("on_unreachable", configuration.onUnreachable().name().toLowerCase(Locale.ROOT))
                .put("timeout_millis", configuration.timeout().toMillis())
                .put("memory_bytes_budget", configuration.memoryBytes())
                .put("memory_bytes_now", statistics.memoryBytes())
                .put("cache", cache.toString())
                .put("cache_bytes_budget", statistics.diskBudgetBytes())
                .put("cache_bytes_now", statistics.diskBytes())
                .put("certificate_expires", identity.expires().toString());
        ArrayNode sources = json.putArray("sources");
        for (SourceStatus source : files.sources()) {
            sources.addObject()
                    .put("address", source.address())
                    .put("available", source.available())
                    .put("bytes_per_second", source.bytesPerSecond())
                    .put("first_byte_micros", source.firstByteMicros())
                    .put("bytes_received", source.bytesReceived())
                    .put("failures", source.failures());
        }
        Grid grid = catalog.cachedGrid();
        if (grid != null) {
            json.set("grid_as_last_seen", RemoteGrid.describe(grid));
        }
        return json;
    }

    ObjectNode stats() {
        CacheStatistics cached = files.statistics();
        MountedGrid.Status status = mounted.status();
        ProcessFigures process = ProcessFigures.now();
        ObjectNode json = Json.object()
                .put("data_bytes_received", cached.dataBytesReceived())
                .put("data_bytes_sent", counters.payloadSentBytes())
                .put("wire_bytes_received", counters.wireReceivedBytes())
                .put("wire_bytes_sent", counters.wireSentBytes())
                .put("fragment_fetches", cached.fragmentFetches())
                .put("cache_hits", cached.cacheHits())
                .put("cache_misses", cached.cacheMisses())
                .put("disk_hits", cached.diskHits())
                .put("demand_wait_millis", cached.demandWaitMillis())
                .put("metadata_requests", catalog.requests() + cached.openRequests())
                .put("open_requests", cached.openRequests())
                .put("read_bytes", status.operations().readBytes())
                .put("evictions", cached.evictions())
                .put("disk_evictions", cached.diskEvictions())
                .put("prefetched_bytes", cached.prefetchedBytes())
                .put("prefetched_unused_bytes", cached.prefetchUnusedBytes())
                .put("corrupt_blocks_received", cached.corruptBlocksReceived())
                .put("corrupt_blocks_on_disk", cached.corruptBlocksOnDisk())
                .put("source_switches", cached.sourceSwitches())
                .put("changed_files", status.operations().changedFiles())
                .put("dropped_directories", status.operations().droppedDirectories())
                .put("fuse_notifications", status.fuse().notifications())
                .put("fuse_malformed", status.fuse().malformed())
                .put("memory_bytes_now", cached.memoryBytes())
                .put("memory_bytes_budget", cached.memoryBudgetBytes())
                .put("disk_bytes_now", cached.diskBytes())
                .put("disk_bytes_budget", cached.diskBudgetBytes())
                .put("leased_files_now", cached.leasedFiles())
                .put("open_files_now", cached.openFiles())
                .put("inodes_now", status.nodes())
                .put("waiting_requests_now", status.fuse().detached())
                .put("rss_bytes", process.residentBytes())
                .put("rss_peak_bytes", process.peakResidentBytes())
                .put("heap_bytes_now", process.heapUsedBytes())
                .put("threads_now", process.threads());
        ObjectNode operations = json.putObject("operations");
        status.operations().operations().entrySet().stream()
                .filter(entry -> entry.getValue().count() > 0)
                .sorted(Map.Entry.comparingByKey())
                .forEach(entry -> operation(
                        operations.putObject(entry.getKey().name().toLowerCase(Locale.ROOT)), entry.getValue()));
        return json;
    }

    private static void operation(ObjectNode json, MountStatistics.Count count) {
        json.put("count", count.count())
                .put("errors", count.errors())
                .put("handed_over", count.handedOver())
                .put("mean_micros", count.totalNanos() / Math.max(1, count.count()) / 1000)
                .put("median_micros", count.medianNanos() / 1000)
                .put("percentile_99_micros", count.percentile99Nanos() / 1000);
    }
}
