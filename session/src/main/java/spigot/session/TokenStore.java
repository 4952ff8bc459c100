package spigot.session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import spigot.coherence.token.Range;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.wire.TokenChange;

/** The files of a home, with what is committed to them: what a {@link TokenServer} gives tokens for. Safe for any thread. */
public interface TokenStore {
    /**
     * One version of a file.
     *
     * @param size in bytes
     */
    record State(Version version, long size, long modifiedNanos, long changedNanos) {}

    /** A commit that is durable. @param size of the file in this version, in bytes */
    record Stored(Version version, long size) {}

    /** Takes what was read; called once. */
    @FunctionalInterface
    interface Reader {
        /** @param data from its position to its limit, good only during the call; less than asked for only at the end of the file */
        void read(State state, ByteBuffer data) throws IOException;
    }

    /**
     * To be called before anything else of a file: this server is its home. May block.
     *
     * @throws spigot.transport.FailureException NOT_HOME, NOT_FOUND, DENIED
     */
    void open(FileId file) throws IOException, InterruptedException;

    /** The version that the file's log ends with. Never blocks. */
    Version version(FileId file);

    /**
     * Commits; the future is completed when it is durable. The versions of one file grow in the order of the calls, and what is
     * completed with success stays, also after a crash.
     *
     * @param change checked: within the range
     * @return fails with {@link NotCommittedException} when it has left no trace; with anything else it is not known what a later life finds
     */
    CompletableFuture<Stored> commit(FileId file, Range range, TokenChange change)
            throws IOException, InterruptedException;

    /** Reads the newest version that is committed, all bytes of one version. @param length 0: only the state */
    void read(FileId file, long offset, int length, Reader reader) throws IOException, InterruptedException;
}
