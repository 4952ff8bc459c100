package spigot.catalog.client;

import java.util.Arrays;
import java.util.Optional;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;
import spigot.transport.FailureException;
import spigot.transport.Messages;

/**
 * All names of one directory with their records, at one moment, in the order of the names' bytes. Immutable, safe for any
 * thread, and small: about 100 bytes an entry; records are made when asked for.
 */
public final class DirectoryListing {
    private static final int OBJECT_BYTES = 256;

    private final FileRecord own;
    private final FileId parent;
    private final int[] starts;
    private final PackedRecords packed;

    private DirectoryListing(FileRecord own, FileId parent, int[] starts, PackedRecords packed) {
        this.own = own;
        this.parent = parent;
        this.starts = starts;
        this.packed = packed;
    }

    /** The record of the directory itself. */
    public FileRecord own() {
        return own;
    }

    /** The directory that this one lies in; the root lies in itself. */
    public FileId parent() {
        return parent;
    }

    public int size() {
        return starts.length;
    }

    public FileName name(int index) {
        return FileName.of(packed.name(starts[index]));
    }

    public byte[] nameBytes(int index) {
        return packed.name(starts[index]);
    }

    public FileId id(int index) {
        return packed.id(starts[index]);
    }

    public FileKind kind(int index) {
        return packed.kind(starts[index]);
    }

    public FileRecord record(int index) {
        return packed.record(starts[index]);
    }

    /** @return the index of the name, or -1 when there is no such name */
    public int find(FileName name) {
        byte[] wanted = name.toArray();
        int low = 0;
        int high = starts.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = packed.compareName(starts[middle], wanted);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -1;
    }

    public Optional<FileRecord> lookup(FileName name) {
        int index = find(name);
        return index < 0 ? Optional.empty() : Optional.of(record(index));
    }

    /** The memory that this listing takes. */
    public long memoryBytes() {
        return OBJECT_BYTES + 4L * starts.length + packed.usedBytes();
    }

    /** Packs entries as they arrive. Not safe for threads. */
    static final class Builder {
        private int[] starts = new int[16];
        private int count;
        private final PackedRecords packed = new PackedRecords(1024);

        /** @throws FailureException BAD_REQUEST when the names do not come in the order of their bytes */
        void add(FileName name, FileRecord file) throws FailureException {
            byte[] bytes = name.toArray();
            if (count > 0 && packed.compareName(starts[count - 1], bytes) >= 0) {
                throw Messages.bad("order of names", name.toString());
            }
            if (count == starts.length) {
                starts = Arrays.copyOf(starts, count * 2);
            }
            starts[count++] = packed.append(bytes, file);
        }

        long memoryBytes() {
            return OBJECT_BYTES + 4L * count + packed.usedBytes();
        }

        DirectoryListing build(FileRecord own, FileId parent) {
            packed.trim();
            return new DirectoryListing(own, parent, Arrays.copyOf(starts, count), packed);
        }
    }
}
