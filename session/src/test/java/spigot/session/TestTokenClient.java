package spigot.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.TokenChange;

/** A node with a cache of blocks in memory and "pages", which are what it would have given to a kernel. */
final class TestTokenClient implements LinkHandler, TokenCaches, AutoCloseable {
    private static final int BLOCK = Range.BLOCK;

    private record Key(FileId file, long offset) {}

    private static final class Block {
        byte[] bytes = new byte[BLOCK];
        Version right = Version.NONE;
        long written;
        boolean dirty;
    }

    final AtomicInteger drops = new AtomicInteger();
    final AtomicInteger fetches = new AtomicInteger();
    final AtomicInteger serialised = new AtomicInteger();
    final List<Range> orphans = new CopyOnWriteArrayList<>();
    final List<Failure> refusals = new CopyOnWriteArrayList<>();
    final TokenClient tokens;

    /** The size that is known here, when the attributes are held exclusively and were changed. */
    volatile long size = -1;

    private final Peer peer;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Key, Block> blocks = new ConcurrentHashMap<>();
    private final Map<Key, byte[]> pages = new ConcurrentHashMap<>();
    private final Map<FileId, TokenFile> files = new ConcurrentHashMap<>();
    private final AtomicBoolean cut = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile @Nullable Link link;

    TestTokenClient(String name, Function<LinkHandler, Peer> peers) {
        this.tokens = new TokenClient("home of " + name, TokenClient.config(1), BootClock.system(), this);
        this.peer = peers.apply(this);
    }

    void connect() throws InterruptedException, LinkBrokenException {
        cut.set(false);
        Link now = peer.link(TokenGrid.LONG);
        link = now;
        tokens.linkUp(now);
    }

    /** No message gets through until {@link #connect}. */
    void cut() {
        cut.set(true);
        Link last = link;
        if (last != null) {
            last.close();
            tokens.linkDown(last);
        }
    }

    TokenFile file(FileId file) {
        return files.computeIfAbsent(file, tokens::open);
    }

    // ---- programs ---------------------------------------------------------------------------------------------------

    /** Reads a block as a program would: from a page, from the cache, or from the home. */
    long read(FileId file, int block) throws IOException, InterruptedException {
        Range range = Range.block(block);
        TokenFile open = file(file);
        TokenUse use = new TokenUse();
        if (open.enter(use, Mode.SHARED, range, Range.WHOLE, true, TokenGrid.LONG) == TokenFile.Entry.SERIALISED) {
            serialised.incrementAndGet();
            ByteBuffer bytes = ByteBuffer.allocate(BLOCK);
            open.readSerialised(range.from(), bytes, TokenGrid.LONG);
            return bytes.getLong(0);
        }
        try {
            Key key = new Key(file, range.from());
            Block known = blocks.get(key);
            if (known == null || !usable(known, use.since(range.from()))) {
                fetches.incrementAndGet();
                ByteBuffer bytes = ByteBuffer.allocate(BLOCK);
                var data = open.fetch(range.from(), bytes, TokenGrid.LONG);
                received(
                        file,
                        spigot.transport.Messages.version(data.getVersion()),
                        data.getAttributes(),
                        range.from(),
                        bytes.flip());
                known = blocks.get(key);
            }
            lock.lock();
            try {
                byte[] page = known == null ? new byte[BLOCK] : known.bytes.clone();
                pages.put(key, page);
                return ByteBuffer.wrap(page).getLong(0);
            } finally {
                lock.unlock();
            }
        } finally {
            open.exit(use);
        }
    }

    private boolean usable(Block block, Version since) {
        lock.lock();
        try {
            return block.dirty || block.right.compareTo(since) >= 0;
        } finally {
            lock.unlock();
        }
    }

    /** Writes a whole block. */
    void write(FileId file, int block, long value) throws IOException, InterruptedException {
        Range range = Range.block(block);
        TokenFile open = file(file);
        TokenUse use = new TokenUse();
        if (open.enter(use, Mode.EXCLUSIVE, range, Range.WHOLE, false, TokenGrid.LONG) == TokenFile.Entry.SERIALISED) {
            serialised.incrementAndGet();
            open.writeSerialised(range, change(range.from(), bytes(value)), TokenGrid.LONG);
            return;
        }
        try {
            put(file, range, bytes(value), use.since(range.from()));
            open.dirtied(range);
        } finally {
            open.exit(use);
        }
    }

    /** Makes the file so long, as ftruncate does. */
    void resize(FileId file, long length) throws IOException, InterruptedException {
        TokenFile open = file(file);
        TokenUse use = new TokenUse();
        open.enter(use, Mode.EXCLUSIVE, Range.ATTRIBUTES, Range.ATTRIBUTES, false, TokenGrid.LONG);
        try {
            size = length;
            open.dirtied(Range.ATTRIBUTES);
        } finally {
            open.exit(use);
        }
    }

    void sync(FileId file) throws IOException, InterruptedException {
        file(file).flush(Range.WHOLE, TokenGrid.LONG);
        file(file).flush(Range.ATTRIBUTES, TokenGrid.LONG);
    }

    /** What a program would find in the kernel's cache, without asking anybody. */
    @Nullable
    Long page(FileId file, int block) {
        byte[] page = pages.get(new Key(file, Range.block(block).from()));
        return page == null ? null : ByteBuffer.wrap(page).getLong(0);
    }

    private static byte[] bytes(long value) {
        return ByteBuffer.allocate(BLOCK).putLong(0, value).array();
    }

    private void put(FileId file, Range range, byte[] bytes, Version since) {
        lock.lock();
        try {
            Key key = new Key(file, range.from());
            Block block = blocks.computeIfAbsent(key, _ -> new Block());
            block.bytes = bytes;
            block.right = since;
            block.dirty = true;
            block.written++;
            pages.computeIfPresent(key, (_, _) -> bytes.clone());
        } finally {
            lock.unlock();
        }
    }

    private static TokenChange change(long offset, byte[] bytes) {
        return TokenChange.newBuilder()
                .addPieces(TokenChange.Piece.newBuilder().setOffset(offset).setData(ByteString.copyFrom(bytes)))
                .build();
    }

    // ---- caches -----------------------------------------------------------------------------------------------------

    @Override
    public void drop(FileId file, Range range, Runnable done) {
        drops.incrementAndGet();
        pages.keySet().removeIf(key -> key.file.equals(file) && within(key, range));
        done.run();
    }

    private static boolean within(Key key, Range range) {
        return key.offset >= range.from() && key.offset < range.to();
    }

    @Override
    public Flush collect(FileId file, Range range) {
        lock.lock();
        try {
            TokenChange.Builder change = TokenChange.newBuilder();
            Map<Key, Long> taken = new ConcurrentHashMap<>();
            if (range.attributes()) {
                change.setAttributes(LiveAttributes.newBuilder().setSize(size));
            }
            List<Key> keys = new ArrayList<>(blocks.keySet());
            keys.removeIf(key -> !key.file.equals(file) || !within(key, range));
            keys.sort((a, b) -> Long.compare(a.offset, b.offset));
            for (Key key : keys) {
                Block block = blocks.get(key);
                if (block != null) {
                    taken.put(key, block.written);
                    change.addPieces(change(key.offset, block.bytes).getPieces(0));
                }
            }
            return new Collected(change.build(), taken);
        } finally {
            lock.unlock();
        }
    }

    private final class Collected implements Flush {
        private final TokenChange change;
        private final Map<Key, Long> taken;

        Collected(TokenChange change, Map<Key, Long> taken) {
            this.change = change;
            this.taken = taken;
        }

        @Override
        public TokenChange change() {
            return change;
        }

        @Override
        public void committed(Version version) {
            lock.lock();
            try {
                taken.forEach((key, written) -> {
                    Block block = blocks.get(key);
                    if (block != null && block.written == written && version.compareTo(block.right) > 0) {
                        block.right = version;
                        block.dirty = false;
                    }
                });
            } finally {
                lock.unlock();
            }
        }

        @Override
        public boolean refused(Failure failure) {
            refusals.add(failure);
            return true;
        }
    }

    @Override
    public void orphaned(FileId file, Range range, Version version) {
        orphans.add(range);
        blocks.keySet().removeIf(key -> key.file.equals(file) && within(key, range));
    }

    @Override
    public Version cachedSince(FileId file, Range range) {
        lock.lock();
        try {
            return blocks.entrySet().stream()
                    .filter(entry -> entry.getKey().file.equals(file)
                            && within(entry.getKey(), range)
                            && !entry.getValue().dirty)
                    .map(entry -> entry.getValue().right)
                    .min(Version::compareTo)
                    .orElse(Version.NONE);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void unchanged(FileId file, Range range, Version since, Version version, Changes changes) {
        lock.lock();
        try {
            blocks.forEach((key, block) -> {
                boolean mine = key.file.equals(file) && within(key, range) && !block.dirty;
                if (mine
                        && block.right.compareTo(since) >= 0
                        && block.right.compareTo(version) < 0
                        && changes.spare(new Range(key.offset, key.offset + BLOCK))) {
                    block.right = version;
                }
            });
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void received(FileId file, Version version, LiveAttributes attributes, long offset, ByteBuffer bytes) {
        lock.lock();
        try {
            for (long at = offset; at < offset + Math.max(bytes.remaining(), BLOCK); at += BLOCK) {
                Block block = blocks.computeIfAbsent(new Key(file, at), _ -> new Block());
                if (!block.dirty && version.compareTo(block.right) >= 0) {
                    byte[] copy = new byte[BLOCK];
                    int from = (int) (at - offset);
                    int length = Math.min(BLOCK, bytes.remaining() - from);
                    if (length > 0) {
                        bytes.get(bytes.position() + from, copy, 0, length);
                    }
                    block.bytes = copy;
                    block.right = version;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Optional<Glimpsed> glimpse(FileId file, Version since) {
        return size < 0 ? Optional.empty() : Optional.of(new Glimpsed(size, 1, 1));
    }

    // ---- the link ---------------------------------------------------------------------------------------------------

    @Override
    public void request(Link from, Envelope request, Responder responder) throws Exception {
        if (!tokens.request(from, request, responder)) {
            throw new IllegalStateException("not for a client: " + request.getBodyCase());
        }
    }

    @Override
    public void message(Link from, Envelope message) {
        if (!cut.get()) {
            tokens.message(from, message);
        }
    }

    @Override
    public void closed(Link gone) {
        tokens.linkDown(gone);
        Thread.ofVirtual().start(() -> {
            try {
                if (!cut.get() && !closed.get()) {
                    connect();
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } catch (LinkBrokenException e) {
                assertThat(closed).isTrue();
            }
        });
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            tokens.close();
            peer.close();
        }
    }
}
