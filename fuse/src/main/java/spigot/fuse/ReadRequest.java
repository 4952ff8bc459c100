package spigot.fuse;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** READ: bytes of a node from an offset. Never answer with less than asked before the end of the file: the kernel takes the rest for zeros. */
public final class ReadRequest extends Request<ReadRequest> {
    private int parts;
    private int partsBytes;

    ReadRequest() {}

    public long handle() {
        return longAt(Layout.READ_IN_HANDLE);
    }

    public long offset() {
        return longAt(Layout.READ_IN_OFFSET);
    }

    /** Bytes asked for, at most {@link FuseSession#maxIoBytes}. */
    public int size() {
        return intAt(Layout.READ_IN_SIZE);
    }

    /** On a handle with {@link OpenFlags#DIRECT_IO} exactly the reads that fill the page cache (mmap, sendfile) are without a lock owner. */
    public boolean isPageCacheFill() {
        return (intAt(Layout.READ_IN_READ_FLAGS) & 2) == 0;
    }

    /** Valid unless {@link #isPageCacheFill}. */
    public long lockOwner() {
        return longAt(Layout.READ_IN_LOCK_OWNER);
    }

    /** Flags of open(2) of the handle. */
    public int flags() {
        return intAt(Layout.READ_IN_FLAGS);
    }

    /**
     * Page-aligned memory with room for {@link #size} bytes, to be filled and sent by {@link #reply(int)}. Of a detached request: borrowed until then.
     */
    public MemorySegment buffer() {
        return replyBuffer(size()).payload(size());
    }

    /** Sends the first bytes of {@link #buffer}. */
    public boolean reply(int bytes) {
        return send(Objects.checkIndex(bytes, size() + 1));
    }

    /**
     * Sends bytes from where they lie, without a copy in this process if the segment is native.
     *
     * @param bytes at most {@link #size}
     */
    public boolean reply(MemorySegment from, long offset, int bytes) {
        if (!from.isNative()) {
            MemorySegment.copy(from, offset, buffer(), 0, Objects.checkIndex(bytes, size() + 1));
            return reply(bytes);
        }
        parts = 0;
        partsBytes = 0;
        append(from, offset, bytes);
        return replyAppended();
    }

    /**
     * Adds bytes to an answer that lies in several native segments, which stay as they are until {@link #replyAppended}.
     *
     * @throws IllegalStateException for more than {@value ReplyBuffer#MAX_VECTORS} parts
     */
    public ReadRequest append(MemorySegment from, long offset, int bytes) {
        Objects.checkFromIndexSize(offset, bytes, from.byteSize());
        Objects.checkIndex(partsBytes + bytes, size() + 1);
        if (parts == ReplyBuffer.MAX_VECTORS || !from.isNative()) {
            throw new IllegalStateException("an answer from more than " + parts + " parts, or from the heap");
        }
        parts++;
        partsBytes += bytes;
        replyBuffer(0).vector(parts, from.address() + offset, bytes);
        return this;
    }

    /** Sends what was appended; nothing, if nothing was: the end of the file. */
    public boolean replyAppended() {
        int vectors = parts;
        int bytes = partsBytes;
        parts = 0;
        partsBytes = 0;
        return vectors == 0 ? reply(0) : sendVectors(vectors, bytes);
    }

    @Override
    ReadRequest blank() {
        return new ReadRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.read(this);
    }

    @Override
    boolean bodyFits() {
        parts = 0;
        partsBytes = 0;
        return size() >= 0 && size() <= maxReplyBytes();
    }
}
