package spigot.session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.TokenChange;

/**
 * What a node keeps under its tokens: the kernel's pages, a cache, and what is written and not committed. Safe for any thread. Must not call
 * the {@link TokenClient} while it holds a lock that these methods take.
 */
public interface TokenCaches {
    /** What a flush sends, as it was when the flush began. */
    interface Flush {
        TokenChange change();

        /** It is committed: what was not written again since {@link #collect} is clean now. */
        void committed(Version version);

        /**
         * The home could not commit it: no space, quota, an error of its disk.
         *
         * @return whether it is given up: then its bytes are kept apart, and the error is reported to who wrote them. Otherwise
         *     it is tried again.
         */
        boolean refused(Failure failure);
    }

    /**
     * Drop what the kernel has of the range (of {@link Range#ATTRIBUTES}: of the file's attributes), then run {@code done}, on any
     * thread. What the kernel writes for it meanwhile is taken as ever, and requests for the range go on. Called on a virtual thread
     * without a lock: may block, but somebody at another node waits for it.
     */
    void drop(FileId file, Range range, Runnable done);

    /**
     * What was written of the range, or its dirty attributes. Called on a virtual thread without a lock.
     *
     * @param range at most {@link TokenClient#FLUSH_BYTES}
     */
    Flush collect(FileId file, Range range) throws IOException;

    /**
     * A token is lost under which this was written, and not committed as far as is known; see
     * {@link spigot.coherence.token.TokenHolderAction.Orphaned}. Must not block.
     */
    void orphaned(FileId file, Range range, Version version);

    /** The oldest version of what is cached of the range; {@link Version#NONE} when nothing is. Must not block. */
    Version cachedSince(FileId file, Range range);

    /** In this version of the file all of the range is as in {@code since}, but for the changes: copies of that or newer versions may be kept. */
    void unchanged(FileId file, Range range, Version since, Version version, Changes changes);

    /** These bytes of the file, and its attributes, are so in this version. May come late: newer ones stay. */
    void received(FileId file, Version version, LiveAttributes attributes, long offset, ByteBuffer bytes)
            throws IOException;

    /**
     * What is known of size and times, for another node; called with the attributes' exclusive token in service.
     *
     * @param since of the token: what was so in an older version may not be any more
     * @return empty when it is not known: then the token is taken back
     */
    Optional<Glimpsed> glimpse(FileId file, Version since);
}
