package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** IOCTL on an open file, of those whose number says what they transfer. */
public final class IoctlRequest extends Request<IoctlRequest> {
    IoctlRequest() {}

    public long handle() {
        return longAt(Layout.IOCTL_IN_HANDLE);
    }

    public int flags() {
        return intAt(Layout.IOCTL_IN_FLAGS);
    }

    public int command() {
        return intAt(Layout.IOCTL_IN_COMMAND);
    }

    public long argument() {
        return longAt(Layout.IOCTL_IN_ARGUMENT);
    }

    /** Bytes that the caller has room for. */
    public int outSize() {
        return intAt(Layout.IOCTL_IN_OUT_SIZE);
    }

    public byte[] input() {
        return bytesAt(Layout.IOCTL_IN_BYTES, intAt(Layout.IOCTL_IN_IN_SIZE)).toArray(JAVA_BYTE);
    }

    /** @param result what ioctl(2) returns */
    public boolean reply(int result, byte[] output) {
        MemorySegment memory =
                replyBuffer(Layout.IOCTL_OUT_BYTES + output.length).memory();
        memory.set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD, result & 0xffff_ffffL);
        memory.set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD + 8, 0);
        MemorySegment.copy(output, 0, memory, JAVA_BYTE, ReplyBuffer.PAYLOAD + Layout.IOCTL_OUT_BYTES, output.length);
        return send(Layout.IOCTL_OUT_BYTES + output.length);
    }

    @Override
    IoctlRequest blank() {
        return new IoctlRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.ioctl(this);
    }

    @Override
    boolean bodyFits() {
        int size = intAt(Layout.IOCTL_IN_IN_SIZE);
        return size >= 0 && size <= bodyBytes() - Layout.IOCTL_IN_BYTES;
    }
}
