package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** OPEN or OPENDIR of a node. */
public final class OpenRequest extends Request<OpenRequest> {
    OpenRequest() {}

    /** Flags of open(2), without O_CREAT, O_EXCL, O_NOCTTY. */
    public int flags() {
        return intAt(Layout.OPEN_IN_FLAGS);
    }

    /** Whether an O_TRUNC must drop set-user-id bits, with {@link InitFlags#HANDLE_KILLPRIV_V2}. */
    public boolean killsSetUserId() {
        return (intAt(Layout.OPEN_IN_OPEN_FLAGS) & 1) != 0;
    }

    /**
     * @param handle comes back with every request on the open file
     * @param openFlags of {@link OpenFlags}
     * @return true when the kernel took it: a RELEASE will come
     */
    public boolean reply(long handle, int openFlags) {
        MemorySegment memory = replyBuffer(Layout.OPEN_OUT_BYTES).memory();
        memory.set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD + Layout.OPEN_OUT_HANDLE, handle);
        memory.set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD + Layout.OPEN_OUT_FLAGS, openFlags);
        return send(Layout.OPEN_OUT_BYTES);
    }

    @Override
    OpenRequest blank() {
        return new OpenRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        if (is(Opcode.OPEN)) {
            fileSystem.open(this);
        } else {
            fileSystem.opendir(this);
        }
    }
}
