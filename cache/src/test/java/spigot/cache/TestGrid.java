package spigot.cache;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import spigot.catalog.client.Located;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileRecord;
import spigot.model.NodeId;
import spigot.model.RawBytes;
import spigot.model.Replica;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.session.BootClock;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.memory.MemoryLink;
import spigot.transport.wire.Failure;

/** Servers, what the catalog would say of their files, and clients over links in memory. */
final class TestGrid implements AutoCloseable {
    final List<TestServer> servers = new ArrayList<>();
    final Map<FileId, FileRecord> records = new ConcurrentHashMap<>();
    final AtomicInteger locates = new AtomicInteger();
    volatile boolean catalogIsSilent;

    /** What was told to the kernel's side; it answers at once. */
    final List<FileId> changed = new CopyOnWriteArrayList<>();

    /** The server that becomes home of all files when one is to be nominated. */
    volatile @Nullable TestServer nominee;

    private final List<FileClient> clients = new ArrayList<>();
    private final Arena arena = Arena.ofShared();
    private long files;

    TestServer server() {
        TestServer server = new TestServer(servers.size() + 1);
        servers.add(server);
        return server;
    }

    /** A file whose home is the first of these; the others have verified copies. */
    FileRecord file(TestContent content, TestServer... at) {
        FileRecord record = record(new FileId(0x5000L << 48, ++files), content, 1, at[0].id);
        records.put(record.id(), record);
        for (TestServer server : at) {
            server.serve(record, content);
        }
        return record;
    }

    FileRecord changed(FileRecord old, TestContent content) {
        FileRecord record = record(old.id(), content, old.version().index() + 1, old.home());
        records.put(record.id(), record);
        return record;
    }

    FileRecord withXattrs(FileRecord old, TestServer at) {
        return attributes(old, at, old.attributes().allocatedBytes(), XattrKinds.NOT_KNOWN_WHICH);
    }

    FileRecord sparse(FileRecord old, TestServer at) {
        return attributes(old, at, 0, XattrKinds.NONE);
    }

    private FileRecord attributes(FileRecord old, TestServer at, long allocated, XattrKinds xattrs) {
        Attributes a = old.attributes();
        Attributes changed = new Attributes(a.kind(), a.mode(), 0, 0, a.size(), allocated, 1, 2, 2, 0, 0, 0, xattrs);
        FileRecord record = new FileRecord(
                old.id(),
                changed,
                old.version().next(),
                old.fragmentBytes(),
                old.home(),
                old.homeEpoch(),
                RawBytes.EMPTY,
                true);
        records.put(record.id(), record);
        at.serve(record, at.served(record.id()).content());
        return record;
    }

    private static FileRecord record(FileId id, TestContent content, long version, NodeId home) {
        Attributes attributes = new Attributes(
                FileKind.REGULAR,
                0644,
                0,
                0,
                content.size(),
                content.size(),
                1,
                version,
                version,
                0,
                0,
                0,
                XattrKinds.NONE);
        return new FileRecord(id, attributes, new Version(1, version), 1 << 20, home, 1, RawBytes.EMPTY, true);
    }

    Located locate(FileId file, boolean nominate) throws IOException, InterruptedException {
        locates.incrementAndGet();
        if (catalogIsSilent) {
            Thread.sleep(Duration.ofMinutes(1)); // as a client with so much patience; it can be interrupted
            throw new IOException("the catalog is silent");
        }
        FileRecord record = records.get(file);
        if (record == null) {
            throw new FailureException(Failure.Code.NOT_FOUND, "the catalog knows no such file");
        }
        TestServer next = nominee;
        if (nominate && next != null && !record.home().equals(next.id)) {
            record = new FileRecord(
                    file,
                    record.attributes(),
                    record.version(),
                    record.fragmentBytes(),
                    next.id,
                    record.homeEpoch() + 1,
                    record.symlinkTarget(),
                    true);
            records.put(file, record);
            next.serve(record, next.served(file).content());
        }
        List<Replica> replicas = new ArrayList<>();
        for (TestServer server : servers) {
            if (server.files.containsKey(file)) {
                boolean home = server.id.equals(record.home());
                ReplicaState state = home ? ReplicaState.HOME : ReplicaState.VERIFIED;
                Replica replica = new Replica(
                        server.id,
                        server.address,
                        "here",
                        server.address,
                        state,
                        record.attributes().size(),
                        record.version(),
                        "");
                replicas.add(home ? 0 : replicas.size(), replica);
            }
        }
        return new Located(record, replicas);
    }

    FileClient client() throws IOException {
        return client(CacheConfig.inMemory()
                .withMemoryBytes(64 << 20)
                .withOnUnreachable(OnUnreachable.FAIL, Duration.ofSeconds(20)));
    }

    FileClient client(CacheConfig config) throws IOException {
        return client(config, (file, done) -> {
            changed.add(file);
            done.run();
        });
    }

    FileClient client(CacheConfig config, DataListener listener) throws IOException {
        FileClient client =
                FileClient.start(config, this::peer, this::locate, listener, clients.size() + 1, BootClock.system());
        clients.add(client);
        return client;
    }

    private Peer peer(String address, LinkHandler handler) {
        TestServer server = servers.stream()
                .filter(s -> s.address.equals(address))
                .findFirst()
                .orElseThrow();
        PeerIdentity node =
                new PeerIdentity(new NodeId(88, 1), PeerIdentity.Role.NODE, "node", "there", "0".repeat(32));
        return new Peer() {
            private @Nullable Link link;

            @Override
            public String address() {
                return address;
            }

            @Override
            public synchronized Link link(Duration patience) throws LinkBrokenException {
                if (server.refuses) {
                    throw new LinkBrokenException("can't connect to " + address + ": refused");
                }
                if (link == null || !link.isOpen()) {
                    link = MemoryLink.pair(node, handler, server.identity(), server)
                            .left();
                }
                return link;
            }

            @Override
            public synchronized void close() {
                if (link != null) {
                    link.close();
                }
            }
        };
    }

    /** Whether nothing more comes from a server, as far as two looks tell. */
    boolean isQuiet(TestServer server) {
        long sent = server.sentBytes.get();
        boolean quiet = server.pending() == 0 && sent == lastSent;
        lastSent = sent;
        return quiet;
    }

    private long lastSent = -1;

    MemorySegment memory(int length) {
        return arena.allocate(length);
    }

    byte[] read(OpenFile file, long offset, int length) throws IOException, InterruptedException {
        MemorySegment to = memory(length);
        int got = file.read(offset, to);
        return to.asSlice(0, got).toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public void close() {
        clients.forEach(FileClient::close);
        servers.forEach(TestServer::close);
        arena.close();
    }
}
