package spigot.cache.live;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.session.TokenCaches;
import spigot.session.TokenClient;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.TokenChange;

/**
 * The files of a node that are written, by whatever home: their journal, and what the {@link TokenClient}s of the homes keep under their tokens.
 * Safe for any thread; a thread of its own commits what has become old. The lock is not held while anything is asked or flushed, and taken before those of the clients. Bounds:
 * {@link LiveLimits}.
 */
public final class LiveFiles implements TokenCaches, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveFiles.class);
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    /** The kernel's caches. */
    @FunctionalInterface
    public interface Pages {
        /** As {@link TokenCaches#drop}. */
        void drop(FileId file, Range range, Runnable done);
    }

    private final Path directory;
    private final LiveLimits limits;
    private final Pages pages;
    private final LostAndFound lost;
    private final String boot;
    private final AtomicInteger dirtyBlocks = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ReentrantLock lock = new ReentrantLock();

    /** Those that nobody has open come first, the one that was closed longest ago before the others. */
    @GuardedBy("lock")
    private final SequencedMap<FileId, LiveFile> files = new LinkedHashMap<>();

    /** The same, for who must not wait. */
    private final ConcurrentHashMap<FileId, LiveFile> index = new ConcurrentHashMap<>();

    /** What an earlier process has left, and that nobody has opened since. */
    @GuardedBy("lock")
    private final Map<FileId, LiveContent> left = new HashMap<>();

    private LiveFiles(Path directory, LiveLimits limits, Pages pages, String boot) {
        this.directory = directory;
        this.limits = limits;
        this.pages = pages;
        this.lost = new LostAndFound(directory.resolve("lost+found"));
        this.boot = boot;
    }

    /**
     * @param directory of this process alone; made if there is none
     * @throws IOException when it can't be used, or what an earlier process has left in it can't be read
     */
    public static LiveFiles open(Path directory, LiveLimits limits, Pages pages) throws IOException {
        Files.createDirectories(directory);
        String boot = Files.readString(BOOT_ID, StandardCharsets.US_ASCII).strip();
        LiveFiles opened = new LiveFiles(directory, limits, pages, boot);
        opened.recover();
        Thread.ofVirtual().name("write-back").start(opened::age);
        return opened;
    }

    private void recover() throws IOException {
        List<Path> maps = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, "*.map")) {
            found.forEach(maps::add);
        }
        for (Path map : maps) {
            String name = map.getFileName().toString();
            FileId file = FileId.parse(name.substring(0, name.length() - ".map".length()));
            LiveContent content = new LiveContent(file, JournalFile.open(directory, file), limits, dirtyBlocks);
            boolean whole = content.recover(boot);
            if (!whole) {
                // The machine has started again: of what was written some may be missing, and nothing tells what.
                for (LiveContent.Orphan orphan = content.orphan(); orphan != null; orphan = content.orphan()) {
                    content.lose(orphan, lost);
                }
            }
            if (content.isClean()) {
                content.close(true);
            } else {
                lock.lock();
                try {
                    left.put(file, content);
                } finally {
                    lock.unlock();
                }
                log.info(
                        "event=journal_found file={} dirty_bytes={}", file, (long) content.dirtyBlocks() * Range.BLOCK);
            }
        }
    }

    /** Files of which an earlier process has left something that may not be committed: to be opened at their homes, and settled. */
    public List<FileId> left() {
        lock.lock();
        try {
            return List.copyOf(left.keySet());
        } finally {
            lock.unlock();
        }
    }

    /** Where bytes are kept that could not be committed. */
    public Path lostAndFound() {
        return lost.directory();
    }

    /** How many bytes wait to be committed. */
    public long dirtyBytes() {
        return (long) dirtyBlocks.get() * Range.BLOCK;
    }

    /**
     * Opens a file; to be closed as often.
     *
     * @param home of the file, whose {@link TokenCaches} this is
     */
    public LiveFile file(FileId id, TokenClient home) throws IOException {
        lock.lock();
        try {
            LiveFile known = files.get(id);
            if (known == null) {
                LiveContent content = left.remove(id);
                if (content == null) {
                    JournalFile journal = JournalFile.open(directory, id);
                    journal.begin(boot);
                    content = new LiveContent(id, journal, limits, dirtyBlocks);
                }
                known = new LiveFile(this, content, lost, home.open(id));
                files.put(id, known);
                index.put(id, known);
            }
            known.opened++;
            files.putLast(id, known);
            return known;
        } finally {
            lock.unlock();
        }
    }

    void closed(LiveFile file) {
        lock.lock();
        try {
            file.opened--;
            int idle = 0;
            for (LiveFile each : files.values()) {
                idle += each.opened == 0 ? 1 : 0;
            }
            Iterator<LiveFile> all = files.values().iterator();
            while (idle > limits.idleFiles() && all.hasNext()) {
                LiveFile next = all.next();
                if (next.opened == 0 && next.content.isClean()) {
                    all.remove();
                    index.remove(next.content.file);
                    idle--;
                    release(next);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private static void release(LiveFile file) {
        file.tokens.giveUp(Range.WHOLE);
        file.tokens.giveUp(Range.ATTRIBUTES);
        file.tokens.close();
        try {
            file.content.close(true);
        } catch (IOException e) {
            log.warn("event=journal_not_removed file={} cause=\"{}\"", file.content.file, e.getMessage());
        }
    }

    /** Whether there is room for so many more dirty blocks. */
    boolean hasRoom(int blocks) {
        return dirtyBlocks.get() + blocks <= limits.dirtyBlocks();
    }

    /** Without the lock, as whoever asks may have that of a client, which is taken after ours. */
    private @Nullable LiveFile find(FileId file) {
        return index.get(file);
    }

    private List<LiveFile> all() {
        lock.lock();
        try {
            return List.copyOf(files.values());
        } finally {
            lock.unlock();
        }
    }

    private void age() {
        try {
            while (!closed.await(Math.max(10, limits.age().toMillis() / 4), TimeUnit.MILLISECONDS)) {
                for (LiveFile file : all()) {
                    file.age(limits.age());
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the write-back", e);
        }
    }

    // ---- under the tokens -------------------------------------------------------------------------------------------

    @Override
    public void drop(FileId file, Range range, Runnable done) {
        pages.drop(file, range, done);
    }

    @Override
    public Flush collect(FileId file, Range range) throws IOException {
        LiveFile known = find(file);
        if (known == null) {
            throw new IOException("file " + file + " is not in the journal any more");
        }
        return new Collected(known, known.content.take(range));
    }

    private final class Collected implements Flush {
        private final LiveFile file;
        private final LiveContent.Taken taken;

        Collected(LiveFile file, LiveContent.Taken taken) {
            this.file = file;
            this.taken = taken;
        }

        @Override
        public TokenChange change() {
            return taken.change;
        }

        @Override
        public void committed(Version version) {
            file.committed();
            try {
                taken.committed(version);
            } catch (IOException e) {
                // It stays dirty in the journal: at worst it is committed again.
                log.warn("event=journal_failed file={} cause=\"{}\"", file.content.file, e.getMessage());
            }
        }

        @Override
        public boolean refused(Failure failure) {
            try {
                taken.abandon(lost);
            } catch (IOException e) {
                log.error("event=lost_and_found_failed file={} cause=\"{}\"", file.content.file, e.getMessage());
                return false;
            }
            file.failed(new FailureException(failure));
            return true;
        }
    }

    @Override
    public void orphaned(FileId file, Range range, Version version) {
        LiveFile known = find(file);
        if (known != null) {
            known.content.orphaned(range, version);
        }
    }

    @Override
    public Version cachedSince(FileId file, Range range) {
        LiveFile known = find(file);
        return known == null ? Version.NONE : known.content.cachedSince(range);
    }

    @Override
    public void unchanged(FileId file, Range range, Version since, Version version, Changes changes) {
        LiveFile known = find(file);
        if (known != null) {
            known.content.unchanged(range, since, version, changes);
        }
    }

    @Override
    public void received(FileId file, Version version, LiveAttributes attributes, long offset, ByteBuffer bytes)
            throws IOException {
        LiveFile known = find(file);
        if (known != null) {
            known.content.received(version, attributes, offset, bytes);
        }
    }

    @Override
    public Optional<Glimpsed> glimpse(FileId file, Version since) {
        LiveFile known = find(file);
        return known == null ? Optional.empty() : known.content.glimpse(since);
    }

    /** To be called when the homes' clients are closed: what is not committed stays in the journal, for the next process. */
    @Override
    public void close() {
        closed.countDown();
        lock.lock();
        try {
            for (LiveFile file : files.values()) {
                file.content.close(file.content.isClean());
            }
            for (LiveContent content : left.values()) {
                content.close(false);
            }
            files.clear();
            index.clear();
            left.clear();
        } catch (IOException e) {
            throw new UncheckedIOException("the journal in " + directory + " can't be closed", e);
        } finally {
            lock.unlock();
        }
    }
}
