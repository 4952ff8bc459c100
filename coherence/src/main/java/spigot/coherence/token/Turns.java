package spigot.coherence.token;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import spigot.coherence.InvariantException;
import spigot.coherence.token.HomeFile.Busy;
import spigot.coherence.token.TokenHomeAction.Reason;
import spigot.coherence.token.Waiting.Kind;
import spigot.model.FileId;
import spigot.model.Version;

/**
 * The files of a {@link TokenHome}: whose turn it is at each, and what has to be given back for it. Not thread-safe. Bounded by
 * {@link TokenHomeConfig}.
 */
final class Turns {
    /** How many Revokes are repeated in one tick at most. */
    static final int REPEATED_PER_TICK = 4_096;

    private final TokenHomeConfig config;
    private final long epoch;
    private final Set<TokenGuard> guards;
    private final Function<FileId, Version> lastCommitted;

    private final Map<FileId, HomeFile> files = new HashMap<>();

    /** Files that nobody has or wants anything of, the one that was so for the longest time first. */
    private final SequencedSet<HomeFile> idle = new LinkedHashSet<>();

    private final Map<Long, Waiting> waiting = new HashMap<>();
    private final Map<Long, Busy> busy = new HashMap<>();

    /** In the order in which they were sent last. */
    private final SequencedSet<Revocation> revoked = new LinkedHashSet<>();

    /** Files to look at again, by when. */
    private final TreeMap<Long, LinkedHashSet<HomeFile>> wakes = new TreeMap<>();

    /** Files with requests that wait for the end of the grace. */
    private final SequencedSet<HomeFile> inGrace = new LinkedHashSet<>();

    private boolean grace;
    private long sequence;
    private long commits;

    Turns(TokenHomeConfig config, long epoch, Set<TokenGuard> guards, Function<FileId, Version> lastCommitted) {
        this.config = config;
        this.epoch = epoch;
        this.guards = guards;
        this.lastCommitted = lastCommitted;
    }

    HomeFile file(FileId id) {
        HomeFile known = files.get(id);
        if (known != null) {
            return known;
        }
        HomeFile file = new HomeFile(
                id,
                config,
                guards.contains(TokenGuard.SERIALISE),
                guards.contains(TokenGuard.FORGOTTEN_IS_CHANGED),
                lastCommitted.apply(id));
        files.put(id, file);
        return file;
    }

    @Nullable
    HomeFile known(FileId id) {
        return files.get(id);
    }

    int waiting() {
        return waiting.size();
    }

    int files() {
        return files.size();
    }

    int revocations() {
        return revoked.size();
    }

    long nextSequence() {
        return ++sequence;
    }

    @Nullable
    Waiting waiting(long request) {
        return waiting.get(request);
    }

    void beginGrace() {
        grace = true;
    }

    void endGrace(long nowMillis, Consumer<TokenHomeAction> out) {
        grace = false;
        List<HomeFile> all = List.copyOf(inGrace);
        inGrace.clear();
        all.forEach(file -> serve(file, nowMillis, out));
    }

    void passTime(long nowMillis, Consumer<TokenHomeAction> out) {
        while (!wakes.isEmpty() && wakes.firstKey() <= nowMillis) {
            for (HomeFile file : wakes.pollFirstEntry().getValue()) {
                file.wakeMillis = Long.MAX_VALUE;
                serve(file, nowMillis, out);
            }
        }
    }

    // ---- requests ---------------------------------------------------------------------------------------------------

    /** @return whether there was room; otherwise it has been refused */
    boolean enqueue(Waiting request, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeFile file = request.file;
        if (file.waiting.size() + file.reads() >= config.maxWaitingPerFile() || waiting.size() >= config.maxWaiting()) {
            out.accept(new TokenHomeAction.Refused(request.request, Reason.TOO_MANY_WAITING));
            settle(file);
            return false;
        }
        InvariantException.check(
                waiting.put(request.request, request) == null, "numbers of requests are not used again");
        file.waiting.add(request);
        request.session.waiting.add(request);
        if (request.kind != Kind.RECALL) {
            file.contention.used(request.required, request.session.number, request.mode == Mode.EXCLUSIVE, nowMillis);
        }
        serve(file, nowMillis, out);
        return true;
    }

    /** Takes a request out of its queue; the file is still to be served. */
    void remove(Waiting request) {
        waiting.remove(request.request);
        request.file.waiting.remove(request);
        request.session.waiting.remove(request);
        if (request.kind == Kind.WRITE) {
            request.session.serialised.undone(request.operation);
        }
    }

    /** Something has changed at the file: whose turn is it now? */
    void serve(HomeFile file, long nowMillis, Consumer<TokenHomeAction> out) {
        if (grace) {
            if (!file.waiting.isEmpty()) {
                inGrace.add(file);
            }
            settle(file);
            return;
        }
        List<Waiting> ahead = new ArrayList<>();
        for (Waiting request : List.copyOf(file.waiting)) {
            boolean blocked =
                    guards.contains(TokenGuard.FIRST_COME) && ahead.stream().anyMatch(request::conflictsWith);
            if (blocked || !serve(request, nowMillis, out)) {
                ahead.add(request);
            }
        }
        settle(file);
    }

    private void settle(HomeFile file) {
        if (files.get(file.id) != file) {
            // Forgotten meanwhile, when another file became idle.
            return;
        }
        if (!file.idle()) {
            idle.remove(file);
            return;
        }
        idle.addLast(file);
        while (idle.size() > config.maxIdleFiles()) {
            HomeFile forgotten = idle.removeFirst();
            InvariantException.check(files.remove(forgotten.id, forgotten), "a file is forgotten once");
            inGrace.remove(forgotten);
            wake(forgotten, Long.MAX_VALUE);
        }
    }

    /** @return whether it is answered, and does not wait any more */
    private boolean serve(Waiting request, long nowMillis, Consumer<TokenHomeAction> out) {
        return switch (request.kind) {
            case ACQUIRE -> acquire(request, nowMillis, out);
            case READ, WRITE -> serialised(request, nowMillis, out);
            case RECALL -> {
                boolean free = !obstructed(request, request.required, nowMillis, out);
                if (free) {
                    remove(request);
                    out.accept(new TokenHomeAction.Glimpse(request.request, request.file.id, null));
                }
                yield free;
            }
        };
    }

    private boolean acquire(Waiting request, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeFile file = request.file;
        Range needs = file.table.cuttable(request.required);
        if (file.contention.serialised(needs, nowMillis)) {
            return refuse(request, Reason.SERIALISED, out);
        }
        if (request.session.tokens.size() >= config.maxTokensPerSession()) {
            revokeOldest(request.session, nowMillis, out);
            return refuse(request, Reason.TOO_MANY_TOKENS, out);
        }
        if (obstructed(request, needs, nowMillis, out)) {
            return file.contention.serialised(needs, nowMillis) && refuse(request, Reason.SERIALISED, out);
        }
        remove(request);
        Range range = reach(request, needs, nowMillis);
        long number = nextSequence();
        file.table.grant(range, request.session, request.mode, number, nowMillis, complete());
        out.accept(new TokenHomeAction.Granted(
                request.request,
                request.session.number,
                epoch,
                file.id,
                request.mode,
                range,
                number,
                file.changes.current()));
        return true;
    }

    private boolean refuse(Waiting request, Reason reason, Consumer<TokenHomeAction> out) {
        remove(request);
        out.accept(new TokenHomeAction.Refused(request.request, reason));
        return true;
    }

    private Range reach(Waiting request, Range needs, long nowMillis) {
        HomeFile file = request.file;
        Range desired = request.desired.hull(needs);
        Range reach = file.table.reach(
                needs,
                desired,
                segment -> guards.contains(TokenGuard.GROWTH_STOPS)
                        && segment.holders.values().stream().anyMatch(held -> objects(held, request)));
        reach = file.contention.clip(file.clipToBusy(reach, needs), needs, nowMillis);
        for (Waiting other : file.waiting) {
            if (other.session != request.session && other.mode.conflictsWith(request.mode)) {
                reach = HomeFile.clip(reach, needs, other.required);
            }
        }
        return reach;
    }

    private boolean serialised(Waiting request, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeFile file = request.file;
        if (obstructed(request, request.required, nowMillis, out)) {
            return false;
        }
        boolean write = request.kind == Kind.WRITE;
        waiting.remove(request.request);
        file.waiting.remove(request);
        request.session.waiting.remove(request);
        if (write) {
            admit(file, request.session, request.required, request.request, true, request.operation, out);
        } else {
            Busy read = new Busy(file, request.request, request.session, request.required, request.request, true, 0);
            file.beginRead(read);
            busy.put(read.number(), read);
            out.accept(new TokenHomeAction.Serve(request.request, file.id, request.required, file.changes.current()));
        }
        return true;
    }

    /** The driver may write; from now on until it is durable nobody gets what overlaps. */
    void admit(
            HomeFile file,
            HomeSession session,
            Range range,
            long request,
            boolean serialised,
            long operation,
            Consumer<TokenHomeAction> out) {
        // Not a number of a request: those are positive.
        long commit = --commits;
        Busy admitted = new Busy(file, commit, session, range, request, serialised, operation);
        file.beginCommit(admitted);
        busy.put(commit, admitted);
        idle.remove(file);
        out.accept(new TokenHomeAction.Admit(commit, request, file.id, range));
    }

    @Nullable
    Busy finished(long number) {
        Busy done = busy.remove(number);
        if (done != null) {
            done.file().endCommit(done);
            done.file().endRead(done);
        }
        return done;
    }

    // ---- what is in the way -----------------------------------------------------------------------------------------

    /** Whether a token would have to go before this request can have its turn, other than by asking it back. */
    private boolean objects(HeldToken held, Waiting request) {
        if (held.session == request.session && request.kind == Kind.ACQUIRE) {
            return held.revocation != null;
        }
        return held.mode.conflictsWith(request.mode);
    }

    private boolean obstructed(Waiting request, Range needs, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeFile file = request.file;
        boolean waits = request.kind == Kind.ACQUIRE
                ? guards.contains(TokenGuard.GRANT_AFTER_COMMIT)
                : guards.contains(TokenGuard.ONE_AT_A_TIME);
        boolean obstructed =
                waits && (file.committing(needs) || (request.mode == Mode.EXCLUSIVE && file.reading(needs)));
        boolean askBack = false;
        long heldUntilMillis = Long.MIN_VALUE;
        for (Segment segment : file.table.overlapping(needs)) {
            for (HeldToken held : segment.holders.values()) {
                if (!objects(held, request)) {
                    continue;
                }
                obstructed |= guards.contains(TokenGuard.GRANT_AFTER_ACKS);
                if (held.revocation == null) {
                    askBack = true;
                    heldUntilMillis = Math.max(heldUntilMillis, holdEnd(held));
                }
            }
        }
        if (askBack && heldUntilMillis > nowMillis) {
            wake(file, heldUntilMillis);
        } else if (askBack) {
            askBack(request, needs, nowMillis, out);
        }
        return obstructed;
    }

    private long holdEnd(HeldToken held) {
        return guards.contains(TokenGuard.MINIMUM_HOLD)
                ? held.sinceMillis + config.minimumHoldMillis()
                : Long.MIN_VALUE;
    }

    private void wake(HomeFile file, long atMillis) {
        if (file.wakeMillis <= atMillis && atMillis != Long.MAX_VALUE) {
            return;
        }
        LinkedHashSet<HomeFile> others = wakes.get(file.wakeMillis);
        if (others != null) {
            others.remove(file);
        }
        file.wakeMillis = atMillis;
        if (atMillis != Long.MAX_VALUE) {
            wakes.computeIfAbsent(atMillis, absent -> new LinkedHashSet<>()).add(file);
        }
    }

    private void askBack(Waiting request, Range needs, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeFile file = request.file;
        if (request.kind == Kind.ACQUIRE && !request.counted) {
            request.counted = true;
            file.contention.conflict(needs, nowMillis);
        }
        Range asked =
                file.table.cuttable(file.contention.asked(needs, nowMillis).hull(needs));
        file.table.cut(asked);
        SequencedMap<HomeSession, List<HeldToken>> holders = new LinkedHashMap<>();
        for (Segment segment : file.table.overlapping(asked)) {
            for (HeldToken held : segment.holders.values()) {
                boolean needed = segment.range().overlaps(needs);
                if (held.revocation == null && objects(held, request) && (needed || holdEnd(held) <= nowMillis)) {
                    holders.computeIfAbsent(held.session, absent -> new ArrayList<>())
                            .add(held);
                }
            }
        }
        Mode downTo = request.mode.compatible();
        holders.forEach((session, tokens) -> revoke(session, file, tokens, downTo, nowMillis, out));
    }

    private void revokeOldest(HomeSession session, long nowMillis, Consumer<TokenHomeAction> out) {
        for (HeldToken oldest : session.tokens) {
            if (oldest.revocation == null) {
                revoke(session, file(oldest), List.of(oldest), Mode.NONE, nowMillis, out);
                return;
            }
        }
    }

    private HomeFile file(HeldToken held) {
        return held.segment.file;
    }

    private void revoke(
            HomeSession session,
            HomeFile file,
            List<HeldToken> tokens,
            Mode downTo,
            long nowMillis,
            Consumer<TokenHomeAction> out) {
        Range range =
                tokens.getFirst().segment.range().hull(tokens.getLast().segment.range());
        Revocation revocation = new Revocation(session, file, range, downTo, nextSequence(), nowMillis);
        for (HeldToken held : tokens) {
            held.revocation = revocation;
            revocation.tokens.add(held);
        }
        session.owed.put(revocation.sequence, revocation);
        revoked.add(revocation);
        send(revocation, out);
    }

    private void send(Revocation revocation, Consumer<TokenHomeAction> out) {
        out.accept(new TokenHomeAction.Revoke(
                revocation.session.client.node(),
                revocation.session.number,
                epoch,
                revocation.file.id,
                revocation.range,
                revocation.downTo,
                revocation.sequence,
                revocation.sinceMillis + config.sessions().leaseMillis()));
    }

    void revokeAgain(long nowMillis, Consumer<TokenHomeAction> out) {
        if (!guards.contains(TokenGuard.REVOKE_AGAIN)) {
            return;
        }
        for (int i = 0; i < REPEATED_PER_TICK && !revoked.isEmpty(); i++) {
            Revocation oldest = revoked.getFirst();
            if (nowMillis - oldest.sentMillis < config.sessions().revokeAgainMillis()) {
                return;
            }
            oldest.sentMillis = nowMillis;
            revoked.addLast(oldest);
            send(oldest, out);
        }
    }

    // ---- what is given back -----------------------------------------------------------------------------------------

    /** The session has done what the Revoke asked for; the file is still to be served. */
    void acknowledged(Revocation revocation) {
        for (HeldToken held : List.copyOf(revocation.tokens)) {
            if (revocation.downTo == Mode.NONE) {
                remove(held);
            } else {
                held.mode = revocation.downTo;
                held.revocation = null;
            }
        }
        settled(revocation);
    }

    /** The session has given back what it had of the range from grants up to this one; the file is still to be served. */
    void release(HomeSession session, HomeFile file, Range range, long upToSequence) {
        file.table.cut(file.table.cuttable(range));
        for (Segment segment : file.table.overlapping(range)) {
            HeldToken own = segment.holders.get(session.number);
            if (own != null
                    && (own.sequence <= upToSequence || !guards.contains(TokenGuard.RELEASE_SEQUENCE))
                    && range.contains(segment.range())) {
                remove(own);
            }
        }
    }

    void remove(HeldToken held) {
        held.segment.file.table.remove(held);
        if (held.revocation != null && held.revocation.tokens.isEmpty()) {
            settled(held.revocation);
        }
    }

    private void settled(Revocation revocation) {
        revocation.session.owed.remove(revocation.sequence);
        revoked.remove(revocation);
    }

    private boolean complete() {
        return guards.size() == TokenGuard.values().length;
    }
}
