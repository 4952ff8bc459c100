package spigot.coherence;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import spigot.model.FileId;

/**
 * Which grants of a session are void although they may still come: for each object all below a sequence. A bounded number of
 * objects is remembered; of all others what is below the highest forgotten sequence counts as void, which is safe and only
 * costs a lease now and then.
 */
final class VoidGrants {
    private final int bound;
    private final boolean forgottenAreVoid;
    private final SequencedMap<FileId, Long> below = new LinkedHashMap<>();
    private long forgottenBelow;

    VoidGrants(int bound, boolean forgottenAreVoid) {
        this.bound = bound;
        this.forgottenAreVoid = forgottenAreVoid;
    }

    void add(FileId object, long belowSequence) {
        Long before = below.get(object);
        below.putLast(object, before == null ? belowSequence : Math.max(before, belowSequence));
        if (below.size() > bound) {
            Map.Entry<FileId, Long> forgotten = below.pollFirstEntry();
            if (forgottenAreVoid) {
                forgottenBelow = Math.max(forgottenBelow, forgotten.getValue());
            }
        }
    }

    boolean contains(FileId object, long sequence) {
        Long bound = below.get(object);
        return sequence < forgottenBelow || (bound != null && sequence < bound);
    }

    void clear() {
        below.clear();
        forgottenBelow = 0;
    }
}
