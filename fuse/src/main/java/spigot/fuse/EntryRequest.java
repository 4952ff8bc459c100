package spigot.fuse;

import org.jspecify.annotations.Nullable;

/** A request that is answered with an {@link Entry}; see {@link Request}. */
public abstract class EntryRequest<R extends EntryRequest<R>> extends Request<R> {
    private @Nullable Entry scratch;

    EntryRequest() {}

    /** A cleared struct of this request's own to fill and {@link #reply} with; each call clears it. */
    public final Entry entry() {
        Entry entry = scratch;
        if (entry == null) {
            entry = new Entry();
            scratch = entry;
        }
        return entry.clear();
    }

    /** @return true when the kernel took it: one more lookup of the node to be forgotten later */
    public final boolean reply(Entry entry) {
        ReplyBuffer buffer = replyBuffer(Layout.ENTRY_OUT_BYTES);
        entry.write(buffer.memory(), ReplyBuffer.PAYLOAD);
        return send(Layout.ENTRY_OUT_BYTES);
    }
}
