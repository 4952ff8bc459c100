package spigot.coherence.token;

import org.jspecify.annotations.Nullable;

/**
 * The tokens that a client has of one file, for the threads that read and write: any thread may ask, without a lock and without
 * allocating. Stays the same as long as the file is open at its {@link TokenHolder}.
 */
public final class FileTokens {
    private static final Token[] NONE = {};

    /** In order; never changed, only replaced. */
    private volatile Token[] tokens = NONE;

    FileTokens() {}

    void publish(Token[] all) {
        tokens = all;
    }

    /** The token of the block with this byte, or of the attributes; its mode and its validity are still to be asked. */
    public @Nullable Token at(long offset) {
        Token[] all = tokens;
        int low = 0;
        int high = all.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Token token = all[middle];
            if (offset < token.from) {
                high = middle - 1;
            } else if (offset >= token.to) {
                low = middle + 1;
            } else {
                return token;
            }
        }
        return null;
    }
}
