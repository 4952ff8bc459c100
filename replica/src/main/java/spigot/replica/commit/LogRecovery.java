package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads at a start what earlier lives have left in the segments. The last one may end in a record that a crash left half written; it
 * is cut off. Everything else that is not as it was written is an error that names the file and the offset: acknowledged bytes are
 * never skipped in silence. Of one thread, once.
 */
final class LogRecovery {
    private static final Logger LOG = LoggerFactory.getLogger(LogRecovery.class);
    private static final int CHUNK_BYTES = 256 << 10;

    private final Store store;
    private final Set<Guard> guards;
    private final long covered;
    private final Visitor visitor;
    private final ByteBuffer front =
            ByteBuffer.allocateDirect(RecordLayout.HEADER_BYTES + RecordLayout.MOST_DESCRIPTION_BYTES);
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);

    /** Who is told of each record in the order of the log. */
    interface Visitor {
        void record(long index, LogRecord record, Segment segment, long dataPosition);
    }

    /** @param segments from the oldest on */
    record Result(List<Segment> segments, long nextSegment, long nextIndex) {}

    private record Found(Header header, LogRecord record) {}

    private record Header(RecordLayout.Header header, long dataPosition) {}

    /** @param covered the index up to which a snapshot has seen the log, which was durable then */
    private LogRecovery(Store store, Set<Guard> guards, long covered, Visitor visitor) {
        this.store = store;
        this.guards = guards;
        this.covered = covered;
        this.visitor = visitor;
    }

    /** @param firstSegment what lies before it is not needed, and deleted */
    static Result recover(Store store, Set<Guard> guards, long firstSegment, long covered, Visitor visitor)
            throws IOException {
        LogRecovery recovery = new LogRecovery(store, guards, covered, visitor);
        List<Segment> segments = new ArrayList<>();
        try {
            return recovery.recover(firstSegment, segments);
        } catch (IOException | RuntimeException e) {
            segments.forEach(Segment::release);
            throw e;
        }
    }

    private Result recover(long firstSegment, List<Segment> segments) throws IOException {
        List<Long> numbers = new ArrayList<>();
        for (String name : store.list()) {
            long number = Segment.number(name);
            if (number >= firstSegment) {
                numbers.add(number);
            } else if (number >= 0) {
                store.delete(name);
            }
        }
        numbers.sort(null);
        long nextNumber = firstSegment;
        long nextIndex = -1;
        for (long number : numbers) {
            if (number != nextNumber && guards.contains(Guard.NO_SEGMENT_MISSING)) {
                throw missing(Segment.name(nextNumber));
            }
            boolean last = number == numbers.getLast();
            Segment segment = open(number, last);
            if (segment == null) {
                break;
            }
            segments.add(segment);
            if (nextIndex >= 0 && segment.head().firstIndex() != nextIndex) {
                throw damaged(segment.file(), 0, "it does not go on where the one before it ends");
            }
            scan(segment, last);
            nextIndex = segment.lastIndex + 1;
            nextNumber = number + 1;
        }
        if (nextIndex <= covered && covered > 0 && guards.contains(Guard.NO_SEGMENT_MISSING)) {
            throw missing(Segment.name(nextNumber));
        }
        if (!segments.isEmpty() && guards.contains(Guard.SYNC_AT_START)) {
            makeDurable(segments.getLast());
        }
        return new Result(segments, nextNumber, Math.max(nextIndex, 1));
    }

    /**
     * The life before may have ended between writing this and making it durable, or because it could not: then the pages are here,
     * called clean by the kernel, and not on the disk. So they are written again, as they are.
     */
    private void makeDurable(Segment last) throws IOException {
        for (long at = 0; at < last.end; ) {
            chunk.clear().limit((int) Math.min(CHUNK_BYTES, last.end - at));
            int count = last.file().read(chunk, at);
            if (count == 0) {
                throw damaged(last.file(), at, "it has become shorter");
            }
            last.file().write(chunk.flip(), at);
            at += count;
        }
        last.file().syncData();
        store.syncNames();
    }

    private IOException missing(String name) {
        return new IOException(
                "the log in " + store.name() + " has no " + name
                        + ", which is needed: bring it back from where it was moved to; without it acknowledged writes are lost");
    }

    private static IOException damaged(StoredFile file, long offset, String what) {
        return new IOException("the log file " + file.name() + " is damaged at offset " + offset + ": " + what
                + "; what was acknowledged can't be read from it. Bring it back from a copy, or move the log away to go on"
                + " without what is not yet in the published files");
    }

    /** @return null when a crash came before it had a head, and so before it had a record */
    private @Nullable Segment open(long number, boolean last) throws IOException {
        String name = Segment.name(number);
        StoredFile file = store.open(name);
        boolean kept = false;
        try {
            ByteBuffer bytes = ByteBuffer.allocateDirect(RecordLayout.HEAD_BYTES);
            file.read(bytes, 0);
            RecordLayout.Head head = RecordLayout.Head.decode(bytes.flip());
            if (head != null && head.number() == number) {
                kept = true;
                return new Segment(file, head);
            }
            if (!last || file.size() > RecordLayout.HEAD_BYTES) {
                throw damaged(file, 0, "its head is wrong");
            }
        } finally {
            if (!kept) {
                file.close();
            }
        }
        store.delete(name);
        return null;
    }

    private void scan(Segment segment, boolean last) throws IOException {
        long size = segment.file().size();
        while (segment.end < size) {
            long index = segment.lastIndex + 1;
            Found found = read(segment, index, size);
            if (found == null) {
                cut(segment, index, size, last);
                return;
            }
            visitor.record(index, found.record(), segment, found.header().dataPosition());
            segment.end += found.header().header().recordBytes();
            segment.lastIndex = index;
        }
    }

    /** @return null when there is no whole record */
    private @Nullable Found read(Segment segment, long index, long size) throws IOException {
        long at = segment.end;
        segment.file().read(front.clear(), at);
        front.flip();
        if (front.limit() < RecordLayout.HEADER_BYTES) {
            return null;
        }
        RecordLayout.Header header = RecordLayout.Header.decode(front, 0);
        if (header == null
                || header.index() != index
                || front.limit() < RecordLayout.HEADER_BYTES + header.descriptionBytes()
                || at + header.recordBytes() > size) {
            return null;
        }
        boolean good = header.checksum() == RecordLayout.checksum(segment.head().salt(), front, 0, header);
        if (!good && guards.contains(Guard.HEADER_CHECKSUM)) {
            return null;
        }
        long dataPosition = at + RecordLayout.HEADER_BYTES + header.descriptionBytes();
        front.limit(RecordLayout.HEADER_BYTES + header.descriptionBytes()).position(RecordLayout.HEADER_BYTES);
        LogRecord record = RecordCodec.decode(front);
        if (guards.contains(Guard.DATA_CHECKSUM)
                && header.dataChecksum() != checksum(segment.file(), dataPosition, header.dataBytes())) {
            return null;
        }
        if (record == null) {
            throw damaged(segment.file(), at, "it has a record that this release does not know");
        }
        return new Found(new Header(header, dataPosition), record);
    }

    private int checksum(StoredFile file, long position, int bytes) throws IOException {
        CRC32C sum = new CRC32C();
        for (int done = 0; done < bytes; ) {
            chunk.clear().limit(Math.min(CHUNK_BYTES, bytes - done));
            int count = file.read(chunk, position + done);
            if (count == 0) {
                break;
            }
            sum.update(chunk.flip());
            done += count;
        }
        return (int) sum.getValue();
    }

    private void cut(Segment segment, long index, long size, boolean last) throws IOException {
        if (!last && guards.contains(Guard.TORN_ONLY_AT_THE_END)) {
            throw damaged(segment.file(), segment.end, "record " + index + " is wrong, and others follow");
        }
        if (guards.contains(Guard.NOT_TORN_WHAT_WAS_DURABLE)
                && (index <= covered || laterOneKnows(segment, index, size))) {
            throw damaged(segment.file(), segment.end, "record " + index + " is wrong, and was durable once");
        }
        LOG.info(
                "event=commit_log_cut file={} bytes={} kept={} records={}",
                segment.file().name(),
                size,
                segment.end,
                segment.lastIndex);
        if (guards.contains(Guard.CUT_TORN_END)) {
            segment.file().setSize(segment.end);
            segment.file().syncData();
        }
    }

    /** Whether a whole record behind the bad one says that this one was durable when it was written. */
    private boolean laterOneKnows(Segment segment, long index, long size) throws IOException {
        long at = segment.end + RecordLayout.ALIGNMENT;
        while (at + RecordLayout.HEADER_BYTES <= size) {
            segment.file().read(chunk.clear(), at);
            chunk.flip();
            int last = chunk.limit() - RecordLayout.HEADER_BYTES;
            if (last < 0) {
                return false;
            }
            int offset = 0;
            for (; offset <= last; offset += RecordLayout.ALIGNMENT) {
                RecordLayout.Header header = RecordLayout.Header.decode(chunk, offset);
                if (header != null
                        && header.index() > index
                        && header.durable() >= index
                        && isWhole(segment, at + offset, header)) {
                    return true;
                }
            }
            at += offset;
        }
        return false;
    }

    private boolean isWhole(Segment segment, long at, RecordLayout.Header header) throws IOException {
        segment.file().read(front.clear(), at);
        front.flip();
        return front.limit() >= RecordLayout.HEADER_BYTES + header.descriptionBytes()
                && header.checksum() == RecordLayout.checksum(segment.head().salt(), front, 0, header);
    }
}
