package spigot.node.mount;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import spigot.cache.ByteRange;
import spigot.cache.FileClient;
import spigot.catalog.client.CatalogClient;
import spigot.linux.Errno;
import spigot.linux.Processes;
import spigot.model.FileKind;
import spigot.model.FileRecord;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.mount.MountedGrid;
import spigot.node.Json;
import spigot.node.NodeException;
import spigot.node.control.ControlHandler;

/**
 * The verbs of local users that a mount carries out. Safe for any thread; those that ask servers end after ten
 * seconds; only warming up waits as long as the mount's policy says.
 */
final class MountVerbs {
    private static final int SHOWN_RANGES = 10_000;
    private static final int UNMOUNT_SECONDS = 20;
    private static final int QUESTION_SECONDS = 10;

    private final MountStatus status;
    private final CatalogClient catalog;
    private final FileClient files;
    private final MountedGrid mounted;
    private final PathLookup lookup;
    private final Runnable end;

    MountVerbs(MountStatus status, CatalogClient catalog, FileClient files, MountedGrid mounted, Runnable end) {
        this.status = status;
        this.catalog = catalog;
        this.files = files;
        this.mounted = mounted;
        this.lookup = new PathLookup(catalog);
        this.end = end;
    }

    Map<String, ControlHandler> handlers() {
        Warmup warmup = new Warmup(catalog, files, lookup);
        return Map.of(
                "status", (request, progress) -> status.tree(),
                "stats", (request, progress) -> status.stats(),
                "info", (request, progress) -> bounded(request, this::info),
                "replicas", (request, progress) -> bounded(request, this::replicas),
                "warmup", warmup::run,
                "unmount", (request, progress) -> unmount(request));
    }

    @FunctionalInterface
    private interface Question {
        JsonNode ask(ObjectNode request) throws NodeException, IOException, InterruptedException;
    }

    /** A question about a path is answered soon or not at all, also where a read would wait for ever. */
    private JsonNode bounded(ObjectNode request, Question question)
            throws NodeException, IOException, InterruptedException {
        FutureTask<JsonNode> answer = new FutureTask<>(() -> question.ask(request));
        Thread asking = Thread.ofVirtual().name("question").start(answer);
        try {
            return answer.get(QUESTION_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new NodeException(
                    "the catalog has not answered for " + QUESTION_SECONDS + " s about "
                            + request.path("path").asText() + ": 'spigot status " + mounted.mountPoint()
                            + "' tells whether it can be reached",
                    e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case NodeException known -> throw known;
                case IOException known -> throw known;
                case RuntimeException fault -> throw fault;
                case null, default -> throw new IllegalStateException(e);
            }
        } finally {
            asking.interrupt();
        }
    }

    private JsonNode info(ObjectNode request) throws NodeException, IOException, InterruptedException {
        String path = request.path("path").asText();
        FileRecord file = lookup.find(path);
        ObjectNode json = Json.object()
                .put("path", path)
                .put("id", file.id().toString())
                .put("inode", file.id().inode())
                .put("kind", file.attributes().kind().name())
                .put("size", file.attributes().size())
                .put("version", file.version().toString())
                .put("read_only", file.readOnly());
        if (file.attributes().kind() != FileKind.REGULAR) {
            return json;
        }
        json.put("fragment_size", file.fragmentBytes()).put("home", file.home().toString());
        List<Replica> replicas = catalog.replicas(file.id());
        replicas.stream()
                .filter(replica -> replica.server().equals(file.home()))
                .findFirst()
                .ifPresent(home -> json.put("home_server", home.serverName()).put("home_site", home.site()));
        json.put("pinned", files.isPinned(file.id()));
        List<ByteRange> ranges = files.cachedRanges(file);
        json.put("cached_bytes", ranges.stream().mapToLong(ByteRange::length).sum());
        addReplicas(json.putArray("replicas"), replicas);
        ArrayNode cached = json.putArray("cached_ranges");
        for (ByteRange range : ranges.subList(0, Math.min(SHOWN_RANGES, ranges.size()))) {
            cached.addObject().put("offset", range.offset()).put("length", range.length());
        }
        return json;
    }

    private JsonNode replicas(ObjectNode request) throws NodeException, IOException, InterruptedException {
        String path = request.path("path").asText();
        FileRecord file = lookup.find(path);
        if (file.attributes().kind() == FileKind.DIRECTORY) {
            throw new NodeException(path + " is a directory: replicas are of files");
        }
        ObjectNode json = Json.object()
                .put("path", path)
                .put("id", file.id().toString())
                .put("size", file.attributes().size());
        addReplicas(json.putArray("replicas"), catalog.replicas(file.id()));
        return json;
    }

    private static void addReplicas(ArrayNode list, List<Replica> replicas) {
        for (Replica replica : replicas) {
            list.addObject()
                    .put("server", replica.serverName())
                    .put("site", replica.site())
                    .put("state", replica.state().name())
                    .put("used", replica.state() == ReplicaState.HOME || replica.state() == ReplicaState.VERIFIED)
                    .put("address", replica.address())
                    .put("size", replica.size())
                    .put("detail", replica.detail());
        }
    }

    /** Takes the mount away; the process ends after the answer. Unless lazy, only when nobody uses it. */
    private JsonNode unmount(ObjectNode request) throws NodeException, IOException, InterruptedException {
        if (request.path("lazy").asBoolean()) {
            mounted.unmount();
        } else {
            unmountUnlessUsed(mounted.mountPoint().toString());
        }
        Thread.ofVirtual().name("end").start(end);
        return Json.object();
    }

    private static void unmountUnlessUsed(String path) throws NodeException, IOException, InterruptedException {
        int result = Processes.unmount(path, Processes.UMOUNT_NOFOLLOW);
        if (result == -Errno.EPERM) {
            Process helper = new ProcessBuilder("fusermount3", "-u", "--", path)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            boolean ended = helper.waitFor(UNMOUNT_SECONDS, TimeUnit.SECONDS);
            helper.destroyForcibly();
            result = ended && helper.exitValue() == 0 ? 0 : -Errno.EBUSY;
        }
        if (result == -Errno.EBUSY) {
            throw new NodeException(path + " is in use: end the programs that use it (fuser -vm " + path
                    + " lists them), or unmount it with --lazy");
        }
        if (result < 0 && result != -Errno.EINVAL) {
            throw new NodeException(path + " can't be unmounted: " + Errno.describe(-result));
        }
    }
}
