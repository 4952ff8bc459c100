package spigot.replica;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.model.LogicalPath;
import spigot.model.RawBytes;
import spigot.model.Replica;
import spigot.model.Version;
import spigot.transport.BlockChecksums;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.Entry;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Grant;
import spigot.transport.wire.ListRequest;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;
import spigot.transport.wire.OpenRequest;
import spigot.transport.wire.ReadRequest;
import spigot.transport.wire.RecordRequest;
import spigot.transport.wire.ReplicasRequest;
import spigot.transport.wire.Want;
import spigot.transport.wire.XattrRequest;

/** Asks catalog and servers as a computing node does, without any cache. */
final class GridReader {
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Link catalog;
    private final Function<TestGrid.TestServer, Link> connect;
    private final Map<TestGrid.TestServer, Link> links = new HashMap<>();

    GridReader(Link catalog, Function<TestGrid.TestServer, Link> connect) {
        this.catalog = catalog;
        this.connect = connect;
    }

    record Opened(FileRecord record, RawBytes data, Grant grant) {
        byte[] first() {
            return data.toArray();
        }
    }

    Link catalog() {
        return catalog;
    }

    Link to(TestGrid.TestServer server) {
        return links.computeIfAbsent(server, connect);
    }

    /** Null when there is no such path. */
    @Nullable
    FileRecord find(String path) throws Exception {
        return find(LogicalPath.parse(path).names());
    }

    @Nullable
    FileRecord find(List<FileName> names) throws Exception {
        FileId at = FileId.ROOT;
        FileRecord record = null;
        for (FileName name : names) {
            LookupReply reply = catalog.call(
                            Envelope.newBuilder()
                                    .setLookupRequest(LookupRequest.newBuilder()
                                            .setDirectory(Messages.bytes(at))
                                            .setName(Messages.bytes(name)))
                                    .build(),
                            PATIENCE)
                    .getLookupReply();
            if (!reply.hasRecord()) {
                return null;
            }
            record = Messages.record(reply.getRecord());
            at = record.id();
        }
        return record;
    }

    FileRecord get(String path) throws Exception {
        FileRecord record = find(path);
        if (record == null) {
            throw new FailureException(Failure.Code.NOT_FOUND, "there is no " + path);
        }
        return record;
    }

    List<FileName> list(String path) throws Exception {
        List<FileName> names = new ArrayList<>();
        Envelope last = catalog.stream(
                Envelope.newBuilder()
                        .setListRequest(ListRequest.newBuilder()
                                .setDirectory(Messages.bytes(get(path).id())))
                        .build(),
                PATIENCE,
                part -> part.getListPart().getEntriesList().forEach(entry -> names.add(name(entry))));
        last.getListPart().getEntriesList().forEach(entry -> names.add(name(entry)));
        return names;
    }

    private static FileName name(Entry entry) {
        return FileName.of(entry.getName().toByteArray());
    }

    List<Replica> replicas(FileId id) throws Exception {
        List<Replica> replicas = new ArrayList<>();
        for (var replica : catalog.call(
                        Envelope.newBuilder()
                                .setReplicasRequest(ReplicasRequest.newBuilder().setId(Messages.bytes(id)))
                                .build(),
                        PATIENCE)
                .getReplicasReply()
                .getReplicasList()) {
            replicas.add(Messages.replica(replica));
        }
        return replicas;
    }

    /** The record, after the catalog has given the file another home if the old one is dead. */
    FileRecord locate(FileId id) throws Exception {
        return Messages.record(catalog.call(
                        Envelope.newBuilder()
                                .setRecordRequest(RecordRequest.newBuilder()
                                        .setId(Messages.bytes(id))
                                        .setLocate(true))
                                .build(),
                        PATIENCE)
                .getRecordReply()
                .getRecord());
    }

    Opened open(TestGrid.TestServer server, FileId id, int firstLength) throws Exception {
        return open(server, id, firstLength, Want.getDefaultInstance());
    }

    Opened open(TestGrid.TestServer server, FileId id, int firstLength, Want want) throws Exception {
        OpenRequest.Builder request =
                OpenRequest.newBuilder().setId(Messages.bytes(id)).setFirstLength(firstLength);
        if (want.getSession() != 0) {
            request.setWant(want);
        }
        ByteBuffer payload = ByteBuffer.allocate(Math.max(firstLength, 1));
        Envelope reply =
                to(server).fetch(Envelope.newBuilder().setOpenRequest(request).build(), payload, PATIENCE, null);
        return new Opened(
                Messages.record(reply.getOpenReply().getRecord()),
                RawBytes.copyOf(data(reply.getOpenReply().getFirst(), payload.flip())),
                reply.getOpenReply().getGrant());
    }

    byte[] read(TestGrid.TestServer server, FileId id, Version version, long offset, int length) throws Exception {
        ByteBuffer payload = ByteBuffer.allocate(Math.max(1, length));
        Envelope reply = to(server)
                .fetch(
                        Envelope.newBuilder()
                                .setReadRequest(ReadRequest.newBuilder()
                                        .setId(Messages.bytes(id))
                                        .setVersion(Messages.wire(version))
                                        .setOffset(offset)
                                        .setLength(length))
                                .build(),
                        payload,
                        PATIENCE,
                        null);
        return data(reply.getReadReply().getBlocks(), payload.flip());
    }

    byte[] readAll(TestGrid.TestServer server, FileRecord record) throws Exception {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        long size = record.attributes().size();
        for (long offset = 0; offset < size; offset += 1 << 20) {
            all.writeBytes(
                    read(server, record.id(), record.version(), offset, (int) Math.min(1 << 20, size - offset + 4095)));
        }
        return all.toByteArray();
    }

    String text(TestGrid.TestServer server, String path) throws Exception {
        FileRecord record = open(server, get(path).id(), 0).record();
        return new String(readAll(server, record), StandardCharsets.UTF_8);
    }

    byte[] xattr(TestGrid.TestServer server, FileId id, String name) throws Exception {
        return to(server)
                .call(
                        Envelope.newBuilder()
                                .setXattrRequest(XattrRequest.newBuilder()
                                        .setId(Messages.bytes(id))
                                        .setName(com.google.protobuf.ByteString.copyFromUtf8(name)))
                                .build(),
                        PATIENCE)
                .getXattrReply()
                .getValue()
                .toByteArray();
    }

    private static byte[] data(Blocks blocks, ByteBuffer payload) throws Exception {
        BlockChecksums.verify(blocks, payload);
        byte[] bytes = new byte[blocks.getLength()];
        if (!blocks.getZero()) {
            payload.get(bytes);
        }
        return bytes;
    }
}
