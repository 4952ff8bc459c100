package spigot.catalog.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The tables at one moment. To be closed soon: it keeps old data alive. For one thread at a time. */
public interface View extends AutoCloseable {
    /** Told each row of a scan, in the order of the keys' unsigned bytes. */
    @FunctionalInterface
    interface Rows {
        /** @return whether to go on */
        boolean row(byte[] key, byte[] value) throws IOException;
    }

    byte @Nullable [] get(Table table, byte[] key) throws IOException;

    /** As many {@link #get}; null where there is no such row. */
    default List<byte @Nullable []> get(Table table, List<byte[]> keys) throws IOException {
        List<byte @Nullable []> values = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            values.add(get(table, key));
        }
        return values;
    }

    /** All rows whose key begins with the prefix. */
    void scan(Table table, byte[] prefix, Rows rows) throws IOException;

    @Override
    void close();
}
