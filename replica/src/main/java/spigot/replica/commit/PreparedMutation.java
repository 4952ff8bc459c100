package spigot.replica.commit;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import spigot.linux.Errno;
import spigot.linux.SystemCallException;

/** A mutation that was looked at, before its turn comes: within the bounds, its bytes counted and their checksum known. Immutable. */
record PreparedMutation(Mutation mutation, List<ByteBuffer> data, int dataBytes, int checksum) {
    private static final long DESCRIPTION_BYTES = 512;

    /** What it makes of a file. */
    record Effect(long size, List<Change> changes) {}

    /**
     * @throws SystemCallException EINVAL, EFBIG
     * @throws CommitRefusedException TOO_MANY ranges or bytes
     */
    static PreparedMutation of(Mutation mutation) throws SystemCallException, CommitRefusedException {
        List<ByteBuffer> data = new ArrayList<>();
        switch (mutation) {
            case Mutation.Write write -> {
                if (write.pieces().size() > CommitLimits.MOST_RANGES) {
                    throw tooMany(write.pieces().size() + " ranges");
                }
                for (Mutation.Piece piece : write.pieces()) {
                    checkRange(piece.offset(), piece.bytes().remaining());
                    data.add(piece.bytes().duplicate());
                }
            }
            case Mutation.Append append -> data.add(append.bytes().duplicate());
            case Mutation.Resize resize -> checkRange(0, resize.size());
            case Mutation.Punch punch -> checkSpace(punch.offset(), punch.length());
            case Mutation.Zero zero -> checkSpace(zero.offset(), zero.length());
        }
        CRC32C sum = new CRC32C();
        long bytes = 0;
        for (ByteBuffer piece : data) {
            bytes += piece.remaining();
            sum.update(piece.duplicate());
        }
        if (bytes > CommitLimits.MOST_DATA_BYTES) {
            throw tooMany(bytes + " bytes");
        }
        return new PreparedMutation(mutation, List.copyOf(data), (int) bytes, (int) sum.getValue());
    }

    private static void checkRange(long offset, long length) throws SystemCallException {
        if (offset < 0 || length < 0) {
            throw new SystemCallException("change", "a file at offset " + offset, Errno.EINVAL);
        }
        if (offset > CommitLimits.MOST_FILE_BYTES || length > CommitLimits.MOST_FILE_BYTES - offset) {
            throw new SystemCallException("change", "a file at offset " + offset, Errno.EFBIG);
        }
    }

    /** As fallocate(2). */
    private static void checkSpace(long offset, long length) throws SystemCallException {
        if (length == 0) {
            throw new SystemCallException("change", "no bytes of a file", Errno.EINVAL);
        }
        checkRange(offset, length);
    }

    private static CommitRefusedException tooMany(String what) {
        return new CommitRefusedException(
                CommitRefusedException.Reason.TOO_MANY,
                "a commit of " + what + ": at most " + CommitLimits.MOST_RANGES + " ranges and "
                        + CommitLimits.MOST_DATA_BYTES + " bytes; make several of it");
    }

    /** A bound of what its record takes. */
    long recordBytes() {
        return RecordLayout.recordBytes(RecordLayout.MOST_DESCRIPTION_BYTES, 0) * (ranges() > 1 ? 1 : 0)
                + DESCRIPTION_BYTES
                + dataBytes;
    }

    /** How many changes it has at most. */
    int ranges() {
        return mutation instanceof Mutation.Write write ? write.pieces().size() : 1;
    }

    /** @param size of the file when its turn has come */
    Effect on(long size, Set<Guard> guards) throws SystemCallException {
        return switch (mutation) {
            case Mutation.Write write -> {
                List<Change> changes = new ArrayList<>();
                long end = size;
                for (Mutation.Piece piece : write.pieces()) {
                    Change change = new Change(piece.offset(), piece.bytes().remaining(), true);
                    if (change.length() > 0) {
                        changes.add(change);
                        end = Math.max(end, change.end());
                    }
                }
                yield new Effect(end, changes);
            }
            case Mutation.Append _ -> {
                checkRange(size, dataBytes);
                yield new Effect(size + dataBytes, List.of(new Change(size, dataBytes, true)));
            }
            case Mutation.Resize resize -> {
                boolean cut = resize.size() < size && guards.contains(Guard.CUT_BYTES_ARE_ZEROS);
                yield new Effect(resize.size(), cut ? List.of(Change.zerosFrom(resize.size())) : List.of());
            }
            case Mutation.Punch punch -> {
                long end = Math.min(size, punch.offset() + punch.length());
                yield new Effect(
                        size,
                        end > punch.offset()
                                ? List.of(new Change(punch.offset(), end - punch.offset(), false))
                                : List.of());
            }
            case Mutation.Zero zero ->
                new Effect(
                        Math.max(size, zero.offset() + zero.length()),
                        List.of(new Change(zero.offset(), zero.length(), false)));
        };
    }
}
