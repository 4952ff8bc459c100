package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/** A request that is answered with bytes; see {@link Request}. */
public abstract class BytesRequest<R extends BytesRequest<R>> extends Request<R> {
    BytesRequest() {}

    /** @throws IllegalArgumentException when they are more than the kernel takes in one answer */
    final boolean sendBytes(byte[] bytes) {
        ReplyBuffer buffer = replyBuffer(bytes.length);
        MemorySegment.copy(bytes, 0, buffer.memory(), JAVA_BYTE, ReplyBuffer.PAYLOAD, bytes.length);
        return send(bytes.length);
    }
}
