package spigot.replica.commit;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Reads a version of a file: the published file, overlaid by what is still in the log. Stateless; blocks on the disk; allocates nothing. */
final class DeltaReader {
    private DeltaReader() {}

    /**
     * Fills the buffer up to its limit, less at the end of the file; afterwards its limit is at its position, behind what was read.
     * Both are anywhere after false, or an exception.
     *
     * @return false when a part of the log that the view needs is gone, as the view was folded meanwhile: a newer one has it
     */
    static boolean read(FileView view, StoredFile published, long offset, ByteBuffer into) throws IOException {
        int begin = into.position();
        int wanted = Math.clamp(view.size() - offset, 0, into.remaining());
        into.limit(begin + wanted);
        DeltaMap delta = view.delta();
        int limit = into.limit();
        int range = delta.firstBehind(offset);
        while (into.position() < limit) {
            long at = offset + into.position() - begin;
            boolean inRange = range < delta.size() && delta.start(range) <= at;
            long next = inRange ? delta.end(range) : range < delta.size() ? delta.start(range) : Long.MAX_VALUE;
            into.limit((int) Math.min(limit, into.position() + Math.min(next - at, wanted)));
            if (!inRange) {
                published.read(into, at);
                zero(into);
            } else {
                Segment segment = delta.segment(range);
                if (segment == null) {
                    zero(into);
                } else if (!read(segment, delta.position(range) + at - delta.start(range), into)) {
                    return false;
                }
                range++;
            }
        }
        into.limit(into.position());
        return true;
    }

    private static boolean read(Segment segment, long position, ByteBuffer into) throws IOException {
        if (!segment.retain()) {
            return false;
        }
        try {
            segment.file().read(into, position);
            if (into.hasRemaining()) {
                throw shortened(segment.file());
            }
            return true;
        } finally {
            segment.release();
        }
    }

    private static IOException shortened(StoredFile file) {
        return new IOException("the log file " + file.name() + " is shorter than it was written: look who changes it");
    }

    private static void zero(ByteBuffer into) {
        while (into.remaining() >= Long.BYTES) {
            into.putLong(0);
        }
        while (into.hasRemaining()) {
            into.put((byte) 0);
        }
    }

    /** The segment behind a range, which must be there as long as the range is in the newest view. */
    static void copy(@Nullable Segment segment, long position, ByteBuffer into) throws IOException {
        if (segment == null || !read(segment, position, into)) {
            throw new IllegalStateException("a range that is not folded has lost its segment");
        }
    }
}
