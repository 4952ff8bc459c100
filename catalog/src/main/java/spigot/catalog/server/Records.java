package spigot.catalog.server;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import spigot.catalog.server.state.Inode;
import spigot.catalog.server.state.PublicationEntry;
import spigot.catalog.server.state.ReplicaEntry;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Kind;
import spigot.transport.wire.ServerInfo;

/** The rows of one transaction as objects, with the counters that go with them. For one thread. */
final class Records {
    static final String FILES = "files";
    static final String DIRECTORIES = "directories";
    static final String BYTES = "bytes";
    private static final String FILES_OF = "files of ";

    /** One name of a file. */
    static final class Name {
        private final FileId directory;
        private final byte[] name;
        private final List<NodeId> publishers;

        Name(FileId directory, byte[] name, List<NodeId> publishers) {
            this.directory = directory;
            this.name = name;
            this.publishers = publishers;
        }

        FileId directory() {
            return directory;
        }

        byte[] name() {
            return name;
        }

        List<NodeId> publishers() {
            return publishers;
        }
    }

    /** One server's copy of a file. */
    record Copy(NodeId server, ReplicaEntry entry) {}

    private final Transaction rows;
    private final Map<String, Long> counted = new HashMap<>();
    private byte @Nullable [] lastParsed;
    private Inode lastInode = Inode.getDefaultInstance();

    Records(Transaction rows) {
        this.rows = rows;
    }

    // ---- inodes

    @Nullable
    Inode inode(FileId id) throws IOException {
        byte[] value = rows.get(Table.INODES, Keys.file(id));
        if (value == null) {
            return null;
        }
        // The directory of one entry is most often the directory of the next.
        if (!Arrays.equals(value, lastParsed)) {
            lastInode = parseInode(value);
            lastParsed = value;
        }
        return lastInode;
    }

    /** @throws FailureException NOT_FOUND when there is no such file */
    Inode existing(FileId id) throws IOException {
        Inode inode = inode(id);
        if (inode == null) {
            throw new FailureException(Failure.Code.NOT_FOUND, "there is no file " + id);
        }
        return inode;
    }

    void put(FileId id, Inode inode) throws IOException {
        Inode before = inode(id);
        if (before != null) {
            count(before, -1);
        }
        count(inode, 1);
        rows.put(Table.INODES, Keys.file(id), inode.toByteArray());
    }

    /** A file that is new, with its first name and copy. */
    void insert(FileId id, Inode inode, FileId directory, byte[] name, NodeId server, ReplicaEntry copy)
            throws IOException {
        count(inode, 1);
        add(FILES_OF + server, 1);
        rows.insert(Table.INODES, Keys.file(id), inode.toByteArray());
        rows.put(Table.ENTRIES, Keys.entry(directory, name), id.bytes());
        rows.insert(Table.NAMES, Keys.name(id, directory, name), server.bytes());
        rows.insert(Table.REPLICAS, Keys.replica(id, server), copy.toByteArray());
        rows.insert(
                Table.SERVED,
                Keys.served(server, FileId.of(copy.getPublication().toByteArray()), id),
                new byte[0]);
    }

    void delete(FileId id) throws IOException {
        Inode before = inode(id);
        if (before != null) {
            count(before, -1);
            rows.delete(Table.INODES, Keys.file(id));
        }
    }

    private void count(Inode inode, int sign) {
        if (isDirectory(inode)) {
            add(DIRECTORIES, sign);
        } else {
            add(FILES, sign);
            if (inode.getRecord().getAttributes().getKind() == Kind.REGULAR) {
                add(BYTES, sign * inode.getRecord().getAttributes().getSize());
            }
        }
    }

    static boolean isDirectory(Inode inode) {
        return inode.getRecord().getAttributes().getKind() == Kind.DIRECTORY;
    }

    static Inode parseInode(byte[] value) throws IOException {
        try {
            return Inode.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("the catalog's table of inodes is damaged", e);
        }
    }

    static FileRecord record(byte[] inode) throws IOException {
        return parseInode(inode).getRecord();
    }

    // ---- names

    @Nullable
    FileId child(FileId directory, byte[] name) throws IOException {
        byte[] id = rows.get(Table.ENTRIES, Keys.entry(directory, name));
        return id == null ? null : FileId.of(id);
    }

    boolean isEmpty(FileId directory) throws IOException {
        boolean[] empty = {true};
        rows.scan(Table.ENTRIES, directory.bytes(), (_, _) -> {
            empty[0] = false;
            return false;
        });
        return empty[0];
    }

    List<NodeId> publishers(FileId id, FileId directory, byte[] name) throws IOException {
        byte[] value = rows.get(Table.NAMES, Keys.name(id, directory, name));
        return value == null ? List.of() : servers(value);
    }

    void putName(FileId id, FileId directory, byte[] name, List<NodeId> publishers) throws IOException {
        rows.put(Table.ENTRIES, Keys.entry(directory, name), id.bytes());
        byte[][] servers = publishers.stream().sorted().map(NodeId::bytes).toArray(byte[][]::new);
        rows.put(Table.NAMES, Keys.name(id, directory, name), Keys.join(servers));
    }

    void deleteName(FileId id, FileId directory, byte[] name) throws IOException {
        rows.delete(Table.ENTRIES, Keys.entry(directory, name));
        rows.delete(Table.NAMES, Keys.name(id, directory, name));
    }

    List<Name> names(FileId id) throws IOException {
        List<Name> names = new ArrayList<>();
        rows.scan(
                Table.NAMES,
                id.bytes(),
                (key, value) ->
                        names.add(new Name(Keys.fileAt(key, Keys.ID), Keys.from(key, 2 * Keys.ID), servers(value))));
        return names;
    }

    private static List<NodeId> servers(byte[] value) {
        List<NodeId> servers = new ArrayList<>(value.length / Keys.ID);
        for (int at = 0; at < value.length; at += Keys.ID) {
            servers.add(Keys.nodeAt(value, at));
        }
        return servers;
    }

    // ---- copies

    @Nullable
    ReplicaEntry replica(FileId id, NodeId server) throws IOException {
        byte[] value = rows.get(Table.REPLICAS, Keys.replica(id, server));
        return value == null ? null : parseReplica(value);
    }

    void putReplica(FileId id, NodeId server, ReplicaEntry entry) throws IOException {
        if (replica(id, server) == null) {
            add(FILES_OF + server, 1);
            rows.put(
                    Table.SERVED,
                    Keys.served(server, FileId.of(entry.getPublication().toByteArray()), id),
                    new byte[0]);
        }
        rows.put(Table.REPLICAS, Keys.replica(id, server), entry.toByteArray());
    }

    void deleteReplica(FileId id, NodeId server) throws IOException {
        ReplicaEntry entry = replica(id, server);
        if (entry != null) {
            add(FILES_OF + server, -1);
            rows.delete(
                    Table.SERVED,
                    Keys.served(server, FileId.of(entry.getPublication().toByteArray()), id));
            rows.delete(Table.REPLICAS, Keys.replica(id, server));
        }
    }

    List<Copy> copies(FileId id) throws IOException {
        return copies(rows, id);
    }

    static List<Copy> copies(View view, FileId id) throws IOException {
        List<Copy> copies = new ArrayList<>();
        view.scan(
                Table.REPLICAS,
                id.bytes(),
                (key, value) -> copies.add(new Copy(Keys.nodeAt(key, Keys.ID), parseReplica(value))));
        return copies;
    }

    static ReplicaEntry parseReplica(byte[] value) throws IOException {
        try {
            return ReplicaEntry.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("the catalog's table of replicas is damaged", e);
        }
    }

    // ---- servers

    @Nullable
    ServerInfo server(NodeId id) throws IOException {
        return server(rows, id);
    }

    static @Nullable ServerInfo server(View view, NodeId id) throws IOException {
        byte[] value = view.get(Table.SERVERS, id.bytes());
        return value == null ? null : parseServer(value);
    }

    static List<ServerInfo> servers(View view) throws IOException {
        List<ServerInfo> servers = new ArrayList<>();
        view.scan(Table.SERVERS, new byte[0], (_, value) -> servers.add(parseServer(value)));
        return servers;
    }

    /** For messages: its name, or its id when it has none. */
    String serverName(NodeId id) throws IOException {
        ServerInfo server = server(id);
        return server == null || server.getName().isEmpty() ? "server " + id : "server '" + server.getName() + "'";
    }

    void putServer(NodeId id, ServerInfo info) throws IOException {
        rows.put(Table.SERVERS, id.bytes(), info.toByteArray());
    }

    private static ServerInfo parseServer(byte[] value) throws IOException {
        try {
            return ServerInfo.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("the catalog's table of servers is damaged", e);
        }
    }

    // ---- publications

    @Nullable
    PublicationEntry publication(NodeId server, FileId root) throws IOException {
        byte[] value = rows.get(Table.PUBLICATIONS, Keys.publication(server, root));
        try {
            return value == null ? null : PublicationEntry.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("the catalog's table of publications is damaged", e);
        }
    }

    void putPublication(NodeId server, FileId root, PublicationEntry entry) throws IOException {
        rows.put(Table.PUBLICATIONS, Keys.publication(server, root), entry.toByteArray());
    }

    void deletePublication(NodeId server, FileId root) throws IOException {
        rows.delete(Table.PUBLICATIONS, Keys.publication(server, root));
    }

    // ---- numbers

    static long filesOf(View view, NodeId server) throws IOException {
        return number(view, FILES_OF + server);
    }

    static long number(View view, String name) throws IOException {
        return Keys.number(view.get(Table.METADATA, Keys.metadata(name)));
    }

    long number(String name) throws IOException {
        return number(rows, name);
    }

    void putNumber(String name, long value) throws IOException {
        rows.put(Table.METADATA, Keys.metadata(name), Keys.number(value));
    }

    private void add(String name, long more) {
        counted.merge(name, more, Long::sum);
    }

    /** Writes down what was counted; to be called when all else is done. */
    void writeCounts() throws IOException {
        for (Map.Entry<String, Long> count : counted.entrySet()) {
            putNumber(count.getKey(), number(count.getKey()) + count.getValue());
        }
        counted.clear();
    }
}
