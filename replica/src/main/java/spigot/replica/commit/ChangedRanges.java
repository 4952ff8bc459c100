package spigot.replica.commit;

import java.util.List;

/** What has changed since a version. */
public sealed interface ChangedRanges {
    /** It is not remembered: nothing of the older version may be taken for right. */
    record Everything() implements ChangedRanges {}

    /** All else is as it was; ranges may overlap, in the order of their commits. */
    record Only(List<Range> ranges) implements ChangedRanges {
        public Only {
            ranges = List.copyOf(ranges);
        }
    }

    /** @param end of a cut: {@link Long#MAX_VALUE} */
    record Range(long offset, long end) {}
}
