package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** WRITE: bytes to be stored at an offset of a node. */
public final class WriteRequest extends Request<WriteRequest> {
    WriteRequest() {}

    public long handle() {
        return longAt(Layout.WRITE_IN_HANDLE);
    }

    public long offset() {
        return longAt(Layout.WRITE_IN_OFFSET);
    }

    /** Bytes of the payload. */
    public int size() {
        return intAt(Layout.WRITE_IN_SIZE);
    }

    public long lockOwner() {
        return longAt(Layout.WRITE_IN_LOCK_OWNER);
    }

    /** Flags of open(2) of the handle. */
    public int flags() {
        return intAt(Layout.WRITE_IN_FLAGS);
    }

    /** A page of a shared mapping: any writable handle of the file is named, and user ids mean nothing. */
    public boolean isFromPageCache() {
        return (intAt(Layout.WRITE_IN_WRITE_FLAGS) & 1) != 0;
    }

    /** With {@link InitFlags#HANDLE_KILLPRIV_V2}. */
    public boolean killsSetUserId() {
        return (intAt(Layout.WRITE_IN_WRITE_FLAGS) & 4) != 0;
    }

    /** The bytes, valid as long as the request is unanswered; page-aligned unless detached and small. */
    public MemorySegment payload() {
        return bytesAt(Layout.WRITE_IN_BYTES, size());
    }

    /** @param bytes how many were stored */
    public boolean reply(int bytes) {
        replyBuffer(Layout.WRITE_OUT_BYTES).memory().set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD, bytes);
        return send(Layout.WRITE_OUT_BYTES);
    }

    @Override
    WriteRequest blank() {
        return new WriteRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.write(this);
    }

    @Override
    boolean bodyFits() {
        return size() >= 0 && size() <= bodyBytes() - Layout.WRITE_IN_BYTES;
    }
}
