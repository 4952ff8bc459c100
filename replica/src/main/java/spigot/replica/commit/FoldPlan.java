package spigot.replica.commit;

import spigot.model.FileId;

/** Decides which file is folded next, and when. Pure. */
final class FoldPlan {
    /** How long to wait at most when nothing is dirty; whoever makes work wakes the folding. */
    static final long IDLE_MILLIS = 60_000;

    private final CommitLimits limits;

    FoldPlan(CommitLimits limits) {
        this.limits = limits;
    }

    /** A file with changes that are not in the published file. */
    record Candidate(FileId file, long dirtySinceMillis, int ranges, long notBeforeMillis) {}

    /**
     * What all files have together.
     *
     * @param waiting whether a commit waits for the room that folding makes
     */
    record Pressure(long logBytes, int ranges, boolean waiting) {}

    sealed interface Decision {
        record Fold(FileId file) implements Decision {}

        record Wait(long millis) implements Decision {}
    }

    /** Whether the bounds are near: folding does not wait for its time. */
    boolean isUrgent(Pressure pressure) {
        return pressure.waiting()
                || pressure.logBytes() * 2 >= limits.logBytes()
                || pressure.ranges() * 2 >= limits.ranges();
    }

    /** Whether a file has so many ranges that it is folded before its time. */
    boolean isFull(int ranges) {
        return ranges * 2 >= limits.rangesPerFile();
    }

    /** @param oldestFirst as they became dirty, so that the oldest segments are free first */
    Decision decide(long nowMillis, Iterable<Candidate> oldestFirst, Pressure pressure) {
        boolean urgent = isUrgent(pressure);
        long wait = IDLE_MILLIS;
        for (Candidate candidate : oldestFirst) {
            boolean full = isFull(candidate.ranges());
            long due = urgent || full ? nowMillis : candidate.dirtySinceMillis() + limits.foldAfterMillis();
            due = Math.max(due, candidate.notBeforeMillis());
            if (due <= nowMillis) {
                return new Decision.Fold(candidate.file());
            }
            wait = Math.min(wait, due - nowMillis);
        }
        return new Decision.Wait(wait);
    }
}
