package spigot.mount;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import spigot.fuse.GetxattrRequest;
import spigot.fuse.ListxattrRequest;
import spigot.linux.Errno;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Replica;

/** Extended attributes: the file's own, and those that tell what Spigot knows of it ({@link VirtualAttribute}). */
final class XattrOperations {
    private final MountState state;
    private final FileXattrs own;

    XattrOperations(MountState state) {
        this.state = state;
        own = new FileXattrs(state.files, state.limits.xattrBytes());
    }

    void getxattr(GetxattrRequest request) throws IOException {
        long start = System.nanoTime();
        long node = request.nodeId();
        FileId file = state.records.file(node);
        byte[] name = request.name().bytes();
        if (FileXattrs.isForeignLabel(RawBytes.copyOf(name))) {
            // As a file system without labels says it, and without a look at the file: ls(1) then does not ask for
            // those of the other files.
            request.replyError(Errno.EOPNOTSUPP);
            state.statistics.done(Operation.GETXATTR, start);
            return;
        }
        FileRecord cached = state.records.cached(node, file);
        if (cached != null && answerAtOnce(request, node, cached, name)) {
            state.statistics.done(Operation.GETXATTR, start);
            return;
        }
        state.later(Operation.GETXATTR, start, request, file, detached -> {
            FileRecord record = state.records.record(node, file);
            if (answerAtOnce(detached, node, record, name)) {
                return;
            }
            Optional<byte[]> value = VirtualAttribute.named(name) == VirtualAttribute.REPLICAS
                    ? Optional.of(replicas(file))
                    : own.value(record, RawBytes.copyOf(name)).bytes().map(RawBytes::toArray);
            reply(detached, value);
        });
    }

    /** @return false when somebody has to be asked */
    private boolean answerAtOnce(GetxattrRequest request, long node, FileRecord record, byte[] name) {
        VirtualAttribute virtual = VirtualAttribute.named(name);
        if (virtual == VirtualAttribute.REPLICAS && record.attributes().isRegular()) {
            return false;
        }
        if (virtual != null) {
            reply(request, virtualValue(virtual, node, record).map(text -> text.getBytes(StandardCharsets.UTF_8)));
            return true;
        }
        FileXattrs.Value value = VirtualAttribute.isReserved(name)
                ? FileXattrs.Value.NONE
                : own.cachedValue(record, RawBytes.copyOf(name));
        if (value == null) {
            return false;
        }
        reply(request, value.bytes().map(RawBytes::toArray));
        return true;
    }

    private static void reply(GetxattrRequest request, Optional<byte[]> value) {
        if (value.isPresent()) {
            request.reply(value.get());
        } else {
            request.replyError(Errno.ENODATA);
        }
    }

    private Optional<String> virtualValue(VirtualAttribute attribute, long node, FileRecord catalog) {
        FileRecord record = NodeRecords.newer(catalog, state.open.seenByHome(catalog.id()));
        return switch (attribute) {
            case FILE_ID -> Optional.of(record.id().toString());
            case VERSION -> Optional.of(record.version().toString());
            case HOME ->
                record.home().equals(NodeId.NONE)
                        ? Optional.empty()
                        : Optional.of(record.home().toString());
            case STALE -> Optional.of(state.catalog.isStale(state.records.covering(node)) ? "1" : "0");
            case ERROR -> state.errors.of(record.id());
            case REPLICAS -> Optional.empty();
        };
    }

    private byte[] replicas(FileId file) throws IOException, InterruptedException {
        StringBuilder lines = new StringBuilder();
        for (Replica replica : state.catalog.replicas(file)) {
            lines.append(replica.serverName())
                    .append('\t')
                    .append(replica.site())
                    .append('\t')
                    .append(replica.state())
                    .append('\n');
        }
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    void listxattr(ListxattrRequest request) throws IOException {
        long start = System.nanoTime();
        long node = request.nodeId();
        FileId file = state.records.file(node);
        FileRecord cached = state.records.cached(node, file);
        List<RawBytes> known = cached == null ? null : own.cachedNames(cached);
        if (known != null) {
            request.reply(joined(known));
            state.statistics.done(Operation.LISTXATTR, start);
            return;
        }
        state.later(Operation.LISTXATTR, start, request, file, detached -> {
            FileRecord record = state.records.record(node, file);
            detached.reply(joined(own.names(record)));
        });
    }

    private static byte[] joined(List<RawBytes> names) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (RawBytes name : names) {
            if (!VirtualAttribute.isReserved(name.toArray()) && !FileXattrs.isForeignLabel(name)) {
                all.writeBytes(name.toArray());
                all.write(0);
            }
        }
        return all.toByteArray();
    }
}
