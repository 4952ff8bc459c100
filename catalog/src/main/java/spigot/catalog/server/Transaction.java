package spigot.catalog.server;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Changes upon a {@link View} that are not made yet: reads see them. A row that got the value it had is not a change. For one
 * thread; bounded by what one command may touch.
 */
final class Transaction implements View {
    /** Of one row: what it was, and what it is to be. */
    private static final class Slot {
        final byte @Nullable [] before;
        byte @Nullable [] after;

        Slot(byte @Nullable [] before) {
            this.before = before;
            this.after = before;
        }

        boolean changed() {
            return !Arrays.equals(before, after);
        }
    }

    private static final class Key {
        private final byte[] bytes;
        private final int hash;

        Key(byte[] bytes) {
            this.bytes = bytes;
            this.hash = Arrays.hashCode(bytes);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key that && Arrays.equals(bytes, that.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    /** The rows of one table that were read, and those of them that were written, in order. */
    private static final class Rowset {
        final Map<Key, Slot> known = new HashMap<>();
        final NavigableMap<byte[], Slot> written = new TreeMap<>(Arrays::compareUnsigned);
    }

    /** A row that is to change. */
    static final class Change {
        private final byte[] key;
        private final byte @Nullable [] before;
        private final byte @Nullable [] after;

        Change(byte[] key, byte @Nullable [] before, byte @Nullable [] after) {
            this.key = key;
            this.before = before;
            this.after = after;
        }

        byte[] key() {
            return key;
        }

        /** Null: the row is new. */
        byte @Nullable [] before() {
            return before;
        }

        /** Null: the row goes. */
        byte @Nullable [] after() {
            return after;
        }
    }

    private final View base;
    private final Map<Table, Rowset> tables = new EnumMap<>(Table.class);

    Transaction(View base) {
        this.base = base;
        for (Table table : Table.values()) {
            tables.put(table, new Rowset());
        }
    }

    @Override
    public byte @Nullable [] get(Table table, byte[] key) throws IOException {
        return slot(table, key).after;
    }

    /** The row as it was before this transaction. */
    byte @Nullable [] before(Table table, byte[] key) throws IOException {
        return slot(table, key).before;
    }

    void put(Table table, byte[] key, byte[] value) throws IOException {
        write(table, key, slot(table, key), value);
    }

    /** A row that is known not to be there, so that nobody need look: its key has the id of a file that is new. */
    void insert(Table table, byte[] key, byte[] value) {
        Slot slot = of(table).known.computeIfAbsent(new Key(key), _ -> new Slot(null));
        write(table, key, slot, value);
    }

    void delete(Table table, byte[] key) throws IOException {
        write(table, key, slot(table, key), null);
    }

    private void write(Table table, byte[] key, Slot slot, byte @Nullable [] value) {
        slot.after = value;
        of(table).written.putIfAbsent(key, slot);
    }

    @Override
    public void scan(Table table, byte[] prefix, Rows rows) throws IOException {
        Iterator<Map.Entry<byte[], Slot>> own =
                of(table).written.tailMap(prefix, true).entrySet().iterator();
        // A copy of the few rows of our own: whoever is told a row may change the transaction.
        NavigableMap<byte[], byte @Nullable []> mine = new TreeMap<>(Arrays::compareUnsigned);
        while (own.hasNext()) {
            Map.Entry<byte[], Slot> next = own.next();
            if (!Keys.startsWith(next.getKey(), prefix)) {
                break;
            }
            if (next.getValue().changed()) {
                mine.put(next.getKey(), next.getValue().after);
            }
        }
        Merge merge = new Merge(mine, rows);
        base.scan(table, prefix, merge);
        merge.rest();
    }

    /** The rows of the base with our own among them. */
    private static final class Merge implements Rows {
        private final NavigableMap<byte[], byte @Nullable []> mine;
        private final Rows rows;
        private boolean wanted = true;

        Merge(NavigableMap<byte[], byte @Nullable []> mine, Rows rows) {
            this.mine = mine;
            this.rows = rows;
        }

        @Override
        public boolean row(byte[] key, byte[] value) throws IOException {
            while (wanted && !mine.isEmpty() && Arrays.compareUnsigned(mine.firstKey(), key) < 0) {
                first();
            }
            if (wanted && !mine.isEmpty() && Arrays.equals(mine.firstKey(), key)) {
                first();
            } else if (wanted) {
                wanted = rows.row(key, value);
            }
            return wanted;
        }

        void rest() throws IOException {
            while (wanted && !mine.isEmpty()) {
                first();
            }
        }

        private void first() throws IOException {
            Map.Entry<byte[], byte @Nullable []> entry = mine.pollFirstEntry();
            byte[] value = entry.getValue();
            if (value != null) {
                wanted = rows.row(entry.getKey(), value);
            }
        }
    }

    /** What is to change in a table, in the order of the keys. */
    Iterable<Change> changes(Table table) {
        return () -> of(table).written.entrySet().stream()
                .filter(entry -> entry.getValue().changed())
                .map(entry -> new Change(entry.getKey(), entry.getValue().before, entry.getValue().after))
                .iterator();
    }

    boolean isEmpty() {
        for (Table table : Table.values()) {
            if (changes(table).iterator().hasNext()) {
                return false;
            }
        }
        return true;
    }

    private Slot slot(Table table, byte[] key) throws IOException {
        Map<Key, Slot> known = of(table).known;
        Key wanted = new Key(key);
        Slot slot = known.get(wanted);
        if (slot == null) {
            slot = new Slot(base.get(table, key));
            known.put(wanted, slot);
        }
        return slot;
    }

    private Rowset of(Table table) {
        Rowset rows = tables.get(table);
        if (rows == null) {
            throw new IllegalStateException("no table " + table);
        }
        return rows;
    }

    /** The base is closed by whoever opened it. */
    @Override
    public void close() {}
}
