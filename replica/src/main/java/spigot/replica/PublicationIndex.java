package spigot.replica;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import spigot.catalog.server.RocksLibrary;
import spigot.model.FileId;
import spigot.model.RawBytes;
import spigot.transport.FailureException;
import spigot.transport.wire.Failure;

/**
 * What this server has registered, so that a restart only sends what differs: publications, names, files, inodes, digests. It
 * is a memory of what the catalog has been told and never ahead of it; what is lost of it with a crash is registered again.
 *
 * <p>Safe for any thread. {@code lock} makes each change of names and files one step; reads need none. {@link #close} waits for those who
 * are inside the store, which is memory of its own that must not vanish under them; whoever comes later is told so. Memory: 16 MiB of blocks and
 * at most two write buffers of 4 MiB for each of its tables.
 */
final class PublicationIndex implements AutoCloseable {
    private static final int WRITE_BUFFER_BYTES = 4 << 20;
    private static final int CACHE_BYTES = 16 << 20;
    private static final int REMOVALS_PER_WRITE = 10_000;
    private static final byte[] EMPTY = {};
    private static final byte[] FORMAT_KEY = "format".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    private static final byte[] LIFE_KEY = "life".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    private enum Table {
        DEFAULT("default"),
        /** number -> {@link Publication}. */
        PUBLICATIONS("publications"),
        /** number, directory, name -> id. */
        ENTRIES("entries"),
        /** id, directory, name -> nothing. */
        NAMES("names"),
        /** id -> {@link IndexedFile}. */
        FILES("files"),
        /** number, device, inode -> id; not of directories. */
        INODES("inodes"),
        /** id, fragment -> fingerprint, SHA-256. */
        DIGESTS("digests"),
        /** number -> how many names. */
        COUNTS("counts"),
        /** number, directory, name -> nothing: sent to the catalog, not known to be answered. */
        PENDING("pending");

        private final String title;

        Table(String title) {
            this.title = title;
        }
    }

    private final RocksDB store;
    private final List<ColumnFamilyHandle> handles;
    private final Map<Table, ColumnFamilyHandle> families = new EnumMap<>(Table.class);
    private final List<AutoCloseable> owned;
    private final WriteOptions unsynced = new WriteOptions();
    private final ReentrantLock lock = new ReentrantLock();

    /** Held for reading by all who use the store, for writing to close it; inside of {@link #lock}. */
    private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

    @GuardedBy("use")
    private boolean closed;

    private final Map<Integer, Long> counts = new ConcurrentHashMap<>();

    private PublicationIndex(RocksDB store, List<ColumnFamilyHandle> handles, List<AutoCloseable> owned) {
        this.store = store;
        this.handles = handles;
        this.owned = owned;
        Iterator<ColumnFamilyHandle> next = handles.iterator();
        for (Table table : Table.values()) {
            families.put(table, next.next());
        }
    }

    /** A new name, or one that leads to another file now. */
    record Addition(FileId directory, RawBytes name, IndexedFile file) {}

    /**
     * @param directory made if it is not there
     * @throws IOException when it can't be opened; another process that has it open is one reason
     */
    static PublicationIndex open(Path directory) throws IOException {
        Files.createDirectories(directory);
        RocksLibrary.load(directory);
        LRUCache cache = new LRUCache(CACHE_BYTES);
        ColumnFamilyOptions options = new ColumnFamilyOptions()
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setTableFormatConfig(new BlockBasedTableConfig().setBlockCache(cache));
        DBOptions database = new DBOptions()
                .setCreateIfMissing(true)
                .setCreateMissingColumnFamilies(true)
                .setKeepLogFileNum(2)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setMaxTotalWalSize(32 << 20)
                .setMaxOpenFiles(64);
        List<ColumnFamilyDescriptor> families = new ArrayList<>();
        for (Table table : Table.values()) {
            families.add(new ColumnFamilyDescriptor(
                    table.title.getBytes(java.nio.charset.StandardCharsets.US_ASCII), options));
        }
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try {
            RocksDB store = RocksDB.open(database, directory.toString(), families, handles);
            PublicationIndex index = new PublicationIndex(store, handles, List.of(database, options, cache));
            index.checkFormat(directory);
            return index;
        } catch (RocksDBException e) {
            throw new IOException(
                    "the index of published files in " + directory
                            + " can't be opened (is another server running on it?): " + e.getMessage(),
                    e);
        }
    }

    private void checkFormat(Path directory) throws IOException {
        byte[] stored = get(Table.DEFAULT, FORMAT_KEY);
        int format =
                stored == null ? IndexCodec.FORMAT : ByteBuffer.wrap(stored).getInt();
        if (stored == null || format == IndexCodec.FORMAT_WITHOUT_XATTR_KINDS) {
            writing(batch -> batch.put(
                    handle(Table.DEFAULT),
                    FORMAT_KEY,
                    ByteBuffer.allocate(4).putInt(IndexCodec.FORMAT).array()));
        } else if (format != IndexCodec.FORMAT) {
            close();
            throw new IOException("the index of published files in " + directory
                    + " was written by another release: move it away, all is registered again then");
        }
    }

    /** @return how often this index has been put to use, this time included; durable before it returns */
    long beginLife() throws IOException {
        byte[] known = get(Table.DEFAULT, LIFE_KEY);
        long life = known == null ? 1 : ByteBuffer.wrap(known).getLong() + 1;
        enter();
        try (WriteOptions synced = new WriteOptions().setSync(true)) {
            store.put(
                    handle(Table.DEFAULT),
                    synced,
                    LIFE_KEY,
                    ByteBuffer.allocate(8).putLong(life).array());
        } catch (RocksDBException e) {
            throw failed(e);
        } finally {
            leave();
        }
        return life;
    }

    // ---- publications

    List<Publication> publications() throws IOException {
        List<Publication> all = new ArrayList<>();
        each(Table.PUBLICATIONS, EMPTY, (key, value) -> {
            all.add(IndexCodec.publication(ByteBuffer.wrap(key).getInt(), value));
            return true;
        });
        return all;
    }

    void save(Publication publication) throws IOException {
        writing(batch -> batch.put(
                handle(Table.PUBLICATIONS),
                IndexCodec.number(publication.number()),
                IndexCodec.publication(publication)));
    }

    /** Forgets the publication and all that it had. */
    void forget(int number) throws IOException {
        byte[] prefix = IndexCodec.number(number);
        List<FileId> files = new ArrayList<>();
        each(Table.FILES, EMPTY, (key, value) -> {
            if (IndexCodec.file(value).publication() == number) {
                files.add(FileId.of(key));
            }
            return true;
        });
        lock.lock();
        try {
            writing(batch -> {
                for (FileId file : files) {
                    byte[] id = file.bytes();
                    batch.delete(handle(Table.FILES), id);
                    batch.deleteRange(handle(Table.NAMES), id, after(id));
                    batch.deleteRange(handle(Table.DIGESTS), id, after(id));
                }
                for (Table table :
                        List.of(Table.ENTRIES, Table.INODES, Table.COUNTS, Table.PENDING, Table.PUBLICATIONS)) {
                    batch.deleteRange(handle(table), prefix, after(prefix));
                }
            });
            counts.remove(number);
        } finally {
            lock.unlock();
        }
    }

    /** How many names the publication has, the root not counted. */
    long entries(int number) throws IOException {
        Long count = counts.get(number);
        if (count == null) {
            byte[] stored = get(Table.COUNTS, IndexCodec.number(number));
            count = stored == null ? 0 : ByteBuffer.wrap(stored).getLong();
            Long other = counts.putIfAbsent(number, count);
            count = other == null ? count : other;
        }
        return count;
    }

    // ---- names and files

    @Nullable
    IndexedFile file(FileId id) throws IOException {
        byte[] row = get(Table.FILES, id.bytes());
        return row == null ? null : IndexCodec.file(row);
    }

    @Nullable
    FileId child(int number, FileId directory, RawBytes name) throws IOException {
        byte[] id = get(Table.ENTRIES, IndexCodec.entry(number, directory, name));
        return id == null ? null : FileId.of(id);
    }

    /** In the order of the bytes of their names. */
    List<IndexedName> children(int number, FileId directory) throws IOException {
        List<IndexedName> names = new ArrayList<>();
        each(Table.ENTRIES, IndexCodec.directoryPrefix(number, directory), (key, value) -> {
            names.add(new IndexedName(directory, IndexCodec.entryName(key), FileId.of(value)));
            return true;
        });
        return names;
    }

    /** One of the file's names; null when it has none (any more), as the published root has none. */
    @Nullable
    IndexedName anyName(FileId id) throws IOException {
        List<IndexedName> first = new ArrayList<>(1);
        each(Table.NAMES, id.bytes(), (key, _) -> {
            first.add(new IndexedName(IndexCodec.fileNameDirectory(key), IndexCodec.fileNameName(key), id));
            return false;
        });
        return first.isEmpty() ? null : first.getFirst();
    }

    /** The path from the published root, empty for the root itself; null when no path leads there. */
    byte @Nullable [] path(FileId id, FileId root) throws IOException {
        Deque<RawBytes> names = new ArrayDeque<>();
        FileId at = id;
        while (!at.equals(root)) {
            IndexedName name = anyName(at);
            if (name == null) {
                return null;
            }
            names.addFirst(name.name());
            at = name.directory();
        }
        ByteArrayOutputStream path = new ByteArrayOutputStream();
        for (RawBytes name : names) {
            if (path.size() > 0) {
                path.write('/');
            }
            path.writeBytes(name.toArray());
        }
        return path.toByteArray();
    }

    /** The file that was registered with this inode, which may have got another one since: compare the birth time too. */
    @Nullable
    FileId byInode(int number, long device, long inode) throws IOException {
        byte[] id = get(Table.INODES, IndexCodec.inode(number, device, inode));
        return id == null ? null : FileId.of(id);
    }

    /** All files of a publication, directories too; the consumer must not take long. */
    void eachFile(int number, java.util.function.Consumer<IndexedFile> consumer) throws IOException {
        each(Table.FILES, EMPTY, (_, value) -> {
            IndexedFile file = IndexCodec.file(value);
            if (file.publication() == number) {
                consumer.accept(file);
            }
            return true;
        });
    }

    /** Remembers the root, which has no name. */
    void putRoot(IndexedFile root) throws IOException {
        lock.lock();
        try {
            writing(batch -> batch.put(handle(Table.FILES), root.id().bytes(), IndexCodec.file(root)));
        } finally {
            lock.unlock();
        }
    }

    /** @return whether it was still there; what has lost its last name does not come back */
    boolean update(IndexedFile file) throws IOException {
        lock.lock();
        try {
            IndexedFile before = file(file.id());
            if (before == null) {
                return false;
            }
            writing(batch -> {
                putFile(batch, before, file);
            });
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** @return the files that lost their last name by it, as others took their names */
    List<FileId> add(int number, List<Addition> additions) throws IOException {
        lock.lock();
        try {
            List<FileId> nameless = new ArrayList<>();
            for (Addition addition : additions) {
                FileId before = child(number, addition.directory(), addition.name());
                if (before != null && !before.equals(addition.file().id())) {
                    nameless.addAll(removeLocked(number, addition.directory(), addition.name(), before));
                }
            }
            long[] added = {0};
            writing(batch -> {
                for (Addition addition : additions) {
                    FileId id = addition.file().id();
                    byte[] entry = IndexCodec.entry(number, addition.directory(), addition.name());
                    if (get(Table.ENTRIES, entry) == null) {
                        added[0]++;
                    }
                    batch.put(handle(Table.ENTRIES), entry, id.bytes());
                    batch.put(
                            handle(Table.NAMES), IndexCodec.fileName(id, addition.directory(), addition.name()), EMPTY);
                    putFile(batch, file(id), addition.file());
                }
                count(batch, number, added[0]);
            });
            return nameless;
        } finally {
            lock.unlock();
        }
    }

    /** A name of the file, which may be a directory, becomes another one, which is free; all below stays where it is. */
    void move(int number, FileId directory, RawBytes name, FileId toDirectory, RawBytes toName, FileId id)
            throws IOException {
        lock.lock();
        try {
            writing(batch -> {
                leaves(batch, number, directory, name, id);
                leads(batch, number, toDirectory, toName, id);
            });
        } finally {
            lock.unlock();
        }
    }

    /** Two names lead to what the other one led to. */
    void exchange(int number, IndexedName one, IndexedName other) throws IOException {
        lock.lock();
        try {
            writing(batch -> {
                leaves(batch, number, one.directory(), one.name(), one.id());
                leaves(batch, number, other.directory(), other.name(), other.id());
                leads(batch, number, one.directory(), one.name(), other.id());
                leads(batch, number, other.directory(), other.name(), one.id());
            });
        } finally {
            lock.unlock();
        }
    }

    private void leaves(WriteBatch batch, int number, FileId directory, RawBytes name, FileId id)
            throws RocksDBException {
        batch.delete(handle(Table.ENTRIES), IndexCodec.entry(number, directory, name));
        batch.delete(handle(Table.NAMES), IndexCodec.fileName(id, directory, name));
    }

    private void leads(WriteBatch batch, int number, FileId directory, RawBytes name, FileId id)
            throws RocksDBException {
        batch.put(handle(Table.ENTRIES), IndexCodec.entry(number, directory, name), id.bytes());
        batch.put(handle(Table.NAMES), IndexCodec.fileName(id, directory, name), EMPTY);
    }

    /** Remembers a file that has no name: a published root, or one that is kept for those who have it open. */
    void putNameless(IndexedFile file) throws IOException {
        putRoot(file);
    }

    /** Forgets a file that has no name. */
    void forgetNameless(FileId id) throws IOException {
        lock.lock();
        try {
            if (anyName(id) == null) {
                writing(batch -> forgetFile(batch, id));
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Removes a name and, if it is a directory, all below it.
     *
     * @return the files and directories that have no name any more
     */
    List<FileId> remove(int number, FileId directory, RawBytes name) throws IOException {
        lock.lock();
        try {
            FileId id = child(number, directory, name);
            return id == null ? List.of() : removeLocked(number, directory, name, id);
        } finally {
            lock.unlock();
        }
    }

    private List<FileId> removeLocked(int number, FileId directory, RawBytes name, FileId id) throws IOException {
        // Children first, so that a crash in between leaves no entries that no path leads to.
        Deque<IndexedName> all = new ArrayDeque<>();
        Deque<IndexedName> toVisit = new ArrayDeque<>(List.of(new IndexedName(directory, name, id)));
        while (!toVisit.isEmpty()) {
            IndexedName next = toVisit.removeLast();
            all.addFirst(next);
            toVisit.addAll(children(number, next.id()));
        }
        List<FileId> nameless = new ArrayList<>();
        while (!all.isEmpty()) {
            List<IndexedName> some = new ArrayList<>();
            while (!all.isEmpty() && some.size() < REMOVALS_PER_WRITE) {
                some.add(all.removeFirst());
            }
            writing(batch -> {
                for (IndexedName gone : some) {
                    batch.delete(handle(Table.ENTRIES), IndexCodec.entry(number, gone.directory(), gone.name()));
                    batch.delete(handle(Table.NAMES), IndexCodec.fileName(gone.id(), gone.directory(), gone.name()));
                }
                count(batch, number, -some.size());
            });
            for (IndexedName gone : some) {
                if (anyName(gone.id()) == null) {
                    nameless.add(gone.id());
                }
            }
        }
        writing(batch -> {
            for (FileId gone : nameless) {
                forgetFile(batch, gone);
            }
        });
        return nameless;
    }

    private void putFile(WriteBatch batch, @Nullable IndexedFile before, IndexedFile file) throws RocksDBException {
        batch.put(handle(Table.FILES), file.id().bytes(), IndexCodec.file(file));
        if (file.attributes().isDirectory()) {
            return;
        }
        if (before != null && (before.inode() != file.inode() || before.device() != file.device())) {
            batch.delete(handle(Table.INODES), IndexCodec.inode(before.publication(), before.device(), before.inode()));
        }
        batch.put(
                handle(Table.INODES),
                IndexCodec.inode(file.publication(), file.device(), file.inode()),
                file.id().bytes());
    }

    private void forgetFile(WriteBatch batch, FileId id) throws IOException, RocksDBException {
        IndexedFile file = file(id);
        if (file == null) {
            return;
        }
        byte[] inode = IndexCodec.inode(file.publication(), file.device(), file.inode());
        byte[] owner = get(Table.INODES, inode);
        if (owner != null && FileId.of(owner).equals(id)) {
            batch.delete(handle(Table.INODES), inode);
        }
        byte[] key = id.bytes();
        batch.delete(handle(Table.FILES), key);
        batch.deleteRange(handle(Table.DIGESTS), key, after(key));
    }

    private void count(WriteBatch batch, int number, long difference) throws IOException, RocksDBException {
        long count = entries(number) + difference;
        counts.put(number, count);
        batch.put(
                handle(Table.COUNTS),
                IndexCodec.number(number),
                ByteBuffer.allocate(8).putLong(count).array());
    }

    // ---- names that are on their way to the catalog

    /** @param names their ids do not matter */
    void notePending(int number, List<IndexedName> names) throws IOException {
        writing(batch -> {
            for (IndexedName name : names) {
                batch.put(handle(Table.PENDING), IndexCodec.entry(number, name.directory(), name.name()), EMPTY);
            }
        });
    }

    void clearPending(int number, List<IndexedName> names) throws IOException {
        writing(batch -> {
            for (IndexedName name : names) {
                batch.delete(handle(Table.PENDING), IndexCodec.entry(number, name.directory(), name.name()));
            }
        });
    }

    /** Names that the catalog may or may not have, from an earlier life; the ids are those of their directories. */
    List<IndexedName> pending(int number) throws IOException {
        List<IndexedName> names = new ArrayList<>();
        each(Table.PENDING, IndexCodec.number(number), (key, _) -> {
            FileId directory = IndexCodec.entryDirectory(key);
            names.add(new IndexedName(directory, IndexCodec.entryName(key), directory));
            return true;
        });
        return names;
    }

    // ---- digests

    /** The stored digest of a fragment; null when there is none for a file with this fingerprint. */
    byte @Nullable [] digest(FileId id, long fragment, long fingerprintHash) throws IOException {
        byte[] value = get(Table.DIGESTS, IndexCodec.fragment(id, fragment));
        if (value == null || ByteBuffer.wrap(value).getLong() != fingerprintHash) {
            return null;
        }
        byte[] digest = new byte[value.length - 8];
        System.arraycopy(value, 8, digest, 0, digest.length);
        return digest;
    }

    void putDigest(FileId id, long fragment, long fingerprintHash, byte[] digest) throws IOException {
        byte[] value = ByteBuffer.allocate(8 + digest.length)
                .putLong(fingerprintHash)
                .put(digest)
                .array();
        writing(batch -> batch.put(handle(Table.DIGESTS), IndexCodec.fragment(id, fragment), value));
    }

    // ---- the store

    private interface Writing {
        void into(WriteBatch batch) throws RocksDBException, IOException;
    }

    private interface Visitor {
        /** @return whether to go on */
        boolean visit(byte[] key, byte[] value);
    }

    /** Before the store is touched; {@link #leave} must follow. May be nested. */
    private void enter() throws FailureException {
        use.readLock().lock();
        if (closed) {
            leave();
            throw new FailureException(
                    Failure.Code.NOT_READY, "the server is stopping: its index of published files is closed");
        }
    }

    private void leave() {
        use.readLock().unlock();
    }

    private void writing(Writing writing) throws IOException {
        enter();
        try (WriteBatch batch = new WriteBatch()) {
            writing.into(batch);
            store.write(unsynced, batch);
        } catch (RocksDBException e) {
            throw failed(e);
        } finally {
            leave();
        }
    }

    private byte @Nullable [] get(Table table, byte[] key) throws IOException {
        enter();
        try {
            return store.get(handle(table), key);
        } catch (RocksDBException e) {
            throw failed(e);
        } finally {
            leave();
        }
    }

    private void each(Table table, byte[] prefix, Visitor visitor) throws IOException {
        enter();
        try (RocksIterator iterator = store.newIterator(handle(table))) {
            for (iterator.seek(prefix); iterator.isValid(); iterator.next()) {
                byte[] key = iterator.key();
                if (!IndexCodec.startsWith(key, prefix) || !visitor.visit(key, iterator.value())) {
                    return;
                }
            }
            iterator.status();
        } catch (RocksDBException e) {
            throw failed(e);
        } finally {
            leave();
        }
    }

    private ColumnFamilyHandle handle(Table table) {
        return Objects.requireNonNull(families.get(table));
    }

    /** The first key behind all that begin with the prefix. */
    private static byte[] after(byte[] prefix) {
        byte[] end = prefix.clone();
        for (int i = end.length - 1; i >= 0; i--) {
            if (++end[i] != 0) {
                return end;
            }
        }
        byte[] last = new byte[prefix.length + 300];
        java.util.Arrays.fill(last, (byte) 0xff);
        return last;
    }

    private static IOException failed(RocksDBException cause) {
        return new IOException("the index of published files failed: " + cause.getMessage(), cause);
    }

    /** Waits for those who are using it; idempotent. */
    @Override
    public void close() throws IOException {
        use.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            handles.forEach(ColumnFamilyHandle::close);
            store.close();
            unsynced.close();
            for (AutoCloseable part : owned) {
                part.close();
            }
        } catch (Exception e) {
            throw new IOException("closing the index of published files failed", e);
        } finally {
            use.writeLock().unlock();
        }
    }
}
