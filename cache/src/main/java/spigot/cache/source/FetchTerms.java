package spigot.cache.source;

/** How long a fetch may go on. */
public interface FetchTerms {
    /** Whether anybody still wants the data; asked now and then. */
    boolean wanted();

    /** When it has to end, by System.nanoTime. Never: a deadline that is far away. */
    long deadlineNanos();

    /** How long the last source that is left may be silent before it counts as unreachable. */
    long silentNanos();
}
