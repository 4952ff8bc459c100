package spigot.cache.source;

import java.util.List;

/** How long a fetch may go on. */
public interface FetchTerms {
    /** Whether anybody still wants the data; asked now and then. */
    boolean wanted();

    /** When it has to end, by System.nanoTime. Never: a deadline that is far away. */
    long deadlineNanos();

    /** All sources that are known by now; asked when those of the beginning have failed. */
    List<Source> sources();

    /** Nothing comes from any source that is known: it would be good to know others. Never blocks. */
    void lookForMore();

    /** How long the last source that is left may be silent before it counts as unreachable. */
    long silentNanos();
}
