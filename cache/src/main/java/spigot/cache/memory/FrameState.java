package spigot.cache.memory;

/**
 * The state of a frame in one int, changed by compare-and-set alone: bits 0-7 which blocks are there, 8-9 how often it was hit
 * (saturating), 10 whether it was fetched ahead and nobody has asked yet, 11 whether it holds a chunk at all, 12-31 how many readers copy
 * from it.
 */
final class FrameState {
    static final int FREE = 0;
    static final int FREQUENCY_UNIT = 1 << 8;
    static final int FREQUENCY_MASK = 3 << 8;
    static final int UNREAD_AHEAD = 1 << 10;
    static final int RESIDENT = 1 << 11;
    static final int PIN = 1 << 12;

    private FrameState() {}

    static int blocks(int state) {
        return state & Chunks.FULL;
    }

    static boolean isResident(int state) {
        return (state & RESIDENT) != 0;
    }

    static boolean isPinned(int state) {
        return state >>> 12 != 0;
    }

    static boolean hasRoomForPin(int state) {
        return state >>> 12 < (1 << 20) - 1;
    }

    static boolean isUnreadAhead(int state) {
        return (state & UNREAD_AHEAD) != 0;
    }

    static int frequency(int state) {
        return (state & FREQUENCY_MASK) >>> 8;
    }

    /** Pinned once more and hit: the first use of what was fetched ahead is what it was fetched for, and no sign of more. */
    static int hit(int state) {
        int pinned = state + PIN;
        if (isUnreadAhead(state)) {
            return pinned & ~UNREAD_AHEAD;
        }
        return frequency(state) < 3 ? pinned + FREQUENCY_UNIT : pinned;
    }
}
