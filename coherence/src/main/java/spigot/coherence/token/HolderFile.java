package spigot.coherence.token;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import spigot.model.FileId;
import spigot.model.Version;

/** One file as a client's {@link TokenHolder} knows it. Not thread-safe, but for {@link #view}. */
final class HolderFile {
    /** Asked for, and not answered. */
    static final class Asking {
        final Range desired;
        private final int bound;
        private final List<Voided> voided = new ArrayList<>();
        private long allBelow;

        private record Voided(Range range, long belowSequence) {}

        Asking(Range desired, int bound) {
            this.desired = desired;
            this.bound = bound;
        }

        /** What was granted of the range before this sequence is not to be applied any more. */
        void voided(Range range, long belowSequence) {
            if (!range.overlaps(desired)) {
                return;
            }
            if (voided.size() < bound) {
                voided.add(new Voided(range, belowSequence));
            } else {
                allBelow = Math.max(allBelow, belowSequence);
            }
        }

        /** What may be applied of a grant. */
        RangeSet valid(Range range, long sequence) {
            RangeSet valid = new RangeSet();
            if (sequence >= allBelow) {
                valid.add(range);
                for (Voided part : voided) {
                    if (sequence < part.belowSequence()) {
                        valid.remove(part.range());
                    }
                }
            }
            return valid;
        }
    }

    /** Tokens that are given back, or were lost: first the pages are dropped, then it is flushed, then it is told. */
    static final class Leaving {
        final long number;
        final Range range;
        final Mode downTo;

        /** Later grants are not concerned. */
        final long belowSequence;

        /** Of the Revoke that is to be acknowledged; 0 when it is to be released. */
        long revokeSequence;

        long releaseSequence;

        /** Whether a Drop is under way. */
        boolean dropping;

        /** Whether nothing that had entered earlier was in service when the Drop began. */
        boolean drained;

        /** Whether its tokens are closed and the pages gone. */
        boolean dropped;

        /** Whether there was nothing to be given back: then what is dirty belongs to later grants. */
        boolean empty;

        Leaving(long number, Range range, Mode downTo, long belowSequence) {
            this.number = number;
            this.range = range;
            this.downTo = downTo;
            this.belowSequence = belowSequence;
        }

        boolean concerns(Token token) {
            return !downTo.atLeast(token.mode) && token.sequence < belowSequence;
        }
    }

    /** A Revoke that may have overtaken a grant. */
    record Overtaking(TokenHolderEvent.Revoked revoked, long untilMillis) {}

    final FileId id;
    final FileTokens view = new FileTokens();
    final TreeMap<Long, Token> tokens = new TreeMap<>();

    /** Closed tokens under which somebody was in service when they were replaced. */
    private final List<Token> retired = new ArrayList<>();

    final RangeSet dirty = new RangeSet();

    /** By operation. */
    final SequencedMap<Long, Range> flushing = new LinkedHashMap<>();

    final RangeSet flushWanted = new RangeSet();

    /** By request. */
    final SequencedMap<Long, Asking> asking = new LinkedHashMap<>();

    final List<Overtaking> overtaking = new ArrayList<>();
    final List<Leaving> leaving = new ArrayList<>();

    /** What was held in a session that is lost. */
    final List<Leaving> lost = new ArrayList<>();

    int opened;

    /** Serialised writes under way. */
    int serialised;

    HolderFile(FileId id) {
        this.id = id;
    }

    boolean unused() {
        prune();
        return opened == 0
                && serialised == 0
                && tokens.isEmpty()
                && retired.isEmpty()
                && dirty.isEmpty()
                && flushing.isEmpty()
                && asking.isEmpty()
                && overtaking.isEmpty()
                && leaving.isEmpty()
                && lost.isEmpty();
    }

    boolean busy() {
        return !overtaking.isEmpty() || !leaving.isEmpty() || !lost.isEmpty();
    }

    /** To be called when the tokens have changed, before the event is over. */
    void publish() {
        view.publish(tokens.values().toArray(Token[]::new));
    }

    List<Token> overlapping(Range range) {
        Map.Entry<Long, Token> before = tokens.floorEntry(range.from());
        long from = before != null && before.getValue().to > range.from() ? before.getKey() : range.from();
        return new ArrayList<>(tokens.subMap(from, range.to()).values());
    }

    void cut(Range range) {
        cut(range.from());
        cut(range.to());
    }

    private void cut(long at) {
        Map.Entry<Long, Token> before = tokens.lowerEntry(at);
        if (before == null || before.getValue().to <= at) {
            return;
        }
        Token whole = before.getValue();
        Token left = whole.piece(new Range(whole.from, at));
        Token right = whole.piece(new Range(at, whole.to));
        retire(whole);
        tokens.put(left.from, left);
        tokens.put(right.from, right);
    }

    void put(Token token) {
        tokens.put(token.from, token);
    }

    void remove(Token token) {
        retire(token);
        tokens.remove(token.from, token);
    }

    /** Nobody enters it any more; who is in it, goes on. */
    private void retire(Token token) {
        token.close();
        if (token.inService()) {
            retired.add(token);
        }
    }

    void prune() {
        retired.removeIf(token -> !token.inService());
    }

    /** Whether nobody is in service under what was replaced. */
    boolean drained(Range range) {
        prune();
        return retired.stream().noneMatch(token -> token.range().overlaps(range));
    }

    boolean unclean(Range range) {
        return dirty.overlaps(range) || flushing.values().stream().anyMatch(range::overlaps);
    }

    /** Since when the range may have changed without our knowing: the oldest version of what it is or was held under. */
    Version right(Range range) {
        prune();
        Version oldest = null;
        for (Token token : retired) {
            if (token.range().overlaps(range) && (oldest == null || token.right.compareTo(oldest) < 0)) {
                oldest = token.right;
            }
        }
        return oldest == null ? Version.NONE : oldest;
    }

    /** What is granted is held from now on, where nothing is being given back. */
    void apply(Range range, Mode mode, Token.Term term, long sequence, Version version) {
        RangeSet open = new RangeSet();
        open.add(range);
        for (Leaving part : leaving) {
            open.remove(part.range);
            part.releaseSequence =
                    part.range.overlaps(range) ? Math.max(part.releaseSequence, sequence) : part.releaseSequence;
        }
        for (Range part : open.all()) {
            cut(part);
            long from = part.from();
            for (Token held : overlapping(part)) {
                fill(from, held.from, mode, term, sequence, version);
                from = held.to;
                if (held.mode.atLeast(mode)) {
                    held.sequence = Math.max(held.sequence, sequence);
                } else {
                    Token stronger = held.with(mode);
                    stronger.sequence = sequence;
                    stronger.right = version;
                    remove(held);
                    put(stronger);
                }
            }
            fill(from, part.to(), mode, term, sequence, version);
        }
    }

    private void fill(long from, long to, Mode mode, Token.Term term, long sequence, Version version) {
        if (from < to) {
            put(new Token(new Range(from, to), mode, term, sequence, version, version));
        }
    }
}
