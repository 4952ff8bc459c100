package spigot.coherence.token;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import spigot.coherence.HolderConfig;
import spigot.coherence.InvariantException;
import spigot.coherence.token.HolderFile.Asking;
import spigot.coherence.token.HolderFile.Leaving;
import spigot.coherence.token.HolderFile.Overtaking;
import spigot.coherence.token.Operations.Operation;
import spigot.model.FileId;
import spigot.model.Version;

/**
 * What one client holds from one home: its session, the tokens under it, and which of the bytes written under them are not
 * committed yet.
 *
 * <p>Pure and deterministic: not thread-safe (but {@link FileTokens} and {@link Token} may be asked by any thread), no I/O, no
 * clock, no randomness but what is handed in. Any message may be lost, late, doubled or out of order. Bounds:
 * {@link TokenHolderConfig}; the dirty ranges are as many as the journal has.
 *
 * <p>The driver: calls under one lock, never while it waits; feeds messages in as events and a Tick at least every 20th of a lease. A
 * thread that reads or writes looks up {@link FileTokens#at}, enters, does it from what is cached, or stores what it fetched,
 * and exits. What is cached is right under a token if it was right at {@link Token#since} or later: with each grant the driver
 * asks the home what has changed since the version of its copy. Who writes puts the bytes into the journal, tells Dirtied, then exits.
 * Drops are done by the notifier, never by a thread that serves requests; requests for what is being dropped are served meanwhile.
 */
public final class TokenHolder {
    /*
     * Why what is read under a token is fresh: see TokenHome for why nobody else writes while the home lists it, and Holder for
     * why it is listed as long as it is valid here. A grant is applied to what was not given back since it was asked for, and
     * once: a later copy finds nobody who asked.
     *
     * Giving back goes in this order, whether it was asked back or not: the pages are dropped, while all requests go on
     * being served, because the kernel may wait for them before it lets a page go. When the drop is over and nobody has
     * entered or left since it began, nothing can be in the kernel, and the token is closed; otherwise it is dropped again.
     * Closed, nothing can become dirty; what is dirty is flushed, with the token still listed; when all is committed the token
     * is told to be given back. None of this waits for another token.
     *
     * When the lease runs out before, the token is invalid at once, dropped without being told, and what is dirty is orphaned:
     * no write of this session is admitted any more. When the home has restarted, the tokens stay valid until the time that it
     * had given before, for it grants nothing to others before that is over; a Hello brings them over.
     */

    /** How long after an unanswered Hello there is another one. */
    static final long HELLO_AGAIN_MILLIS = 500;

    private final TokenHolderConfig config;
    private final LongSupplier nonces;
    private final Set<TokenGuard> guards;

    /** The one to which something was granted longest ago first. */
    private final SequencedMap<FileId, HolderFile> files = new LinkedHashMap<>();

    /** Those where something is to be given back, or dropped. */
    private final SequencedSet<HolderFile> busy = new LinkedHashSet<>();

    /** Those where something is to be flushed and may be waiting for room. */
    private final SequencedSet<HolderFile> unflushed = new LinkedHashSet<>();

    private final Operations flushes;
    private final Operations serialised;

    private @Nullable Session session;
    private boolean linked;
    private OptionalLong nonce = OptionalLong.empty();
    private long lastHelloMillis;

    /** The session that the home may still have to settle. */
    private long former;

    /** Until then no new session begins while caches are still being dropped. */
    private long dropsUntilMillis;

    private int lostDrops;
    private long lastNumber;
    private long lastMillis;

    private static final class Session {
        long number;
        long epoch;
        final Token.Term term;
        long leaseMillis;
        long lastRenewMillis;

        /** The home has restarted and does not know it yet. */
        boolean reclaiming;

        Session(long number, long epoch, long leaseMillis, long endMillis) {
            this.number = number;
            this.epoch = epoch;
            this.leaseMillis = leaseMillis;
            this.term = new Token.Term(endMillis);
        }
    }

    /**
     * @param nonces where a new session's Hello gets its nonce: random in production
     * @param nowMillis by the clock of the events to come
     */
    public TokenHolder(TokenHolderConfig config, LongSupplier nonces, long nowMillis) {
        this(config, nonces, nowMillis, EnumSet.allOf(TokenGuard.class));
    }

    TokenHolder(TokenHolderConfig config, LongSupplier nonces, long nowMillis, Set<TokenGuard> guards) {
        this.config = config;
        this.nonces = nonces;
        this.guards = guards;
        this.flushes = new Operations(config.maxOperations());
        this.serialised = new Operations(config.maxOperations());
        this.lastMillis = nowMillis;
        this.lastHelloMillis = nowMillis - HELLO_AGAIN_MILLIS;
        this.dropsUntilMillis = nowMillis;
    }

    /** @param out takes the actions in order; must not call back */
    public void on(TokenHolderEvent event, long nowMillis, Consumer<TokenHolderAction> out) {
        InvariantException.check(nowMillis >= lastMillis, "time does not go back");
        lastMillis = nowMillis;
        Session current = session;
        if (current != null && nowMillis >= current.term.endMillis && guards.contains(TokenGuard.EXPIRY)) {
            // The home still waits for us: not any more once we use a new session.
            dropsUntilMillis = current.term.endMillis + current.leaseMillis / 10;
            lose(current, nowMillis, out);
        }
        switch (event) {
            case TokenHolderEvent.LinkUp() -> linkUp(nowMillis, out);
            case TokenHolderEvent.LinkDown() -> linked = false;
            case TokenHolderEvent.Welcomed welcomed -> welcomed(welcomed, nowMillis, out);
            case TokenHolderEvent.Renewed renewed -> renewed(renewed, nowMillis, out);
            case TokenHolderEvent.SessionUnknown unknown -> unknown(unknown, nowMillis, out);
            case TokenHolderEvent.Opened(FileId file) -> file(file).opened++;
            case TokenHolderEvent.Closed(FileId file) -> closed(file);
            case TokenHolderEvent.Want want -> want(want, out);
            case TokenHolderEvent.Granted granted -> granted(granted, nowMillis, out);
            case TokenHolderEvent.NotGranted(long request, FileId file) -> notGranted(request, file, nowMillis, out);
            case TokenHolderEvent.Revoked revoked -> revoked(revoked, nowMillis, out);
            case TokenHolderEvent.Dropped(FileId file, long number) -> dropped(file, number, nowMillis, out);
            case TokenHolderEvent.Idle(FileId file) -> idle(file, out);
            case TokenHolderEvent.Dirtied(FileId file, Range range) -> dirtied(file, range, out);
            case TokenHolderEvent.FlushWanted(FileId file, Range range) -> flush(file(file), range, out);
            case TokenHolderEvent.WriteSerialised write -> writeSerialised(write, out);
            case TokenHolderEvent.WroteSerialised(long number, long operation) ->
                wroteSerialised(number, operation, true, out);
            case TokenHolderEvent.NotWroteSerialised(long number, long operation, boolean again) -> {
                if (!again) {
                    wroteSerialised(number, operation, false, out);
                } else if (inSession(number)) {
                    serialised.failed(operation);
                }
            }
            case TokenHolderEvent.Flushed flushed -> flushed(flushed, out);
            case TokenHolderEvent.NotFlushed(long number, long operation) -> {
                if (inSession(number)) {
                    flushes.failed(operation);
                }
            }
            case TokenHolderEvent.FlushAbandoned(long number, long operation) -> abandoned(number, operation, out);
            case TokenHolderEvent.GiveUp(FileId file, Range range) -> giveUp(file, range, out);
            case TokenHolderEvent.Tick() -> tick(nowMillis, out);
        }
    }

    /** The number of the session whose lease runs. */
    public OptionalLong session(long nowMillis) {
        return session == null || nowMillis >= session.term.endMillis
                ? OptionalLong.empty()
                : OptionalLong.of(session.number);
    }

    /** The tokens of a file that is {@link TokenHolderEvent.Opened}. */
    public FileTokens tokens(FileId file) {
        HolderFile known = files.get(file);
        if (known == null || known.opened == 0) {
            throw new IllegalStateException("tokens of a file that is not open: " + file);
        }
        return known.view;
    }

    /** Whether some of the range is written and not committed. */
    public boolean unclean(FileId file, Range range) {
        HolderFile known = files.get(file);
        return known != null && known.unclean(range);
    }

    /** Tokens, each of one range. */
    public int tokens() {
        return files.values().stream().mapToInt(file -> file.tokens.size()).sum();
    }

    /** Files of which anything is known. */
    public int files() {
        return files.size();
    }

    /** Files of a lost session whose pages are being dropped. */
    public int drops() {
        return lostDrops;
    }

    // ---- the session ------------------------------------------------------------------------------------------------

    private void linkUp(long nowMillis, Consumer<TokenHolderAction> out) {
        linked = true;
        if (session == null) {
            begin(nowMillis, out);
        } else if (session.reclaiming) {
            hello(nowMillis, out);
        } else {
            sendRenew(session, nowMillis, out);
        }
    }

    private void tick(long nowMillis, Consumer<TokenHolderAction> out) {
        keepAlive(nowMillis, out);
        for (HolderFile file : List.copyOf(busy)) {
            overtaken(file, nowMillis, out);
            idle(file.id, out);
        }
        if (session != null && !session.reclaiming) {
            sendAgain(session, flushes, out);
            sendAgain(session, serialised, out);
        }
    }

    private void sendAgain(Session current, Operations operations, Consumer<TokenHolderAction> out) {
        for (Map.Entry<Long, Operation> entry : operations.again()) {
            entry.getValue().again = false;
            send(current, entry.getKey(), entry.getValue(), out);
        }
    }

    private void keepAlive(long nowMillis, Consumer<TokenHolderAction> out) {
        if (!linked) {
            return;
        }
        if (session == null || session.reclaiming) {
            beginNowAndThen(nowMillis, out);
        } else if (session.term.endMillis - nowMillis <= session.leaseMillis * 6 / 10
                && nowMillis - session.lastRenewMillis >= session.leaseMillis / 10) {
            // A third of the lease is over (its last tenth is not used): from now on again and again until answered.
            sendRenew(session, nowMillis, out);
        }
    }

    private void beginNowAndThen(long nowMillis, Consumer<TokenHolderAction> out) {
        if (linked && nowMillis - lastHelloMillis >= HELLO_AGAIN_MILLIS) {
            if (session == null) {
                begin(nowMillis, out);
            } else if (session.reclaiming) {
                hello(nowMillis, out);
            }
        }
    }

    private void begin(long nowMillis, Consumer<TokenHolderAction> out) {
        if (lostDrops > 0 && nowMillis < dropsUntilMillis && guards.contains(TokenGuard.NEW_SESSION_AFTER_DROPS)) {
            return;
        }
        hello(nowMillis, out);
    }

    private void hello(long nowMillis, Consumer<TokenHolderAction> out) {
        if (nonce.isEmpty()) {
            nonce = OptionalLong.of(nonces.getAsLong());
        }
        lastHelloMillis = nowMillis;
        List<TokenHomeEvent.Reclaim> reclaims = new ArrayList<>();
        for (HolderFile file : files.values()) {
            file.tokens
                    .values()
                    .forEach(token -> reclaims.add(new TokenHomeEvent.Reclaim(file.id, token.range(), token.mode)));
        }
        out.accept(new TokenHolderAction.SendHello(nonce.getAsLong(), config.instance(), former, reclaims));
    }

    private void sendRenew(Session current, long nowMillis, Consumer<TokenHolderAction> out) {
        current.lastRenewMillis = nowMillis;
        out.accept(new TokenHolderAction.SendRenew(current.number));
    }

    private void welcomed(TokenHolderEvent.Welcomed welcomed, long nowMillis, Consumer<TokenHolderAction> out) {
        boolean awaited = nonce.isPresent() && nonce.getAsLong() == welcomed.nonce();
        long end = end(welcomed.leaseMillis(), welcomed.sentMillis(), nowMillis);
        if (!awaited || end <= nowMillis) {
            return;
        }
        if (session != null && welcomed.reclaimSequence() == 0 && holdsAnything()) {
            // The home could not take them: what it gives to others meanwhile, we do not know.
            lose(session, nowMillis, out);
            return;
        }
        nonce = OptionalLong.empty();
        boolean reclaimed = session != null;
        forgetOperations(out);
        if (session != null) {
            broughtOver(session, welcomed, end, out);
        } else {
            InvariantException.check(!holdsAnything(), "a session begins with nothing held");
            session = new Session(welcomed.session(), welcomed.epoch(), welcomed.leaseMillis(), end);
        }
        former = welcomed.session();
        out.accept(new TokenHolderAction.SessionReady(former, reclaimed));
        // The first use: it ends the session that an earlier process of this client may have left.
        sendRenew(session, nowMillis, out);
        for (HolderFile file : List.copyOf(files.values())) {
            idle(file.id, out);
        }
    }

    private boolean holdsAnything() {
        return files.values().stream().anyMatch(file -> !file.tokens.isEmpty());
    }

    /** The home's new life has given us what we had from the former one. */
    private void broughtOver(
            Session current, TokenHolderEvent.Welcomed welcomed, long endMillis, Consumer<TokenHolderAction> out) {
        current.number = welcomed.session();
        current.epoch = welcomed.epoch();
        current.leaseMillis = welcomed.leaseMillis();
        current.term.endMillis = endMillis;
        current.reclaiming = false;
        for (HolderFile file : List.copyOf(files.values())) {
            List<Leaving> presents = asPresents(file);
            file.tokens.values().forEach(token -> token.sequence = welcomed.reclaimSequence());
            file.flushing.values().forEach(range -> {
                file.dirty.add(range);
                file.flushWanted.add(range);
            });
            file.flushing.clear();
            file.asking.keySet().forEach(request -> out.accept(new TokenHolderAction.Answered(request, false)));
            file.asking.clear();
            file.overtaking.clear();
            file.leaving.addAll(presents);
        }
    }

    /** The home that wanted something back is gone; the new one gets it as a present. To be called before the tokens have new sequences. */
    private List<Leaving> asPresents(HolderFile file) {
        List<Leaving> presents = new ArrayList<>();
        for (Leaving leaving : file.leaving) {
            if (file.overlapping(leaving.range).stream().anyMatch(leaving::concerns)) {
                // From the beginning: later grants in this range go with it.
                presents.add(new Leaving(++lastNumber, leaving.range, leaving.downTo, Long.MAX_VALUE));
            }
        }
        file.leaving.clear();
        return presents;
    }

    private void renewed(TokenHolderEvent.Renewed renewed, long nowMillis, Consumer<TokenHolderAction> out) {
        if (session == null || session.number != renewed.session() || session.reclaiming) {
            return;
        }
        if (session.epoch != renewed.epoch()) {
            // No home gives the numbers of another life: do not believe any of it.
            lose(session, nowMillis, out);
            return;
        }
        long end = end(renewed.leaseMillis(), renewed.sentMillis(), nowMillis);
        if (end > session.term.endMillis) {
            session.term.endMillis = end;
        }
    }

    private void unknown(TokenHolderEvent.SessionUnknown unknown, long nowMillis, Consumer<TokenHolderAction> out) {
        if (session == null || session.number != unknown.session()) {
            return;
        }
        if (unknown.epoch() <= session.epoch) {
            lose(session, nowMillis, out);
        } else if (!session.reclaiming) {
            session.reclaiming = true;
            hello(nowMillis, out);
        }
    }

    /** When a lease of this length ends for us; now, when the length is not a possible one. */
    private long end(long leaseMillis, long sentMillis, long nowMillis) {
        InvariantException.check(sentMillis <= nowMillis, "what is answered was sent before");
        if (leaseMillis <= 0 || leaseMillis > HolderConfig.MAX_LEASE_MILLIS) {
            return nowMillis;
        }
        long from = guards.contains(TokenGuard.COUNT_FROM_SENDING) ? sentMillis : nowMillis;
        return from + leaseMillis - (guards.contains(TokenGuard.DROP_AHEAD) ? leaseMillis / 10 : 0);
    }

    private void lose(Session lost, long nowMillis, Consumer<TokenHolderAction> out) {
        session = null;
        nonce = OptionalLong.empty();
        // All its tokens are invalid from here on, also for the threads that are asking just now.
        lost.term.endMillis = Long.MIN_VALUE;
        out.accept(new TokenHolderAction.SessionLost(lost.number));
        forgetOperations(out);
        unflushed.clear();
        for (HolderFile file : List.copyOf(files.values())) {
            lose(file, out);
        }
        beginNowAndThen(nowMillis, out);
    }

    private void lose(HolderFile file, Consumer<TokenHolderAction> out) {
        file.asking.keySet().forEach(request -> out.accept(new TokenHolderAction.Answered(request, false)));
        file.asking.clear();
        file.overtaking.clear();
        file.leaving.clear();
        file.flushWanted.clear();
        file.flushing.values().forEach(file.dirty::add);
        file.flushing.clear();
        boolean data = false;
        boolean attributes = false;
        for (Token token : List.copyOf(file.tokens.values())) {
            data |= !token.range().attributes();
            attributes |= token.range().attributes();
            for (Range dirty : file.dirty.overlapping(token.range())) {
                Range part = dirty.intersection(token.range());
                out.accept(new TokenHolderAction.Orphaned(file.id, part, token.right));
                file.dirty.remove(part);
            }
            file.remove(token);
        }
        file.dirty.all().forEach(range -> out.accept(new TokenHolderAction.Orphaned(file.id, range, Version.NONE)));
        file.dirty.clear();
        file.publish();
        if (data) {
            dropLost(file, Range.WHOLE, out);
        }
        if (attributes) {
            dropLost(file, Range.ATTRIBUTES, out);
        }
        settle(file);
    }

    private void dropLost(HolderFile file, Range range, Consumer<TokenHolderAction> out) {
        Leaving lost = new Leaving(++lastNumber, range, Mode.NONE, Long.MAX_VALUE);
        file.lost.add(lost);
        lostDrops++;
        drop(file, lost, out);
    }

    // ---- asking -----------------------------------------------------------------------------------------------------

    private HolderFile file(FileId id) {
        return files.computeIfAbsent(id, HolderFile::new);
    }

    private void closed(FileId id) {
        HolderFile file = file(id);
        InvariantException.check(file.opened > 0, "what is closed was opened");
        file.opened--;
        settle(file);
    }

    private void settle(HolderFile file) {
        if (file.busy()) {
            busy.add(file);
        } else {
            busy.remove(file);
        }
        if (file.unused()) {
            files.remove(file.id);
            unflushed.remove(file);
        }
    }

    private void want(TokenHolderEvent.Want want, Consumer<TokenHolderAction> out) {
        if (session == null || session.reclaiming) {
            out.accept(new TokenHolderAction.Answered(want.request(), false));
            return;
        }
        Range desired = want.desired().hull(want.required());
        file(want.file()).asking.put(want.request(), new Asking(desired, config.maxVoids()));
        out.accept(new TokenHolderAction.SendAcquire(
                want.request(), session.number, want.file(), want.mode(), want.required(), desired));
    }

    private void granted(TokenHolderEvent.Granted granted, long nowMillis, Consumer<TokenHolderAction> out) {
        HolderFile file = files.get(granted.file());
        Asking asking = file == null ? null : file.asking.get(granted.request());
        Session current = session;
        if (current == null
                || (current.number != granted.session() && guards.contains(TokenGuard.GRANT_SESSION))
                || (current.epoch != granted.epoch() && guards.contains(TokenGuard.GRANT_EPOCH))) {
            return;
        }
        if (asking == null && !guards.contains(TokenGuard.GRANT_ONCE)) {
            file = file(granted.file());
            asking = new Asking(granted.range(), config.maxVoids());
        }
        if (file == null || asking == null) {
            return;
        }
        file.asking.remove(granted.request());
        boolean applied = file.lost.isEmpty() || !guards.contains(TokenGuard.GRANT_AFTER_DROP);
        if (applied) {
            for (Range part : asking.valid(granted.range(), granted.sequence()).all()) {
                file.apply(part, granted.mode(), current.term, granted.sequence(), granted.version());
            }
            files.putLast(file.id, file);
            file.publish();
        } else {
            out.accept(new TokenHolderAction.SendRelease(current.number, file.id, granted.range(), granted.sequence()));
            release(file, granted.range(), granted.sequence());
        }
        out.accept(new TokenHolderAction.Answered(granted.request(), applied));
        overtaken(file, nowMillis, out);
        keepBounds(file, out);
        settle(file);
    }

    private void notGranted(long request, FileId id, long nowMillis, Consumer<TokenHolderAction> out) {
        HolderFile file = files.get(id);
        if (file != null && file.asking.remove(request) != null) {
            out.accept(new TokenHolderAction.Answered(request, false));
            overtaken(file, nowMillis, out);
            settle(file);
        }
    }

    private void keepBounds(HolderFile file, Consumer<TokenHolderAction> out) {
        if (file.tokens.size() > config.maxTokensPerFile()) {
            giveUp(file.id, Range.WHOLE, out);
        }
        int surplus = tokens() - config.maxTokens();
        for (HolderFile oldest : List.copyOf(files.values())) {
            if (surplus <= 0 || oldest == file) {
                return;
            }
            surplus -= oldest.tokens.size();
            giveUp(oldest.id, Range.WHOLE, out);
        }
    }

    // ---- giving back ------------------------------------------------------------------------------------------------

    private void revoked(TokenHolderEvent.Revoked revoked, long nowMillis, Consumer<TokenHolderAction> out) {
        if (session == null
                || session.reclaiming
                || session.number != revoked.session()
                || session.epoch != revoked.epoch()) {
            // Of a session that is over there, or soon will be.
            return;
        }
        HolderFile file = files.get(revoked.file());
        if (file == null) {
            out.accept(new TokenHolderAction.SendRevokeAck(revoked.session(), revoked.sequence()));
            return;
        }
        boolean known = file.leaving.stream().anyMatch(leaving -> leaving.revokeSequence == revoked.sequence())
                || file.overtaking.stream().anyMatch(other -> other.revoked().sequence() == revoked.sequence());
        if (known) {
            return;
        }
        boolean held =
                file.overlapping(revoked.range()).stream().anyMatch(token -> token.sequence < revoked.sequence());
        boolean asked = file.asking.values().stream().anyMatch(asking -> asking.desired.overlaps(revoked.range()));
        if (!held && asked && guards.contains(TokenGuard.REVOKE_AFTER_GRANT)) {
            file.overtaking.add(new Overtaking(revoked, nowMillis + config.overtakenMillis()));
        } else {
            giveBack(file, revoked, out);
        }
        settle(file);
    }

    /** Looks again at the Revokes that wait for a grant. */
    private void overtaken(HolderFile file, long nowMillis, Consumer<TokenHolderAction> out) {
        for (Overtaking overtaking : List.copyOf(file.overtaking)) {
            Range range = overtaking.revoked().range();
            boolean asked = file.asking.values().stream().anyMatch(asking -> asking.desired.overlaps(range));
            if (!asked || nowMillis >= overtaking.untilMillis()) {
                file.overtaking.remove(overtaking);
                giveBack(file, overtaking.revoked(), out);
            }
        }
    }

    private void giveBack(HolderFile file, TokenHolderEvent.Revoked revoked, Consumer<TokenHolderAction> out) {
        if (guards.contains(TokenGuard.GRANT_AFTER_REVOKE)) {
            file.asking.values().forEach(asking -> asking.voided(revoked.range(), revoked.sequence()));
        }
        Leaving leaving = new Leaving(++lastNumber, revoked.range(), revoked.downTo(), revoked.sequence());
        leaving.revokeSequence = revoked.sequence();
        leave(file, leaving, out);
    }

    private void giveUp(FileId id, Range range, Consumer<TokenHolderAction> out) {
        HolderFile file = files.get(id);
        if (file == null || file.overlapping(range).isEmpty()) {
            return;
        }
        leave(file, new Leaving(++lastNumber, range, Mode.NONE, Long.MAX_VALUE), out);
        settle(file);
    }

    private void leave(HolderFile file, Leaving leaving, Consumer<TokenHolderAction> out) {
        file.leaving.add(leaving);
        file.cut(leaving.range);
        boolean holds = file.overlapping(leaving.range).stream().anyMatch(leaving::concerns);
        if (holds) {
            drop(file, leaving, out);
        } else {
            leaving.empty = true;
            leaving.dropped = file.drained(leaving.range) || !guards.contains(TokenGuard.ACK_AFTER_SERVICE);
        }
        if (!guards.contains(TokenGuard.ACK_AFTER_DROP)) {
            file.overlapping(leaving.range).stream().filter(leaving::concerns).forEach(Token::close);
            leaving.dropped = true;
        }
        file.publish();
        goOn(file, out);
    }

    private void drop(HolderFile file, Leaving leaving, Consumer<TokenHolderAction> out) {
        for (Token token : file.overlapping(leaving.range)) {
            if (leaving.concerns(token)) {
                if (token.touched()) {
                    // Another Drop under way may have passed before: it is not enough for whom it is done.
                    file.leaving.stream()
                            .filter(other -> other.range.overlaps(token.range()))
                            .forEach(other -> other.drained = false);
                }
                token.leave();
            }
        }
        leaving.drained = file.drained(leaving.range);
        leaving.dropping = true;
        out.accept(new TokenHolderAction.Drop(file.id, leaving.range, leaving.number));
    }

    private void dropped(FileId id, long number, long nowMillis, Consumer<TokenHolderAction> out) {
        HolderFile file = files.get(id);
        if (file == null) {
            return;
        }
        for (Leaving leaving : file.leaving) {
            if (leaving.number == number && leaving.dropping) {
                leaving.dropping = false;
                leaving.dropped |= close(file, leaving);
            }
        }
        for (Leaving lost : List.copyOf(file.lost)) {
            if (lost.number == number && lost.dropping) {
                lost.dropping = false;
                if (lost.drained || !guards.contains(TokenGuard.ACK_AFTER_SERVICE)) {
                    file.lost.remove(lost);
                    lostDrops--;
                }
            }
        }
        idle(id, out);
        if (lostDrops == 0) {
            beginNowAndThen(nowMillis, out);
        }
    }

    /** Whether nobody can enter any more and no page can be left. */
    private boolean close(HolderFile file, Leaving leaving) {
        boolean served = guards.contains(TokenGuard.ACK_AFTER_SERVICE);
        boolean closed = leaving.drained || !served;
        for (Token token : file.overlapping(leaving.range)) {
            if (leaving.concerns(token)) {
                if (!served) {
                    token.close();
                }
                closed &= token.closeUntouched() || !served;
            }
        }
        return closed;
    }

    /** Drops again what could not be closed because something was in service, if it is not any more. */
    private void idle(FileId id, Consumer<TokenHolderAction> out) {
        HolderFile file = files.get(id);
        if (file == null) {
            return;
        }
        for (Leaving leaving : file.leaving) {
            if (!leaving.dropped && !leaving.dropping && quiet(file, leaving)) {
                drop(file, leaving, out);
            }
        }
        for (Leaving lost : file.lost) {
            if (!lost.dropping && file.drained(lost.range)) {
                drop(file, lost, out);
            }
        }
        goOn(file, out);
    }

    private static boolean quiet(HolderFile file, Leaving leaving) {
        return file.drained(leaving.range)
                && file.overlapping(leaving.range).stream().noneMatch(Token::inService);
    }

    /** Flushes what is wanted, and tells what is given back. */
    private void goOn(HolderFile file, Consumer<TokenHolderAction> out) {
        for (Leaving leaving : file.leaving) {
            if (leaving.dropped && !leaving.empty && file.unclean(leaving.range)) {
                file.flushWanted.add(leaving.range);
            }
        }
        pump(file, out);
        if (session != null && !session.reclaiming) {
            for (Leaving leaving : List.copyOf(file.leaving)) {
                if (leaving.dropped
                        && (leaving.empty
                                || !file.unclean(leaving.range)
                                || !guards.contains(TokenGuard.ACK_AFTER_FLUSH))) {
                    finish(session, file, leaving, out);
                }
            }
        }
        settle(file);
    }

    private void finish(Session current, HolderFile file, Leaving leaving, Consumer<TokenHolderAction> out) {
        file.leaving.remove(leaving);
        long sequence = leaving.releaseSequence;
        for (Token token : file.overlapping(leaving.range)) {
            if (leaving.concerns(token)) {
                sequence = Math.max(sequence, token.sequence);
                file.remove(token);
                boolean others = file.leaving.stream().anyMatch(other -> other.range.overlaps(token.range()));
                if (leaving.downTo != Mode.NONE) {
                    Token weaker = token.with(leaving.downTo);
                    if (others) {
                        weaker.close();
                    }
                    file.put(weaker);
                }
            }
        }
        file.publish();
        if (leaving.revokeSequence != 0) {
            out.accept(new TokenHolderAction.SendRevokeAck(current.number, leaving.revokeSequence));
        } else if (leaving.downTo == Mode.NONE) {
            release(file, leaving.range, sequence);
            out.accept(new TokenHolderAction.SendRelease(current.number, file.id, leaving.range, sequence));
        }
    }

    private void release(HolderFile file, Range range, long sequence) {
        if (guards.contains(TokenGuard.GRANT_AFTER_RELEASE)) {
            file.asking.values().forEach(asking -> asking.voided(range, sequence + 1));
        }
    }

    // ---- what is written --------------------------------------------------------------------------------------------

    private void dirtied(FileId id, Range range, Consumer<TokenHolderAction> out) {
        HolderFile file = file(id);
        RangeSet lost = new RangeSet();
        lost.add(range);
        for (Token token : file.overlapping(range)) {
            if (token.mode == Mode.EXCLUSIVE) {
                Range part = token.range().intersection(range);
                file.dirty.add(part);
                lost.remove(part);
            }
        }
        for (Range part : lost.all()) {
            out.accept(new TokenHolderAction.Orphaned(id, part, file.right(part)));
        }
        settle(file);
    }

    private void flush(HolderFile file, Range range, Consumer<TokenHolderAction> out) {
        file.flushWanted.add(range);
        goOn(file, out);
    }

    /** Begins the flushes that are wanted, as far as there is room. */
    private void pump(HolderFile file, Consumer<TokenHolderAction> out) {
        Session current = session;
        unflushed.remove(file);
        if (file.flushWanted.isEmpty()) {
            return;
        }
        for (Range wanted : file.flushWanted.all()) {
            for (Range run : file.dirty.overlapping(wanted)) {
                RangeSet ready = new RangeSet();
                ready.add(run.intersection(wanted));
                if (guards.contains(TokenGuard.FLUSH_IN_ORDER)) {
                    file.flushing.values().forEach(ready::remove);
                }
                for (Range part : ready.all()) {
                    if (current == null || current.reclaiming || !flush(current, file, part, out)) {
                        unflushed.add(file);
                        return;
                    }
                }
            }
            if (!file.unclean(wanted)) {
                file.flushWanted.remove(wanted);
            }
        }
    }

    /** @return whether there was room */
    private boolean flush(Session current, HolderFile file, Range range, Consumer<TokenHolderAction> out) {
        for (long from = range.from(); from < range.to(); from += config.maxFlushBytes()) {
            if (flushes.full()) {
                return false;
            }
            Range part = new Range(from, Math.min(range.to(), from + config.maxFlushBytes()));
            long sequence = file.overlapping(part).stream()
                    .mapToLong(token -> token.sequence)
                    .max()
                    .orElse(0);
            Operation operation = new Operation(file, part, sequence, 0);
            long number = flushes.begin(operation);
            file.flushing.put(number, part);
            file.dirty.remove(part);
            send(current, number, operation, out);
        }
        return true;
    }

    private void writeSerialised(TokenHolderEvent.WriteSerialised write, Consumer<TokenHolderAction> out) {
        Session current = session;
        if (current == null || current.reclaiming || serialised.full()) {
            out.accept(new TokenHolderAction.Answered(write.request(), false));
            return;
        }
        Operation operation = new Operation(file(write.file()), write.range(), 0, write.request());
        operation.file.serialised++;
        send(current, serialised.begin(operation), operation, out);
    }

    /** Whether the serialised writes of the session that is over were done, is not known. */
    private void forgetOperations(Consumer<TokenHolderAction> out) {
        flushes.clear();
        for (Operation operation : serialised.clear()) {
            operation.file.serialised--;
            out.accept(new TokenHolderAction.Answered(operation.request, false));
        }
    }

    private void send(Session current, long number, Operation operation, Consumer<TokenHolderAction> out) {
        if (operation.request != 0) {
            out.accept(new TokenHolderAction.SendSerialisedWrite(
                    operation.request,
                    current.number,
                    current.epoch,
                    operation.file.id,
                    operation.range,
                    number,
                    serialised.unacknowledged()));
            return;
        }
        out.accept(new TokenHolderAction.Flush(
                current.number,
                current.epoch,
                operation.file.id,
                operation.range,
                number,
                operation.tokenSequence,
                flushes.unacknowledged()));
    }

    private void flushed(TokenHolderEvent.Flushed flushed, Consumer<TokenHolderAction> out) {
        Operation done = end(flushed.session(), flushed.operation());
        if (done == null) {
            return;
        }
        for (Token token : done.file.overlapping(done.range)) {
            if (flushed.version().compareTo(token.right) > 0) {
                token.right = flushed.version();
            }
        }
        if (!guards.contains(TokenGuard.REWRITTEN_IS_DIRTY)) {
            done.file.dirty.remove(done.range);
        }
        flushedOrNot(done, out);
    }

    private void abandoned(long number, long operation, Consumer<TokenHolderAction> out) {
        Operation done = end(number, operation);
        if (done != null) {
            flushedOrNot(done, out);
        }
    }

    private boolean inSession(long number) {
        return session != null && session.number == number && !session.reclaiming;
    }

    private @Nullable Operation end(long number, long operation) {
        Operation done = inSession(number) ? flushes.end(operation) : null;
        if (done != null) {
            done.file.flushing.remove(operation);
        }
        return done;
    }

    private void wroteSerialised(long number, long operation, boolean done, Consumer<TokenHolderAction> out) {
        Operation ended = inSession(number) ? serialised.end(operation) : null;
        if (ended != null) {
            ended.file.serialised--;
            out.accept(new TokenHolderAction.Answered(ended.request, done));
            settle(ended.file);
        }
    }

    private void flushedOrNot(Operation done, Consumer<TokenHolderAction> out) {
        goOn(done.file, out);
        for (HolderFile file : List.copyOf(unflushed)) {
            if (flushes.full()) {
                return;
            }
            goOn(file, out);
        }
    }
}
