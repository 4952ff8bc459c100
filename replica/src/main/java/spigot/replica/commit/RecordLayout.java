package spigot.replica.commit;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Where what lies in a segment, big-endian, for writer and reader: a head, then records, each a header, a description ({@link
 * RecordCodec}), the data, and zeros up to a multiple of {@value #ALIGNMENT} bytes. Checksums begin with the segment's salt, so that
 * nobody can make data that looks like a record.
 */
final class RecordLayout {
    static final int ALIGNMENT = 8;

    private static final int HEAD_MAGIC = 0x53504753;
    private static final int FORMAT = 1;
    private static final int HEAD_CHECKSUM = 4;
    private static final int HEAD_FORMAT = 8;
    private static final int HEAD_NUMBER = 16;
    private static final int HEAD_FIRST_INDEX = 24;
    private static final int HEAD_SALT = 32;
    static final int HEAD_BYTES = 40;

    private static final int MAGIC_VALUE = 0x53504752;
    private static final int MAGIC = 0;
    private static final int CHECKSUM = 4;
    private static final int DESCRIPTION_BYTES = 8;
    private static final int DATA_BYTES = 12;
    private static final int INDEX = 16;
    private static final int DURABLE = 24;
    private static final int DATA_CHECKSUM = 32;
    static final int HEADER_BYTES = 40;

    static final int MOST_DESCRIPTION_BYTES = 8192;

    private RecordLayout() {}

    /** The head of a segment. */
    record Head(long number, long firstIndex, long salt) {
        ByteBuffer encode() {
            ByteBuffer head = ByteBuffer.allocateDirect(HEAD_BYTES);
            head.putInt(0, HEAD_MAGIC)
                    .putInt(HEAD_FORMAT, FORMAT)
                    .putLong(HEAD_NUMBER, number)
                    .putLong(HEAD_FIRST_INDEX, firstIndex)
                    .putLong(HEAD_SALT, salt);
            return head.putInt(HEAD_CHECKSUM, checksum(0, head, HEAD_FORMAT, HEAD_BYTES));
        }

        /** @return null when it is none */
        static @org.jspecify.annotations.Nullable Head decode(ByteBuffer from) {
            boolean good = from.limit() == HEAD_BYTES
                    && from.getInt(0) == HEAD_MAGIC
                    && from.getInt(HEAD_FORMAT) == FORMAT
                    && from.getInt(HEAD_CHECKSUM) == checksum(0, from, HEAD_FORMAT, HEAD_BYTES);
            return good
                    ? new Head(from.getLong(HEAD_NUMBER), from.getLong(HEAD_FIRST_INDEX), from.getLong(HEAD_SALT))
                    : null;
        }
    }

    /**
     * The header of a record.
     *
     * @param index of the record in the log
     * @param durable the index up to which the log was durable when this record was written
     */
    record Header(int descriptionBytes, int dataBytes, long index, long durable, int dataChecksum, int checksum) {
        /** Null when these bytes can't be one. */
        static @org.jspecify.annotations.Nullable Header decode(ByteBuffer from, int at) {
            if (from.getInt(at + MAGIC) != MAGIC_VALUE) {
                return null;
            }
            Header header = new Header(
                    from.getInt(at + DESCRIPTION_BYTES),
                    from.getInt(at + DATA_BYTES),
                    from.getLong(at + INDEX),
                    from.getLong(at + DURABLE),
                    from.getInt(at + DATA_CHECKSUM),
                    from.getInt(at + CHECKSUM));
            boolean possible = header.descriptionBytes > 0
                    && header.descriptionBytes <= MOST_DESCRIPTION_BYTES
                    && header.dataBytes >= 0
                    && header.dataBytes <= CommitLimits.MOST_DATA_BYTES;
            return possible ? header : null;
        }

        long recordBytes() {
            return RecordLayout.recordBytes(descriptionBytes, dataBytes);
        }
    }

    static long recordBytes(int descriptionBytes, long dataBytes) {
        return (HEADER_BYTES + descriptionBytes + dataBytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Puts header and description at the buffer's position. */
    static void put(
            ByteBuffer to, long salt, ByteBuffer description, int dataBytes, long index, long durable, int dataSum) {
        int at = to.position();
        to.putInt(MAGIC_VALUE)
                .putInt(0)
                .putInt(description.remaining())
                .putInt(dataBytes)
                .putLong(index)
                .putLong(durable)
                .putInt(dataSum)
                .putInt(0)
                .put(description.duplicate());
        to.putInt(at + CHECKSUM, checksum(salt, to, at + DESCRIPTION_BYTES, to.position()));
    }

    /** Of a header and its description that begin at {@code at}. */
    static int checksum(long salt, ByteBuffer from, int at, Header header) {
        return checksum(salt, from, at + DESCRIPTION_BYTES, at + HEADER_BYTES + header.descriptionBytes());
    }

    private static int checksum(long salt, ByteBuffer from, int begin, int end) {
        CRC32C sum = new CRC32C();
        sum.update(ByteBuffer.allocate(Long.BYTES).putLong(0, salt));
        sum.update(from.duplicate().limit(end).position(begin));
        return (int) sum.getValue();
    }
}
