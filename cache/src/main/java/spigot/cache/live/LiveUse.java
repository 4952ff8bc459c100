package spigot.cache.live;

import spigot.session.TokenUse;

/** What one thread has in service for one request on a {@link LiveFile}; to be used again and again by the same thread. */
public final class LiveUse {
    final TokenUse data = new TokenUse();
    final TokenUse attributes = new TokenUse();

    /** What this handle has been told of failed commits; see {@link LiveFile#sync}. */
    public static final class Errors {
        private int seen;

        int seen() {
            return seen;
        }

        void seen(int count) {
            seen = count;
        }
    }
}
