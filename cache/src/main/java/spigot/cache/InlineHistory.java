package spigot.cache;

/**
 * Whether an open should bring the bytes of a small file along. At first it does not: an open alone moves no data. Where programs keep reading
 * what they open, from the start, it saves them a round trip each. Safe for any thread; races only blur it.
 */
final class InlineHistory {
    static final int MAX_BYTES = 32 << 10;
    private static final int ENOUGH = 3;
    private static final int MOST = 8;
    private static final int LOSS = 4;

    private volatile int score;

    /** @return how many bytes from the start of the file to ask for */
    int bytes(long size) {
        return score >= ENOUGH && size <= MAX_BYTES ? (int) size : 0;
    }

    /**
     * A handle of a small file was closed.
     *
     * @param read whether it was read from the start
     */
    void closed(long size, boolean read) {
        if (size > 0 && size <= MAX_BYTES) {
            int now = score;
            score = read ? Math.min(MOST, now + 1) : Math.max(0, now - LOSS);
        }
    }
}
