package spigot.catalog.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;

/** The tables as of one RocksDB snapshot. For one thread at a time; idempotent {@link #close}. */
final class RocksView implements View {
    private final RocksDB database;
    private final Function<Table, ColumnFamilyHandle> families;
    private final Runnable closed;
    private final Snapshot snapshot;
    private final ReadOptions reading;
    private boolean open = true;

    RocksView(RocksDB database, Function<Table, ColumnFamilyHandle> families, Runnable closed) {
        this.database = database;
        this.families = families;
        this.closed = closed;
        this.snapshot = database.getSnapshot();
        this.reading = new ReadOptions().setSnapshot(snapshot);
    }

    @Override
    public byte @Nullable [] get(Table table, byte[] key) throws IOException {
        try {
            return database.get(families.apply(table), reading, key);
        } catch (RocksDBException e) {
            throw unreadable(e);
        }
    }

    @Override
    public List<byte @Nullable []> get(Table table, List<byte[]> keys) throws IOException {
        try {
            List<ColumnFamilyHandle> family = Collections.nCopies(keys.size(), families.apply(table));
            return new ArrayList<>(database.multiGetAsList(reading, family, keys));
        } catch (RocksDBException e) {
            throw unreadable(e);
        }
    }

    @Override
    public void scan(Table table, byte[] prefix, Rows rows) throws IOException {
        byte[] end = after(prefix);
        try (Slice upperBound = end.length == 0 ? null : new Slice(end);
                ReadOptions bounded = new ReadOptions().setSnapshot(snapshot)) {
            if (upperBound != null) {
                bounded.setIterateUpperBound(upperBound);
            }
            try (RocksIterator row = database.newIterator(families.apply(table), bounded)) {
                for (row.seek(prefix); row.isValid(); row.next()) {
                    if (!rows.row(row.key(), row.value())) {
                        return;
                    }
                }
                row.status();
            }
        } catch (RocksDBException e) {
            throw unreadable(e);
        }
    }

    /** The smallest key behind all that begin with the prefix; empty when there is none. */
    private static byte[] after(byte[] prefix) {
        int length = prefix.length;
        while (length > 0 && prefix[length - 1] == (byte) 0xff) {
            length--;
        }
        byte[] end = java.util.Arrays.copyOf(prefix, length);
        if (length > 0) {
            end[length - 1]++;
        }
        return end;
    }

    private static IOException unreadable(RocksDBException e) {
        return new IOException("the catalog's tables can't be read: " + e.getMessage(), e);
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            reading.close();
            database.releaseSnapshot(snapshot);
            closed.run();
        }
    }
}
