package spigot.mount;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import spigot.cache.FileClient;
import spigot.cache.OpenFile;
import spigot.model.FileId;
import spigot.model.FileRecord;
import spigot.model.RawBytes;
import spigot.model.Version;

/**
 * The extended attributes that files have of their own: asked for at the home, and kept while the file's change time, which a
 * change of an attribute moves, stays the same. What a file's {@link spigot.model.XattrKinds kinds} tell is not asked for. Safe for any thread;
 * {@link #value} and {@link #names} block, without a lock.
 *
 * <p>The home is asked about regular files only: directories and symbolic links have none here.
 */
final class FileXattrs {
    private static final int ENTRY_BYTES = 128;
    private static final RawBytes SELINUX = RawBytes.ofUtf8("security.selinux");

    private final FileClient files;
    private final long budgetBytes;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<FileId, Known> known = new LinkedHashMap<>(16, 0.75f, true);

    @GuardedBy("lock")
    private long bytes;

    /** What a file has under a name; empty: there is no such attribute. */
    record Value(Optional<RawBytes> bytes) {
        static final Value NONE = new Value(Optional.empty());
    }

    /** What is known of one file at one moment of its history. */
    private static final class Known {
        final Version version;
        final long changedNanos;

        @Nullable
        List<RawBytes> names;

        final Map<RawBytes, Value> values = new HashMap<>();
        long bytes = ENTRY_BYTES;

        Known(FileRecord record) {
            version = record.version();
            changedNanos = record.attributes().changedNanos();
        }

        boolean isOf(FileRecord record) {
            return version.equals(record.version())
                    && changedNanos == record.attributes().changedNanos();
        }
    }

    FileXattrs(FileClient files, long budgetBytes) {
        this.files = files;
        this.budgetBytes = budgetBytes;
    }

    /** A label of the publishing machine's security policy: says nothing here, and programs ask for it all the time. */
    static boolean isForeignLabel(RawBytes name) {
        return name.equals(SELINUX);
    }

    private static boolean mayHave(FileRecord record, RawBytes name) {
        return record.attributes().isRegular() && record.attributes().xattrs().mayHave(name);
    }

    /** The value if it is known without asking, else null. */
    @Nullable
    Value cachedValue(FileRecord record, RawBytes name) {
        if (!mayHave(record, name)) {
            return Value.NONE;
        }
        lock.lock();
        try {
            Known file = known.get(record.id());
            if (file == null || !file.isOf(record)) {
                return null;
            }
            return file.names != null && !file.names.contains(name) ? Value.NONE : file.values.get(name);
        } finally {
            lock.unlock();
        }
    }

    /** The names if they are known without asking, else null. */
    @Nullable
    List<RawBytes> cachedNames(FileRecord record) {
        if (!record.attributes().isRegular()) {
            return List.of();
        }
        Optional<List<RawBytes>> told = record.attributes().xattrs().names();
        if (told.isPresent()) {
            return told.get();
        }
        lock.lock();
        try {
            Known file = known.get(record.id());
            return file != null && file.isOf(record) ? file.names : null;
        } finally {
            lock.unlock();
        }
    }

    Value value(FileRecord record, RawBytes name) throws IOException, InterruptedException {
        Value cached = cachedValue(record, name);
        if (cached != null) {
            return cached;
        }
        try (OpenFile file = files.open(record)) {
            byte[] raw = file.xattr(name);
            Value value = raw == null ? Value.NONE : new Value(Optional.of(RawBytes.copyOf(raw)));
            keep(record, name.length() + (raw == null ? 0 : raw.length), entry -> entry.values.put(name, value));
            return value;
        }
    }

    List<RawBytes> names(FileRecord record) throws IOException, InterruptedException {
        List<RawBytes> cached = cachedNames(record);
        if (cached != null) {
            return cached;
        }
        try (OpenFile file = files.open(record)) {
            List<RawBytes> names = List.copyOf(file.xattrNames());
            int length = names.stream().mapToInt(RawBytes::length).sum();
            keep(record, length, entry -> entry.names = names);
            return names;
        }
    }

    private void keep(FileRecord record, int moreBytes, java.util.function.Consumer<Known> what) {
        lock.lock();
        try {
            Known file = known.get(record.id());
            if (file == null || !file.isOf(record)) {
                if (file != null) {
                    bytes -= file.bytes;
                }
                file = new Known(record);
                bytes += file.bytes;
                known.put(record.id(), file);
            }
            what.accept(file);
            file.bytes += ENTRY_BYTES + moreBytes;
            bytes += ENTRY_BYTES + moreBytes;
            for (var eldest = known.entrySet().iterator(); bytes > budgetBytes && eldest.hasNext(); ) {
                bytes -= eldest.next().getValue().bytes;
                eldest.remove();
            }
        } finally {
            lock.unlock();
        }
    }
}
