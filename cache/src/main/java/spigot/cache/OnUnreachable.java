package spigot.cache;

/** What a read does that needs bytes, or an open that needs the home, when no server is left that could answer. */
public enum OnUnreachable {
    /** Waits until one can; ends only by interruption. */
    WAIT,
    /** Throws {@link UnreachableException} when the configured time is over. */
    FAIL,
    /** What is cached is opened and read at its last known version, the rest fails as soon as every server was tried. */
    STALE
}
