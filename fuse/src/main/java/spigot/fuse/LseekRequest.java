package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

/** LSEEK for data or holes; other seeks are not asked. */
public final class LseekRequest extends Request<LseekRequest> {
    public static final int DATA = 3;
    public static final int HOLE = 4;

    LseekRequest() {}

    public long handle() {
        return longAt(Layout.LSEEK_IN_HANDLE);
    }

    public long offset() {
        return longAt(Layout.LSEEK_IN_OFFSET);
    }

    /** {@link #DATA} or {@link #HOLE}. */
    public int whence() {
        return intAt(Layout.LSEEK_IN_WHENCE);
    }

    public boolean reply(long offset) {
        replyBuffer(Layout.LSEEK_OUT_BYTES).memory().set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD, offset);
        return send(Layout.LSEEK_OUT_BYTES);
    }

    @Override
    LseekRequest blank() {
        return new LseekRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.lseek(this);
    }
}
