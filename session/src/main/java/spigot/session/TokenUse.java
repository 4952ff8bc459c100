package spigot.session;

import java.util.Arrays;
import spigot.coherence.token.FileTokens;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Token;
import spigot.model.Version;

/**
 * The tokens that one thread has in service for one request: as long as they are, none of them is given back. To be used again and
 * again by the same thread; allocates only for a request that goes over more tokens than any before. While something is in service a
 * thread must not wait for a token.
 */
public final class TokenUse {
    private Token[] tokens = new Token[1];
    private int count;

    /** Whether nothing is in service. */
    public boolean isEmpty() {
        return count == 0;
    }

    /**
     * From which version on the block was not changed by others: a copy that was right in this version or a newer one is right now.
     *
     * @param offset of a byte that is in service
     */
    public Version since(long offset) {
        for (int i = 0; i < count; i++) {
            if (offset < tokens[i].end()) {
                return tokens[i].since();
            }
        }
        throw new IllegalArgumentException("not in service: the byte at " + offset);
    }

    /** Enters what is there of the range, if it is all there. */
    boolean tryEnter(FileTokens of, Mode need, long from, long to, long nowMillis) {
        if (count != 0) {
            throw new IllegalStateException("the tokens of another request are in service");
        }
        long at = from;
        while (at < to) {
            Token token = of.at(at);
            if (token == null || !token.enter(need, nowMillis)) {
                return false;
            }
            if (count == tokens.length) {
                tokens = Arrays.copyOf(tokens, 2 * count);
            }
            tokens[count++] = token;
            at = token.end();
        }
        return true;
    }

    /** @return whether the holder may be waiting for this */
    boolean exit() {
        boolean awaited = false;
        while (count > 0) {
            awaited |= tokens[--count].exit();
        }
        return awaited;
    }
}
