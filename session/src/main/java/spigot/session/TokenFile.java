package spigot.session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import spigot.coherence.token.Changes;
import spigot.coherence.token.FileTokens;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.TokenChange;
import spigot.transport.wire.TokenData;

/**
 * The tokens of one file that is open at a {@link TokenClient}. Safe for any thread; what may wait is interruptible and ends with its
 * patience. To be closed as often as it was opened.
 */
public final class TokenFile implements AutoCloseable {
    /** What became of a request for tokens. */
    public enum Entry {
        /** They are in service, until {@link #exit}. */
        ENTERED,
        /** The home serves this range itself for now: nothing is in service. */
        SERIALISED
    }

    private final TokenClient client;
    private final FileId file;
    private final FileTokens tokens;

    TokenFile(TokenClient client, FileId file, FileTokens tokens) {
        this.client = client;
        this.file = file;
        this.tokens = tokens;
    }

    public FileId file() {
        return file;
    }

    /**
     * Enters the tokens of these bytes if they are all held: the hit path. Takes no lock, allocates nothing.
     *
     * @param use has nothing in service; if this returns true, {@link #exit} has to follow
     * @param length in bytes, positive
     */
    public boolean tryEnter(TokenUse use, Mode need, long offset, long length) {
        return tryEnter(use, need, offset, offset + length, client.nowMillis());
    }

    /** As {@link #tryEnter(TokenUse, Mode, long, long)}, for the attributes. */
    public boolean tryEnterAttributes(TokenUse use, Mode need) {
        return tryEnter(use, need, Range.LIMIT, Range.LIMIT + Range.BLOCK, client.nowMillis());
    }

    private boolean tryEnter(TokenUse use, Mode need, long from, long to, long nowMillis) {
        if (use.tryEnter(tokens, need, from, to, nowMillis)) {
            return true;
        }
        exit(use);
        return false;
    }

    /** Ends what was entered. What was written must have been told by {@link #dirtied} before. */
    public void exit(TokenUse use) {
        if (use.exit()) {
            client.idle(file);
        }
    }

    /**
     * Enters the tokens of the range, and gets from the home what is not held.
     *
     * @param use has nothing in service
     * @param desired contains {@code required}, what would be good to have
     * @param data whether the bytes of {@code required} that are read at the home after the grant should come along, to
     *     {@link TokenCaches#received}
     * @throws spigot.transport.CallTimeoutException when the patience ended
     * @throws spigot.transport.FailureException when the home refused
     */
    public Entry enter(TokenUse use, Mode need, Range required, Range desired, boolean data, Duration patience)
            throws IOException, InterruptedException {
        long deadlineNanos = System.nanoTime() + patience.toNanos();
        while (!tryEnter(use, need, required.from(), required.to(), client.nowMillis())) {
            if (!client.acquire(file, need, required, desired, data, deadlineNanos)) {
                return Entry.SERIALISED;
            }
        }
        return Entry.ENTERED;
    }

    /** Bytes were put into the journal; with their tokens in service. @param range {@link Range#ATTRIBUTES} for size and times */
    public void dirtied(Range range) {
        client.dirtied(file, range);
    }

    /** Begins to commit what is dirty in the range. */
    public void flush(Range range) {
        client.flush(file, range);
    }

    /**
     * Commits what is dirty in the range; when it returns none of it is, which may also be because it was given up or orphaned: that
     * {@link TokenCaches} knows.
     *
     * @throws spigot.transport.CallTimeoutException when the patience ended
     */
    public void flush(Range range, Duration patience) throws IOException, InterruptedException {
        client.flush(file, range, patience);
    }

    /** Whether some of the range is written and not committed. */
    public boolean isUnclean(Range range) {
        return client.unclean(file, range);
    }

    /** Not wanted any more: dropped, flushed, and told to the home, in the background. */
    public void giveUp(Range range) {
        client.giveUp(file, range);
    }

    /**
     * Reads the newest committed bytes at the home: what is right under a token that is in service.
     *
     * @param offset a multiple of 4096
     * @param into gets the bytes from its position on, which moves; at most 4 MiB
     * @return the version and the attributes of which they are
     */
    public TokenData fetch(long offset, ByteBuffer into, Duration patience) throws IOException, InterruptedException {
        return client.fetch(file, offset, into, patience);
    }

    /** Reads at the home, one after the other with all who do; under no token. @param into at most 1 MiB; empty: only the attributes */
    public TokenData readSerialised(long offset, ByteBuffer into, Duration patience)
            throws IOException, InterruptedException {
        return client.readSerialised(file, offset, into, patience);
    }

    /**
     * Writes at the home; committed when it returns. Under no token, but the attributes' when it makes the file longer.
     *
     * @param change at most 256 KiB
     * @throws IOException when it was not, or when it is not known whether it was
     */
    public void writeSerialised(Range range, TokenChange change, Duration patience)
            throws IOException, InterruptedException {
        client.writeSerialised(file, range, change, patience);
    }

    /** Size and times as they are now, without taking their token from whom changes them. */
    public LiveAttributes glimpse(Duration patience) throws IOException, InterruptedException {
        return client.glimpse(file, patience);
    }

    /** What has changed since this version; to be asked with the token in service that makes the answer last. */
    public Changes changesSince(Version version, Duration patience) throws IOException, InterruptedException {
        return client.changesSince(file, version, patience);
    }

    @Override
    public void close() {
        client.closed(file);
    }
}
