package spigot.session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHomeConfig;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.TokenChange;

/** A home whose files are in memory; they outlive its lives, which follow each other by {@link #restart}. */
final class TestTokenHome implements LinkHandler, AutoCloseable {
    private static final int MOST = 4 << 20;

    private static final class Content {
        byte[] bytes = new byte[0];
        long modified;
        Version version = Version.NONE;
    }

    final AtomicInteger commits = new AtomicInteger();
    final AtomicInteger acquires = new AtomicInteger();

    /** When not 0, commits are refused with this error number. */
    volatile int errno;

    private final Path sessions;
    private final TokenHomeConfig config;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<FileId, Content> files = new HashMap<>();

    /** What is durable is told by a thread of its own, as a log does. */
    private final ExecutorService disk = Executors.newSingleThreadExecutor();

    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private volatile TokenServer tokens;

    /** Commits of a life that is over leave no trace. */
    private volatile int life;

    TestTokenHome(Path sessions, TokenHomeConfig config) throws IOException {
        this.sessions = sessions;
        this.config = config;
        this.tokens = life();
    }

    private TokenServer life() throws IOException {
        int number = life;
        return new TokenServer("home", config, TokenSessions.open(sessions), new InLife(number), BootClock.system());
    }

    /** What one life does to the files. */
    private final class InLife implements TokenStore {
        private final int number;

        InLife(int number) {
            this.number = number;
        }

        @Override
        public void open(FileId file) throws FailureException {
            TestTokenHome.this.open(file);
        }

        @Override
        public Version version(FileId file) {
            return TestTokenHome.this.version(file);
        }

        @Override
        public CompletableFuture<TokenStore.Stored> commit(FileId file, Range range, TokenChange change)
                throws IOException {
            return TestTokenHome.this.commit(number, file, change);
        }

        @Override
        public void read(FileId file, long offset, int length, Reader reader) throws IOException {
            TestTokenHome.this.read(file, offset, length, reader);
        }
    }

    TokenServer tokens() {
        return tokens;
    }

    /** As after kill -9 of its process: what was acknowledged is there, the tokens' table is not. */
    void restart() throws IOException {
        lock.lock();
        try {
            life++;
        } finally {
            lock.unlock();
        }
        tokens.close();
        tokens = life();
        links.forEach(Link::close);
    }

    @Override
    public void opened(Link link) {
        links.add(link);
    }

    private void open(FileId file) throws FailureException {
        if (file.high() != 7) {
            throw new FailureException(Failure.Code.NOT_HOME, "not here: " + file);
        }
    }

    private Content content(FileId file) {
        return files.computeIfAbsent(file, _ -> new Content());
    }

    private Version version(FileId file) {
        lock.lock();
        try {
            return content(file).version;
        } finally {
            lock.unlock();
        }
    }

    private CompletableFuture<TokenStore.Stored> commit(int inLife, FileId file, TokenChange change)
            throws IOException {
        if (errno != 0) {
            throw new NotCommittedException("there is no room", errno);
        }
        CompletableFuture<TokenStore.Stored> durable = new CompletableFuture<>();
        disk.execute(() -> {
            TokenStore.Stored stored;
            lock.lock();
            try {
                if (inLife != life) {
                    return;
                }
                Content content = content(file);
                for (TokenChange.Piece piece : change.getPiecesList()) {
                    write(content, (int) piece.getOffset(), piece.getData().toByteArray());
                }
                if (change.hasAttributes()) {
                    content.bytes = Arrays.copyOf(
                            content.bytes, (int) change.getAttributes().getSize());
                }
                content.modified = change.getModifiedNanos();
                content.version = new Version(1, content.version.index() + 1);
                stored = new TokenStore.Stored(content.version, content.bytes.length);
                commits.incrementAndGet();
            } finally {
                lock.unlock();
            }
            durable.complete(stored);
        });
        return durable;
    }

    private static void write(Content content, int offset, byte[] bytes) {
        int end = Math.addExact(offset, bytes.length);
        if (end > MOST) {
            throw new IllegalArgumentException("a test has small files");
        }
        if (end > content.bytes.length) {
            content.bytes = Arrays.copyOf(content.bytes, end);
        }
        System.arraycopy(bytes, 0, content.bytes, offset, bytes.length);
    }

    private void read(FileId file, long offset, int length, TokenStore.Reader reader) throws IOException {
        TokenStore.State state;
        ByteBuffer data;
        lock.lock();
        try {
            Content content = content(file);
            state = new TokenStore.State(content.version, content.bytes.length, content.modified, content.modified);
            int from = (int) Math.min(offset, content.bytes.length);
            int to = (int) Math.min(offset + length, content.bytes.length);
            data = ByteBuffer.wrap(Arrays.copyOfRange(content.bytes, from, to));
        } finally {
            lock.unlock();
        }
        reader.read(state, data);
    }

    @Override
    public void request(Link from, Envelope request, Responder responder) throws Exception {
        if (request.hasTokenAcquire()) {
            acquires.incrementAndGet();
        }
        if (!tokens.request(from, request, responder)) {
            throw new FailureException(Failure.Code.BAD_REQUEST, "not of tokens: " + request.getBodyCase());
        }
    }

    @Override
    public void message(Link from, Envelope message) {
        tokens.message(from, message);
    }

    @Override
    public void closed(Link link) {
        links.remove(link);
        tokens.linkClosed(link);
    }

    @Override
    public void close() {
        tokens.close();
        disk.shutdown();
    }
}
