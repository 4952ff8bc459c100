package spigot.coherence.token;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import spigot.model.Version;

/**
 * Which ranges of a file its last commits changed. Not thread-safe. At most {@code bound} ranges are remembered; of what is older only that
 * something has changed.
 */
final class ChangedRanges {
    private final int bound;
    private final boolean forgottenIsChanged;

    /** The last commit that changed just this range; oldest first. */
    private final SequencedMap<Range, Version> commits = new LinkedHashMap<>();

    /** All commits after it are remembered. */
    private Version completeSince;

    private Version current;

    ChangedRanges(int bound, boolean forgottenIsChanged, Version current) {
        this.bound = bound;
        this.forgottenIsChanged = forgottenIsChanged;
        this.completeSince = current;
        this.current = current;
    }

    Version current() {
        return current;
    }

    void committed(Range range, Version version) {
        if (!version.equals(current.next()) && forgottenIsChanged) {
            // The versions between, or of another epoch, are of changes that nobody has told here.
            commits.clear();
            completeSince = version;
            current = version;
            return;
        }
        current = version;
        remember(range);
    }

    private void remember(Range range) {
        commits.putLast(range, current);
        if (commits.size() > bound) {
            completeSince = commits.pollFirstEntry().getValue();
        }
    }

    /** The last commit has changed this range, too. */
    void alsoChanged(Range range) {
        if (completeSince.compareTo(current) < 0) {
            remember(range);
        }
    }

    Changes since(Version version) {
        if ((forgottenIsChanged && version.compareTo(completeSince) < 0) || version.compareTo(current) > 0) {
            return Changes.ALL;
        }
        RangeSet changed = new RangeSet();
        for (Map.Entry<Range, Version> commit : commits.reversed().entrySet()) {
            if (commit.getValue().compareTo(version) <= 0) {
                break;
            }
            changed.add(commit.getKey());
        }
        return new Changes(false, changed.all());
    }
}
