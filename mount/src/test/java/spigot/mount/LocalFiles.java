package spigot.mount;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import spigot.cache.ByteRange;
import spigot.cache.CacheStatistics;
import spigot.cache.FileClient;
import spigot.cache.OpenFile;
import spigot.cache.SliceConsumer;
import spigot.cache.SourceStatus;
import spigot.cache.UnreachableException;
import spigot.linux.Descriptor;
import spigot.linux.ExtendedAttributes;
import spigot.linux.Libc;
import spigot.linux.SparseFiles;
import spigot.linux.SystemCallException;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.RawBytes;
import spigot.model.Version;

/**
 * The contract of {@link FileClient} upon files of this machine, with what a test needs to bring about at an exact moment: a
 * read that waits, a file that changes, a home that can't be reached.
 */
final class LocalFiles implements FileClient {
    /** Opens a file of the source by its id. */
    interface Source {
        Descriptor open(FileId file) throws IOException;
    }

    private final Source source;
    private final Map<FileId, State> states = new ConcurrentHashMap<>();
    final AtomicInteger opens = new AtomicInteger();
    final AtomicInteger waitingReads = new AtomicInteger();
    final AtomicInteger xattrQuestions = new AtomicInteger();
    private volatile CountDownLatch gate = new CountDownLatch(0);
    private volatile boolean inMemory;
    private volatile boolean unreachable;

    LocalFiles(Source source) {
        this.source = source;
    }

    /** What is shared by the handles of one file. */
    private static final class State {
        volatile @Nullable FileRecord seen;
        volatile boolean leased;
        volatile Version kernelHas = Version.NONE;
    }

    // ---- what a test brings about ----

    /** From now on reads that are not in memory wait, until {@link #letReadsGo}. */
    void holdReads() {
        gate = new CountDownLatch(1);
    }

    void letReadsGo() {
        gate.countDown();
    }

    /** Whether {@link OpenFile#tryRead} succeeds. */
    void inMemory(boolean all) {
        inMemory = all;
    }

    void unreachable(boolean cut) {
        unreachable = cut;
    }

    /** The lease of the file is gone: what a FileClient does before it tells its listener. */
    void loseLease(FileId file) {
        state(file).leased = false;
    }

    private State state(FileId file) {
        return states.computeIfAbsent(file, _ -> new State());
    }

    // ---- the contract ----

    @Override
    public OpenFile open(FileRecord record) throws IOException {
        opens.incrementAndGet();
        if (unreachable) {
            throw new UnreachableException(
                    "the home of " + record.id() + " can't be reached: it was cut off by the test");
        }
        State state = state(record.id());
        state.seen = record;
        state.leased = true;
        return opened(record, state);
    }

    @Override
    public @Nullable OpenFile tryOpen(FileRecord record) {
        State state = state(record.id());
        FileRecord seen = state.seen;
        if (!state.leased || seen == null || !seen.version().equals(record.version())) {
            return null;
        }
        try {
            return opened(record, state);
        } catch (IOException e) {
            return null;
        }
    }

    private OpenFile opened(FileRecord record, State state) throws IOException {
        boolean keeps = state.kernelHas.equals(record.version());
        state.kernelHas = record.version();
        return new Opened(record.id(), state, source.open(record.id()), keeps);
    }

    private final class Opened implements OpenFile {
        private final FileId id;
        private final State state;
        private final Descriptor file;
        private final boolean keeps;

        Opened(FileId id, State state, Descriptor file, boolean keeps) {
            this.id = id;
            this.state = state;
            this.file = file;
            this.keeps = keeps;
        }

        @Override
        public FileRecord record() {
            return java.util.Objects.requireNonNull(state.seen);
        }

        @Override
        public boolean keepsKernelPages() {
            return keeps;
        }

        @Override
        public int tryRead(long offset, MemorySegment destination) {
            if (!inMemory || !state.leased) {
                return -1;
            }
            try {
                return fill(offset, destination);
            } catch (IOException e) {
                return -1;
            }
        }

        @Override
        public int trySlice(long offset, int length, SliceConsumer consumer) {
            return -1;
        }

        @Override
        public int read(long offset, MemorySegment destination) throws IOException, InterruptedException {
            if (unreachable) {
                throw new UnreachableException("nobody has the bytes of " + id + ": they were cut off by the test");
            }
            waitingReads.incrementAndGet();
            try {
                gate.await();
            } finally {
                waitingReads.decrementAndGet();
            }
            return fill(offset, destination);
        }

        /** By a system call of its own: an interrupt would close a channel. */
        private int fill(long offset, MemorySegment destination) throws IOException {
            long done = 0;
            while (done < destination.byteSize()) {
                long bytes = Libc.pread(
                        file.number(), destination.address() + done, destination.byteSize() - done, offset + done);
                if (bytes < 0) {
                    throw new SystemCallException("read", "the source of " + id, (int) -bytes);
                }
                if (bytes == 0) {
                    break;
                }
                done += bytes;
            }
            return (int) done;
        }

        @Override
        public long seek(long offset, boolean hole) throws IOException {
            int descriptor = file.number();
            return hole ? SparseFiles.nextHole(descriptor, offset) : SparseFiles.nextData(descriptor, offset);
        }

        @Override
        public byte @Nullable [] xattr(RawBytes name) throws IOException {
            xattrQuestions.incrementAndGet();
            for (byte[] known : ExtendedAttributes.names(file)) {
                if (name.equals(RawBytes.copyOf(known))) {
                    return ExtendedAttributes.value(file, known);
                }
            }
            return null;
        }

        @Override
        public List<RawBytes> xattrNames() throws IOException {
            xattrQuestions.incrementAndGet();
            List<RawBytes> names = new ArrayList<>();
            ExtendedAttributes.names(file).forEach(name -> names.add(RawBytes.copyOf(name)));
            return names;
        }

        @Override
        public void close() {
            file.close();
        }
    }

    @Override
    public CacheStatistics statistics() {
        throw new UnsupportedOperationException("no statistics of local files");
    }

    @Override
    public List<SourceStatus> sources() {
        return List.of();
    }

    @Override
    public void warmup(FileRecord record, ByteRange range, LongConsumer progress) {
        throw new UnsupportedOperationException("local files are not cached");
    }

    @Override
    public long evict(FileId file) {
        return 0;
    }

    @Override
    public void pin(FileId file, boolean pinned) {
        throw new UnsupportedOperationException("local files are not cached");
    }

    @Override
    public boolean isPinned(FileId file) {
        return false;
    }

    @Override
    public List<ByteRange> cachedRanges(FileRecord record) {
        return List.of();
    }

    @Override
    public void close() {}
}
