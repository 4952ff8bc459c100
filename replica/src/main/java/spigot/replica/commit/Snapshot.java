package spigot.replica.commit;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.model.FileId;
import spigot.replica.commit.OperationKey.SessionKey;

/**
 * What the log has made of the world up to a record, but for the bytes that are still in it: written as a file of its own before
 * segments are deleted, so that a start reads this and the remaining segments. The newest whole one counts; an older one is deleted
 * only after that.
 *
 * @param covered the index of the last record that it knows
 * @param firstSegment the oldest segment that is still needed
 */
record Snapshot(long covered, long firstSegment, List<FileView.Stored> files, List<Answers.Kept> answers) {
    private static final Logger LOG = LoggerFactory.getLogger(Snapshot.class);
    private static final String PREFIX = "snapshot-";
    private static final long MAGIC = 0x53504753_4e410001L;
    private static final int FRONT_BYTES = 8 + 8 + 4;
    private static final int FILE_BYTES = 16 + 8 + 16 + 8 + 8 + 48 + 8 + 8;
    private static final int SESSION_BYTES = 24 + 8 + 4;
    private static final int ANSWER_BYTES = 8 + 16 + 8;
    private static final int CHUNK_BYTES = 1 << 20;
    private static final long MOST_BYTES = 1L << 30;

    static final Snapshot NONE = new Snapshot(0, 1, List.of(), List.of());

    private static String name(long covered) {
        return String.format("%s%016d", PREFIX, covered);
    }

    private static boolean isName(String name) {
        return name.startsWith(PREFIX) && name.substring(PREFIX.length()).matches("[0-9]{16}");
    }

    // ---- writing

    /**
     * Durable when it returns; older ones are gone then. Whatever fails leaves the older one to count, whose name is another: each
     * snapshot comes after the record of a folding, and covers it.
     */
    void write(Store store) throws IOException {
        String name = name(covered);
        try (StoredFile file = store.create(name)) {
            ByteBuffer all = encode();
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
            while (all.hasRemaining()) {
                long at = all.position();
                int count = Math.min(CHUNK_BYTES, all.remaining());
                chunk.clear().put(0, all, all.position(), count).limit(count);
                all.position(all.position() + count);
                file.write(chunk, at);
            }
            file.syncData();
        } catch (IOException e) {
            try {
                store.delete(name);
            } catch (IOException left) {
                e.addSuppressed(left);
            }
            throw e;
        }
        store.syncNames();
        for (String other : store.list()) {
            if (isName(other) && other.compareTo(name) < 0) {
                store.delete(other);
            }
        }
    }

    private ByteBuffer encode() throws IOException {
        long bytes = FRONT_BYTES + 8 + 8 + 4 + 4 + (long) files.size() * FILE_BYTES;
        for (Answers.Kept kept : answers) {
            bytes += SESSION_BYTES + (long) kept.answers().size() * ANSWER_BYTES;
        }
        if (bytes > MOST_BYTES) {
            throw new IOException(
                    "a snapshot of the log would have " + bytes + " bytes, of " + files.size() + " files");
        }
        ByteBuffer to =
                ByteBuffer.allocate((int) bytes).putLong(MAGIC).putLong(bytes).putInt(0);
        to.putLong(covered).putLong(firstSegment).putInt(files.size());
        files.forEach(file -> put(to, file));
        to.putInt(answers.size());
        answers.forEach(kept -> put(to, kept));
        to.flip().putInt(FRONT_BYTES - 4, checksum(to));
        return to;
    }

    private static int checksum(ByteBuffer all) {
        CRC32C sum = new CRC32C();
        sum.update(all.duplicate().position(FRONT_BYTES));
        return (int) sum.getValue();
    }

    private static void put(ByteBuffer to, FileView.Stored file) {
        RecordCodec.putVersion(RecordCodec.putFile(to, file.file()).putLong(file.epoch()), file.version())
                .putLong(file.size())
                .putLong(file.modifiedNanos());
        RecordCodec.putFingerprint(to, file.fingerprint())
                .putLong(file.lastIndex())
                .putLong(file.foldedThrough());
    }

    private static void put(ByteBuffer to, Answers.Kept kept) {
        RecordCodec.putSession(to, kept.session())
                .putLong(kept.heardBelow())
                .putInt(kept.answers().size());
        kept.answers()
                .forEach((number, answer) -> RecordCodec.putVersion(to.putLong(number), answer.version())
                        .putLong(answer.size()));
    }

    // ---- reading

    /** The newest whole one; {@link #NONE} when there is none. */
    static Snapshot newest(Store store, Set<Guard> guards) throws IOException {
        List<String> names =
                new ArrayList<>(store.list().stream().filter(Snapshot::isName).toList());
        names.sort(Comparator.reverseOrder());
        for (String name : names) {
            Snapshot read = read(store, name, guards);
            if (read != null) {
                store.syncNames();
                return read;
            }
            // Of a crash while it was written; if not, the segments before it are missed.
            LOG.info("event=commit_snapshot_not_whole store={} name={}", store.name(), name);
        }
        return NONE;
    }

    private static @Nullable Snapshot read(Store store, String name, Set<Guard> guards) throws IOException {
        try (StoredFile file = store.open(name)) {
            long size = file.size();
            if (size < FRONT_BYTES || size > MOST_BYTES) {
                return null;
            }
            ByteBuffer all = ByteBuffer.allocateDirect((int) size);
            file.read(all, 0);
            all.flip();
            boolean whole = all.limit() == size
                    && all.getLong() == MAGIC
                    && all.getLong() == size
                    && all.getInt() == checksum(all);
            if (!whole) {
                return null;
            }
            Snapshot decoded = decode(all);
            if (guards.contains(Guard.SYNC_AT_START)) {
                // As LogRecovery does with the last segment: segments are deleted because of it.
                file.write(all.rewind(), 0);
                file.syncData();
            }
            return decoded;
        } catch (BufferUnderflowException e) {
            return null;
        }
    }

    private static Snapshot decode(ByteBuffer from) {
        long covered = from.getLong();
        long firstSegment = from.getLong();
        int fileCount = from.getInt();
        List<FileView.Stored> files = new ArrayList<>();
        for (int i = 0; i < fileCount; i++) {
            files.add(getFile(from));
        }
        int sessionCount = from.getInt();
        List<Answers.Kept> answers = new ArrayList<>();
        for (int i = 0; i < sessionCount; i++) {
            answers.add(getKept(from));
        }
        return new Snapshot(covered, firstSegment, files, answers);
    }

    private static FileView.Stored getFile(ByteBuffer from) {
        FileId file = RecordCodec.getFile(from);
        return new FileView.Stored(
                file,
                from.getLong(),
                RecordCodec.getVersion(from),
                from.getLong(),
                from.getLong(),
                RecordCodec.getFingerprint(from),
                from.getLong(),
                from.getLong());
    }

    private static Answers.Kept getKept(ByteBuffer from) {
        SessionKey session = RecordCodec.getSession(from);
        long heardBelow = from.getLong();
        int count = from.getInt();
        Map<Long, Committed> answers = new TreeMap<>(Long::compareUnsigned);
        for (int i = 0; i < count; i++) {
            long number = from.getLong();
            answers.put(number, new Committed(RecordCodec.getVersion(from), from.getLong()));
        }
        return new Answers.Kept(session, heardBelow, answers);
    }
}
