package spigot.coherence.token;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * How much the fragments of one file are fought for, and so in which pieces they are handed over: whole, in blocks, or not at all.
 * Not thread-safe; at most {@code maxContendedPerFile} fragments are counted, and those longest without conflict forgotten.
 */
final class Contention {
    /** Of a request for more fragments than this no conflict is counted. */
    private static final int MAX_FRAGMENTS = 4;

    private enum Level {
        WHOLE,
        BLOCKS,
        SERIALISED
    }

    private static final class Heat {
        Level level = Level.WHOLE;
        int conflicts;
        long windowMillis;

        /** When it was last fought for: used by a session while another's use was not long ago. */
        long disputedMillis;

        long lastUser;
        long lastWriter;
    }

    private final TokenHomeConfig config;
    private final boolean serialises;

    /** By number of the fragment; the one whose last conflict or use is longest ago first. */
    private final SequencedMap<Long, Heat> fragments = new LinkedHashMap<>();

    Contention(TokenHomeConfig config, boolean serialises) {
        this.config = config;
        this.serialises = serialises;
    }

    /** Somebody wants what another has. */
    void conflict(Range range, long nowMillis) {
        if (!counted(range)) {
            return;
        }
        for (long number = first(range); number <= last(range); number++) {
            forgetQuiet(number, nowMillis);
            Heat heat = fragments.computeIfAbsent(number, absent -> new Heat());
            fragments.putLast(number, heat);
            heat.disputedMillis = nowMillis;
            if (nowMillis - heat.windowMillis > config.contentionMillis()) {
                heat.windowMillis = nowMillis;
                heat.conflicts = 0;
            }
            heat.conflicts++;
            if (heat.level == Level.WHOLE && heat.conflicts >= config.splitConflicts()) {
                heat.level = Level.BLOCKS;
                heat.conflicts = 0;
            } else if (heat.level == Level.BLOCKS && heat.conflicts >= config.serialiseConflicts() && serialises) {
                heat.level = Level.SERIALISED;
                heat.lastUser = 0;
                heat.lastWriter = 0;
            }
        }
        while (fragments.size() > config.maxContendedPerFile()) {
            fragments.pollFirstEntry();
        }
    }

    /** Somebody reads or writes, or would like to have, what is served by the home. */
    void used(Range range, long session, boolean writes, long nowMillis) {
        if (fragments.isEmpty() || !counted(range)) {
            return;
        }
        for (long number = first(range); number <= last(range); number++) {
            Heat heat = level(number, nowMillis) == Level.SERIALISED ? fragments.get(number) : null;
            if (heat == null) {
                continue;
            }
            boolean disputed = writes
                    ? heat.lastUser != 0 && heat.lastUser != session
                    : heat.lastWriter != 0 && heat.lastWriter != session;
            if (disputed) {
                heat.disputedMillis = nowMillis;
            }
            heat.lastUser = session;
            heat.lastWriter = writes ? session : heat.lastWriter;
        }
    }

    /** What is asked back for this request. */
    Range asked(Range range, long nowMillis) {
        if (range.attributes()) {
            return range;
        }
        for (long number = first(range); number <= last(range) && counted(range); number++) {
            if (level(number, nowMillis) != Level.WHOLE) {
                return range;
            }
        }
        return range.roundedTo(config.fragmentBytes());
    }

    boolean serialised(Range range, long nowMillis) {
        if (range.attributes() || fragments.isEmpty()) {
            return false;
        }
        if (!counted(range)) {
            return List.copyOf(fragments.keySet()).stream()
                    .anyMatch(
                            number -> fragment(number).overlaps(range) && level(number, nowMillis) == Level.SERIALISED);
        }
        for (long number = first(range); number <= last(range); number++) {
            if (level(number, nowMillis) == Level.SERIALISED) {
                return true;
            }
        }
        return false;
    }

    /** What remains of an extent around what is required when it must not reach into fragments that the home serves. */
    Range clip(Range extent, Range required, long nowMillis) {
        Range clipped = extent;
        if (!required.attributes()) {
            for (long number : List.copyOf(fragments.keySet())) {
                if (level(number, nowMillis) == Level.SERIALISED) {
                    clipped = HomeFile.clip(clipped, required, fragment(number));
                }
            }
        }
        return clipped;
    }

    private Level level(long number, long nowMillis) {
        forgetQuiet(number, nowMillis);
        Heat heat = fragments.get(number);
        return heat == null ? Level.WHOLE : heat.level;
    }

    private void forgetQuiet(long number, long nowMillis) {
        Heat heat = fragments.get(number);
        if (heat != null && nowMillis - heat.disputedMillis > config.quietMillis()) {
            fragments.remove(number);
        }
    }

    private boolean counted(Range range) {
        return !range.attributes() && last(range) - first(range) < MAX_FRAGMENTS;
    }

    private Range fragment(long number) {
        return new Range(number * config.fragmentBytes(), (number + 1) * config.fragmentBytes());
    }

    private long first(Range range) {
        return range.from() / config.fragmentBytes();
    }

    private long last(Range range) {
        return (range.to() - 1) / config.fragmentBytes();
    }
}
