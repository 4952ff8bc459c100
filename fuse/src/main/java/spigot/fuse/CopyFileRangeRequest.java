package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

/** COPY_FILE_RANGE (32 or 64 bit): copy between two open files of this file system. */
public final class CopyFileRangeRequest extends Request<CopyFileRangeRequest> {
    CopyFileRangeRequest() {}

    public long handle() {
        return longAt(Layout.COPY_IN_HANDLE_IN);
    }

    public long offset() {
        return longAt(Layout.COPY_IN_OFFSET_IN);
    }

    public long targetNodeId() {
        return longAt(Layout.COPY_IN_NODE_OUT);
    }

    public long targetHandle() {
        return longAt(Layout.COPY_IN_HANDLE_OUT);
    }

    public long targetOffset() {
        return longAt(Layout.COPY_IN_OFFSET_OUT);
    }

    public long bytes() {
        return longAt(Layout.COPY_IN_LENGTH);
    }

    public long flags() {
        return longAt(Layout.COPY_IN_FLAGS);
    }

    /** @param bytes how many were copied; more than an int holds only if so many were asked for */
    public boolean reply(long bytes) {
        // The answer to the older opcode has 32 bits and 32 bits of padding.
        long fitting = is(Opcode.COPY_FILE_RANGE) ? Math.min(bytes, Integer.MAX_VALUE) : bytes;
        replyBuffer(Layout.COPY_64_OUT_BYTES).memory().set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD, fitting);
        return send(Layout.COPY_64_OUT_BYTES);
    }

    @Override
    CopyFileRangeRequest blank() {
        return new CopyFileRangeRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.copyFileRange(this);
    }
}
