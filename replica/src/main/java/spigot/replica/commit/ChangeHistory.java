package spigot.replica.commit;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import spigot.model.Version;

/**
 * Which ranges the last commits of a file have changed. Immutable. Bounded: {@value #MOST_COMMITS} commits and {@value #MOST_RANGES}
 * ranges; what is older is forgotten, oldest first.
 *
 * @param floor the oldest version since which all changes are known
 * @param entries the commits after it
 */
record ChangeHistory(Version floor, List<Entry> entries) {
    static final int MOST_COMMITS = 16;
    static final int MOST_RANGES = 64;

    record Entry(Version version, List<ChangedRanges.Range> ranges) {}

    static ChangeHistory from(Version version) {
        return new ChangeHistory(version, List.of());
    }

    ChangeHistory with(Version version, List<ChangedRanges.Range> ranges) {
        if (ranges.size() > MOST_RANGES) {
            return from(version);
        }
        List<Entry> all = new ArrayList<>(entries);
        all.add(new Entry(version, List.copyOf(ranges)));
        int count = all.stream().mapToInt(entry -> entry.ranges().size()).sum();
        Version since = floor;
        int dropped = 0;
        while (all.size() - dropped > MOST_COMMITS || count > MOST_RANGES) {
            Entry oldest = all.get(dropped++);
            count -= oldest.ranges().size();
            since = oldest.version();
        }
        return new ChangeHistory(since, List.copyOf(all.subList(dropped, all.size())));
    }

    ChangedRanges since(Version version, Version current, Set<Guard> guards) {
        boolean known = version.compareTo(floor) >= 0 && version.compareTo(current) <= 0;
        if (!known && guards.contains(Guard.UNKNOWN_IS_EVERYTHING)) {
            return new ChangedRanges.Everything();
        }
        return new ChangedRanges.Only(entries.stream()
                .filter(entry -> entry.version().compareTo(version) > 0)
                .flatMap(entry -> entry.ranges().stream())
                .toList());
    }
}
