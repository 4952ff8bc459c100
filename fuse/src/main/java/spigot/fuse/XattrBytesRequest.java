package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import spigot.linux.Errno;

/** A request for bytes of extended attributes, by the rules of {@code getxattr(2)}. */
abstract class XattrBytesRequest<R extends XattrBytesRequest<R>> extends BytesRequest<R> {
    XattrBytesRequest() {}

    /** @param room what the caller has room for; 0 asks for the size */
    final boolean sendSized(byte[] bytes, int room) {
        if (room == 0) {
            replyBuffer(Layout.GETXATTR_OUT_BYTES).memory().set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD, bytes.length);
            return send(Layout.GETXATTR_OUT_BYTES);
        }
        return bytes.length > room ? replyError(Errno.ERANGE) : sendBytes(bytes);
    }
}
