package spigot.cache.live;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.coherence.GrantorConfig;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHomeConfig;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.session.BootClock;
import spigot.session.NotCommittedException;
import spigot.session.TokenClient;
import spigot.session.TokenServer;
import spigot.session.TokenSessions;
import spigot.session.TokenStore;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.memory.MemoryLink;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.TokenChange;

/** One file at a home in memory, and nodes that read and write it. */
final class LiveGrid implements LinkHandler, TokenStore, AutoCloseable {
    static final FileId FILE = new FileId(7, 1);
    static final Duration LONG = Duration.ofSeconds(60);

    private static final PeerIdentity HOME =
            new PeerIdentity(new NodeId(0, 999), PeerIdentity.Role.SERVER, "home", "here", "0".repeat(32));

    final AtomicInteger commits = new AtomicInteger();
    final AtomicInteger requests = new AtomicInteger();
    volatile int errno;
    private final TokenServer tokens;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<Node> nodes = new ArrayList<>();
    private byte[] bytes = new byte[0];
    private long modified;
    private Version version = new Version(1, 1);

    LiveGrid(Path directory) throws IOException {
        tokens = new TokenServer(
                "home",
                TokenHomeConfig.of(GrantorConfig.ofLease(2_000)),
                TokenSessions.open(directory.resolve("sessions")),
                this,
                BootClock.system());
    }

    Node node(int number, Path directory) throws IOException {
        return node(number, directory, LiveLimits.DEFAULT);
    }

    Node node(int number, Path directory, LiveLimits limits) throws IOException {
        Node node = new Node(number, directory, limits);
        nodes.add(node);
        return node;
    }

    /** What is committed. */
    byte[] committed() {
        lock.lock();
        try {
            return bytes.clone();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void open(FileId file) {}

    @Override
    public Version version(FileId file) {
        lock.lock();
        try {
            return version;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public CompletableFuture<Stored> commit(FileId file, Range range, TokenChange change) throws IOException {
        if (errno != 0) {
            throw new NotCommittedException("there is no room", errno);
        }
        lock.lock();
        try {
            for (TokenChange.Piece piece : change.getPiecesList()) {
                int end = (int) piece.getOffset() + piece.getData().size();
                bytes = Arrays.copyOf(bytes, Math.max(bytes.length, end));
                piece.getData().copyTo(bytes, (int) piece.getOffset());
            }
            if (change.hasAttributes()) {
                int size = (int) change.getAttributes().getSize();
                bytes = Arrays.copyOf(bytes, change.getExactSize() ? size : Math.max(size, bytes.length));
            }
            modified = change.getModifiedNanos();
            version = version.next();
            commits.incrementAndGet();
            return CompletableFuture.completedFuture(new Stored(version, bytes.length));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void read(FileId file, long offset, int length, Reader reader) throws IOException {
        State state;
        byte[] data;
        lock.lock();
        try {
            state = new State(version, bytes.length, modified, modified);
            data = Arrays.copyOfRange(
                    bytes, (int) Math.min(offset, bytes.length), (int) Math.min(offset + length, bytes.length));
        } finally {
            lock.unlock();
        }
        reader.read(state, ByteBuffer.wrap(data));
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) throws Exception {
        requests.incrementAndGet();
        tokens.request(from, request, responder);
    }

    @Override
    public void message(Link from, Envelope message) {
        tokens.message(from, message);
    }

    @Override
    public void closed(Link link) {
        tokens.linkClosed(link);
    }

    @Override
    public void close() {
        nodes.forEach(Node::close);
        tokens.close();
    }

    /** A node with one open file. */
    final class Node implements LinkHandler {
        final LiveFiles files;
        final TokenClient client;
        final LiveUse.Errors errors = new LiveUse.Errors();
        final AtomicInteger drops = new AtomicInteger();
        private final int number;
        private final Arena arena = Arena.ofShared();
        private @Nullable Link link;
        private boolean closed;

        Node(int number, Path directory, LiveLimits limits) throws IOException {
            this.number = number;
            this.files = LiveFiles.open(directory, limits, (file, range, done) -> {
                drops.incrementAndGet();
                done.run();
            });
            this.client = new TokenClient("home", TokenClient.config(number), BootClock.system(), files);
            connect();
        }

        void connect() {
            PeerIdentity identity = new PeerIdentity(
                    new NodeId(0, number), PeerIdentity.Role.NODE, "node" + number, "there", "0".repeat(32));
            Link made = MemoryLink.pair(identity, this, HOME, LiveGrid.this).left();
            link = made;
            client.linkUp(made);
        }

        /** The process is killed: nothing is told to anybody. */
        void kill() {
            closed = true;
            Link last = link;
            if (last != null) {
                last.close();
            }
        }

        LiveFile file() throws IOException {
            return files.file(FILE, client);
        }

        void write(LiveFile file, long offset, String text) throws IOException, InterruptedException {
            write(file, offset, text.getBytes(StandardCharsets.UTF_8));
        }

        void write(LiveFile file, long offset, byte[] data) throws IOException, InterruptedException {
            LiveUse use = new LiveUse();
            try (Arena memory = Arena.ofConfined()) {
                MemorySegment from = memory.allocate(data.length);
                from.copyFrom(MemorySegment.ofArray(data));
                file.write(offset, from, use, errors, LONG);
            } finally {
                file.exit(use);
            }
        }

        void append(LiveFile file, String text) throws IOException, InterruptedException {
            LiveUse use = new LiveUse();
            byte[] data = text.getBytes(StandardCharsets.UTF_8);
            try (Arena memory = Arena.ofConfined()) {
                MemorySegment from = memory.allocate(data.length);
                from.copyFrom(MemorySegment.ofArray(data));
                file.append(from, use, errors, LONG);
            } finally {
                file.exit(use);
            }
        }

        byte[] bytes(LiveFile file, long offset, int length) throws IOException, InterruptedException {
            LiveUse use = new LiveUse();
            try (Arena memory = Arena.ofConfined()) {
                MemorySegment into = memory.allocate(length);
                int read = file.read(offset, into, Mode.SHARED, use, LONG);
                return into.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE);
            } finally {
                file.exit(use);
            }
        }

        String read(LiveFile file, long offset, int length) throws IOException, InterruptedException {
            return new String(bytes(file, offset, length), StandardCharsets.UTF_8);
        }

        long size(LiveFile file) throws IOException, InterruptedException {
            return file.attributes(LONG).size();
        }

        void truncate(LiveFile file, long size) throws IOException, InterruptedException {
            LiveUse use = new LiveUse();
            file.truncate(size, use, errors, LONG);
        }

        void sync(LiveFile file) throws IOException, InterruptedException {
            file.sync(errors, LONG);
        }

        MemorySegment memory(int length) {
            return arena.allocate(length);
        }

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            client.request(from, request, responder);
        }

        @Override
        public void message(Link from, Envelope message) {
            client.message(from, message);
        }

        @Override
        public void closed(Link gone) {
            client.linkDown(gone);
        }

        void close() {
            if (!closed) {
                closed = true;
                client.close();
                files.close();
                Link last = link;
                if (last != null) {
                    last.close();
                }
            }
        }
    }
}
