package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** Writes records to segments by way of one direct buffer, each by as few writes as possible. Of one thread at a time. */
final class SegmentWriter {
    private static final int STAGING_BYTES = 1 << 20;

    private final ByteBuffer staging = ByteBuffer.allocateDirect(STAGING_BYTES);

    /**
     * What is written besides the data.
     *
     * @param durable the index up to which the log is durable
     */
    record Front(ByteBuffer description, int dataBytes, int dataChecksum, long index, long durable) {}

    /**
     * Writes at the segment's end, which is not moved; when it throws, any part may have been written.
     *
     * @param data one after the other; positions and limits are not moved
     * @return where the first byte of the data is
     */
    long write(Segment segment, Front front, List<ByteBuffer> data) throws IOException {
        ByteBuffer description = front.description();
        long dataPosition = segment.end + RecordLayout.HEADER_BYTES + description.remaining();
        long end = segment.end + RecordLayout.recordBytes(description.remaining(), front.dataBytes());
        staging.clear();
        RecordLayout.put(
                staging,
                segment.head().salt(),
                description,
                front.dataBytes(),
                front.index(),
                front.durable(),
                front.dataChecksum());
        long at = segment.end;
        for (ByteBuffer piece : data) {
            ByteBuffer rest = piece.duplicate();
            while (rest.hasRemaining()) {
                if (!staging.hasRemaining()) {
                    at = writeStaged(segment, at);
                }
                int count = Math.min(staging.remaining(), rest.remaining());
                staging.put(staging.position(), rest, rest.position(), count);
                staging.position(staging.position() + count);
                rest.position(rest.position() + count);
            }
        }
        if (staging.remaining() < RecordLayout.ALIGNMENT) {
            at = writeStaged(segment, at);
        }
        while (at + staging.position() < end) {
            staging.put((byte) 0);
        }
        writeStaged(segment, at);
        return dataPosition;
    }

    private long writeStaged(Segment segment, long at) throws IOException {
        int count = staging.position();
        segment.file().write(staging.flip(), at);
        staging.clear();
        return at + count;
    }
}
