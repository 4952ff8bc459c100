package spigot.catalog.server;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Tables that live as long as the process, for tests and simulations: a commit copies the maps that it changes, so that views
 * stay what they were. Safe for any thread.
 */
final class MemoryTables implements Tables {
    private record State(Map<Table, NavigableMap<byte[], byte[]>> maps, Applied applied) {}

    private volatile State state;

    MemoryTables() {
        Map<Table, NavigableMap<byte[], byte[]>> maps = new EnumMap<>(Table.class);
        for (Table table : Table.values()) {
            maps.put(table, new TreeMap<>(Arrays::compareUnsigned));
        }
        state = new State(maps, Applied.NOTHING);
    }

    @Override
    public View view() {
        return new MemoryView(state.maps());
    }

    @Override
    public Applied applied() {
        return state.applied();
    }

    @Override
    public void commit(Transaction changes, Applied entry) {
        Map<Table, NavigableMap<byte[], byte[]>> maps = new EnumMap<>(state.maps());
        for (Table table : Table.values()) {
            NavigableMap<byte[], byte[]> copy = null;
            for (Transaction.Change change : changes.changes(table)) {
                if (copy == null) {
                    copy = new TreeMap<>(maps.get(table));
                    maps.put(table, copy);
                }
                byte[] after = change.after();
                if (after == null) {
                    copy.remove(change.key());
                } else {
                    copy.put(change.key(), after);
                }
            }
        }
        state = new State(maps, entry);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}

    private record MemoryView(Map<Table, NavigableMap<byte[], byte[]>> maps) implements View {
        @Override
        public byte @Nullable [] get(Table table, byte[] key) {
            return map(table).get(key);
        }

        @Override
        public void scan(Table table, byte[] prefix, Rows rows) throws IOException {
            for (Map.Entry<byte[], byte[]> entry :
                    map(table).tailMap(prefix, true).entrySet()) {
                if (!Keys.startsWith(entry.getKey(), prefix) || !rows.row(entry.getKey(), entry.getValue())) {
                    return;
                }
            }
        }

        private NavigableMap<byte[], byte[]> map(Table table) {
            NavigableMap<byte[], byte[]> map = maps.get(table);
            if (map == null) {
                throw new IllegalStateException("no table " + table);
            }
            return map;
        }

        @Override
        public void close() {}
    }
}
