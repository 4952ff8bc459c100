package spigot.coherence.token;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.TreeMap;
import spigot.model.FileId;
import spigot.model.Version;

/** One file as its home knows it. Not thread-safe. */
final class HomeFile {
    /** What the driver does just now: a commit, or a serialised read. */
    record Busy(
            HomeFile file,
            long number,
            HomeSession session,
            Range range,
            long request,
            boolean serialised,
            long operation) {
        /** Where the answer of a commit is kept. */
        Replies replies() {
            return serialised ? session.serialised : session.written;
        }
    }

    final FileId id;
    final TokenTable table;
    final Contention contention;
    final ChangedRanges changes;

    /** In the order of their arrival. */
    final SequencedSet<Waiting> waiting = new LinkedHashSet<>();

    /** By where they begin: they do not overlap. */
    private final TreeMap<Long, Busy> commits = new TreeMap<>();

    /** By request. */
    private final SequencedMap<Long, Busy> reads = new LinkedHashMap<>();

    /** When it is to be looked at again because a token has been held for long enough; MAX_VALUE when not. */
    long wakeMillis = Long.MAX_VALUE;

    HomeFile(FileId id, TokenHomeConfig config, boolean serialises, boolean forgottenIsChanged, Version version) {
        this.id = id;
        this.table = new TokenTable(this, config.maxSegmentsPerFile());
        this.contention = new Contention(config, serialises);
        this.changes = new ChangedRanges(config.maxChangesPerFile(), forgottenIsChanged, version);
    }

    boolean idle() {
        return table.isEmpty() && waiting.isEmpty() && commits.isEmpty() && reads.isEmpty();
    }

    int reads() {
        return reads.size();
    }

    /** Whether what overlaps is just being committed. */
    boolean committing(Range range) {
        Map.Entry<Long, Busy> last = commits.lowerEntry(range.to());
        return last != null && last.getValue().range().to() > range.from();
    }

    boolean reading(Range range) {
        return reads.values().stream().anyMatch(read -> read.range().overlaps(range));
    }

    void beginCommit(Busy commit) {
        commits.put(commit.range().from(), commit);
    }

    void endCommit(Busy commit) {
        commits.remove(commit.range().from(), commit);
    }

    void beginRead(Busy read) {
        reads.put(read.number(), read);
    }

    void endRead(Busy read) {
        reads.remove(read.number());
    }

    /** What remains of an extent around what is required when it must not reach into what is being committed, or read. */
    Range clipToBusy(Range extent, Range required) {
        Map.Entry<Long, Busy> before = commits.lowerEntry(required.from());
        Map.Entry<Long, Busy> after = commits.ceilingEntry(required.to());
        Range clipped = new Range(
                before == null
                        ? extent.from()
                        : Math.min(
                                required.from(),
                                Math.max(
                                        extent.from(), before.getValue().range().to())),
                after == null ? extent.to() : Math.min(extent.to(), after.getKey()));
        for (Busy read : reads.values()) {
            clipped = clip(clipped, required, read.range());
        }
        return clipped;
    }

    /** What remains of an extent around what is required when it must not reach into what is before or behind that. */
    static Range clip(Range extent, Range required, Range without) {
        if (without.to() <= required.from()) {
            return new Range(Math.max(extent.from(), without.to()), extent.to());
        }
        if (without.from() >= required.to()) {
            return new Range(extent.from(), Math.min(extent.to(), without.from()));
        }
        return extent;
    }
}
