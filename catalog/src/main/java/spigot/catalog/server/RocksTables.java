package spigot.catalog.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.FlushOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * The tables in RocksDB, a column family each. There is no write-ahead log: the Raft log is one. All families are flushed
 * together, so that what survives a crash is what they were after one certain entry, and that entry's number is among it.
 * Safe for any thread; one thread commits.
 */
final class RocksTables implements Tables {
    private static final long CACHE_BYTES = 32L << 20;
    private static final long WRITE_BUFFER_BYTES = 8L << 20;
    private static final long ALL_WRITE_BUFFERS_BYTES = 32L << 20;
    private static final int OPEN_FILES = 256;
    private static final int BLOOM_BITS = 10;
    private static final byte[] APPLIED = Keys.metadata("applied");

    private final RocksDB database;
    private final List<AutoCloseable> options;
    private final Map<Table, ColumnFamilyHandle> families;
    private final List<ColumnFamilyHandle> handles;
    private final WriteOptions withoutLog = new WriteOptions().setDisableWAL(true);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition viewClosed = lock.newCondition();
    private int views;
    private boolean closed;
    private volatile Applied applied;

    private RocksTables(
            RocksDB database,
            List<AutoCloseable> options,
            Map<Table, ColumnFamilyHandle> families,
            List<ColumnFamilyHandle> handles)
            throws RocksDBException {
        this.database = database;
        this.options = options;
        this.families = families;
        this.handles = handles;
        byte[] value = database.get(family(Table.METADATA), APPLIED);
        if (value == null) {
            applied = Applied.NOTHING;
        } else {
            ByteBuffer buffer = ByteBuffer.wrap(value);
            applied = new Applied(buffer.getLong(), buffer.getLong());
        }
    }

    static RocksTables open(Path directory) throws IOException {
        Files.createDirectories(directory);
        RocksLibrary.load(directory);
        List<AutoCloseable> options = new ArrayList<>();
        Cache cache = new LRUCache(CACHE_BYTES);
        options.add(cache);
        BloomFilter filter = new BloomFilter(BLOOM_BITS, false);
        options.add(filter);
        ColumnFamilyOptions familyOptions = new ColumnFamilyOptions()
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setMaxWriteBufferNumber(3)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setTableFormatConfig(new BlockBasedTableConfig()
                        .setBlockCache(cache)
                        .setFilterPolicy(filter)
                        .setCacheIndexAndFilterBlocks(true));
        options.add(familyOptions);
        DBOptions databaseOptions = new DBOptions()
                .setCreateIfMissing(true)
                .setCreateMissingColumnFamilies(true)
                .setAtomicFlush(true)
                .setDbWriteBufferSize(ALL_WRITE_BUFFERS_BYTES)
                .setMaxOpenFiles(OPEN_FILES)
                .setMaxBackgroundJobs(2)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setKeepLogFileNum(2);
        options.add(databaseOptions);
        List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
        descriptors.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, familyOptions));
        for (Table table : Table.values()) {
            descriptors.add(new ColumnFamilyDescriptor(
                    table.name().toLowerCase(java.util.Locale.ROOT).getBytes(StandardCharsets.UTF_8), familyOptions));
        }
        List<ColumnFamilyHandle> handles = new ArrayList<>();
        try {
            RocksDB database = RocksDB.open(databaseOptions, directory.toString(), descriptors, handles);
            Map<Table, ColumnFamilyHandle> families = new EnumMap<>(Table.class);
            // In the order of the descriptors, the default family first.
            Iterator<ColumnFamilyHandle> opened = handles.iterator();
            opened.next();
            for (Table table : Table.values()) {
                families.put(table, opened.next());
            }
            return new RocksTables(database, options, families, handles);
        } catch (RocksDBException e) {
            closeAll(options);
            throw new IOException(
                    "the catalog's tables in " + directory + " can't be opened: " + e.getMessage()
                            + " (is another server using the directory?)",
                    e);
        }
    }

    @Override
    public View view() throws IOException {
        lock.lock();
        try {
            requireOpen();
            views++;
        } finally {
            lock.unlock();
        }
        return new RocksView(database, this::family, this::viewIsClosed);
    }

    private void viewIsClosed() {
        lock.lock();
        try {
            views--;
            viewClosed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Applied applied() {
        return applied;
    }

    @Override
    public void commit(Transaction changes, Applied entry) throws IOException {
        try (WriteBatch batch = new WriteBatch()) {
            for (Table table : Table.values()) {
                ColumnFamilyHandle family = family(table);
                for (Transaction.Change change : changes.changes(table)) {
                    byte[] after = change.after();
                    if (after == null) {
                        batch.delete(family, change.key());
                    } else {
                        batch.put(family, change.key(), after);
                    }
                }
            }
            byte[] mark = ByteBuffer.allocate(2 * Long.BYTES)
                    .putLong(entry.term())
                    .putLong(entry.index())
                    .array();
            batch.put(family(Table.METADATA), APPLIED, mark);
            database.write(withoutLog, batch);
            applied = entry;
        } catch (RocksDBException e) {
            throw new IOException("the catalog's tables can't be written: " + e.getMessage(), e);
        }
    }

    @Override
    public void flush() throws IOException {
        try (FlushOptions wait = new FlushOptions().setWaitForFlush(true)) {
            database.flush(wait, handles);
        } catch (RocksDBException e) {
            throw new IOException("the catalog's tables can't be flushed: " + e.getMessage(), e);
        }
    }

    private ColumnFamilyHandle family(Table table) {
        ColumnFamilyHandle family = families.get(table);
        if (family == null) {
            throw new IllegalStateException("no column family for " + table);
        }
        return family;
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the catalog is closed");
        }
    }

    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            while (views > 0) {
                viewClosed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
        // RocksDB flushes all families here, as there is no write-ahead log.
        handles.forEach(ColumnFamilyHandle::close);
        database.close();
        withoutLog.close();
        closeAll(options);
    }

    private static void closeAll(List<? extends AutoCloseable> options) throws IOException {
        for (AutoCloseable option : options.reversed()) {
            try {
                option.close();
            } catch (Exception e) {
                throw new IOException("an option of RocksDB can't be closed", e);
            }
        }
    }

    /** For tests: how many views are open. */
    int openViews() {
        lock.lock();
        try {
            return views;
        } finally {
            lock.unlock();
        }
    }

    @Nullable
    String property(String name) throws IOException {
        try {
            return database.getProperty(name);
        } catch (RocksDBException e) {
            throw new IOException("RocksDB has no property " + name, e);
        }
    }
}
