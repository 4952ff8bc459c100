package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A request that is answered with {@link NodeAttributes}; see {@link Request}. */
public abstract class AttributesRequest<R extends AttributesRequest<R>> extends Request<R> {
    private @Nullable NodeAttributes scratch;

    AttributesRequest() {}

    /** A cleared struct of this request's own to fill and {@link #reply} with; each call clears it. */
    public final NodeAttributes attributes() {
        NodeAttributes attributes = scratch;
        if (attributes == null) {
            attributes = new NodeAttributes();
            scratch = attributes;
        }
        return attributes.clear();
    }

    /** @param validNanos how long the kernel may believe the attributes without asking */
    public final boolean reply(NodeAttributes attributes, long validNanos) {
        ReplyBuffer buffer = replyBuffer(Layout.ATTR_OUT_BYTES);
        MemorySegment memory = buffer.memory();
        long at = ReplyBuffer.PAYLOAD;
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_OUT_VALID, Entry.seconds(validNanos));
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_OUT_VALID_NANOS, Entry.nanos(validNanos));
        attributes.write(memory, at + Layout.ATTR_OUT_ATTR);
        return send(Layout.ATTR_OUT_BYTES);
    }
}
