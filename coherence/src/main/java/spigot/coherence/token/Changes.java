package spigot.coherence.token;

import java.util.List;

/**
 * What has changed in a file since a version.
 *
 * @param all whether all of it may have changed
 * @param ranges what has changed if not all, in order; data, and {@link Range#ATTRIBUTES}
 */
public record Changes(boolean all, List<Range> ranges) {
    static final Changes ALL = new Changes(true, List.of());

    public Changes {
        ranges = List.copyOf(ranges);
    }

    /** Whether an older copy of this range is still right. */
    public boolean spare(Range range) {
        return !all && ranges.stream().noneMatch(range::overlaps);
    }
}
