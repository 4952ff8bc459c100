package spigot.coherence.token;

/** What a token allows. In the order of their strength. */
public enum Mode {
    NONE,
    /** To read and to cache what is read. */
    SHARED,
    /** To read, to write, and to keep for a while what is written. */
    EXCLUSIVE;

    /** Whether two different sessions may not have these at the same time on the same bytes. */
    public boolean conflictsWith(Mode other) {
        return this != NONE && other != NONE && (this == EXCLUSIVE || other == EXCLUSIVE);
    }

    public boolean atLeast(Mode other) {
        return compareTo(other) >= 0;
    }

    /** The most that one may keep beside a session that has this. */
    public Mode compatible() {
        return switch (this) {
            case NONE -> EXCLUSIVE;
            case SHARED -> SHARED;
            case EXCLUSIVE -> NONE;
        };
    }
}
