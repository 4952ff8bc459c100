package spigot.coherence.token;

import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import spigot.coherence.ClientId;
import spigot.coherence.GrantorSessions;
import spigot.coherence.InvariantException;
import spigot.coherence.token.HomeFile.Busy;
import spigot.coherence.token.TokenHomeAction.Reason;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.coherence.token.Waiting.Kind;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/**
 * The tokens of all files of one home: who may read, write and cache which ranges, and which writes are committed.
 *
 * <p>Pure and deterministic: not thread-safe, no I/O, no clock; time comes with each event and never goes back. Any message may
 * be lost, late, doubled or out of order. Work per event grows with the logarithm of the number of tokens of its file, with
 * what it overlaps, and with the requests that wait at this file; not with the number of files, but for the end of a session.
 * What a peer can make it store is bounded by {@link TokenHomeConfig}.
 *
 * <p>The driver: feeds messages in as events, a Tick at least every half of {@code revokeAgainMillis}, and does the actions in
 * order. It keeps the sessions of {@link TokenHomeAction.Remember} durably until {@link TokenHomeAction.Forget} and hands them to the
 * next life. It sends data with a grant only as read after {@link TokenHomeAction.Granted}. It reads the data of an
 * {@link TokenHomeAction.Admit} from its request, tells Durable in the order of its log, and shows the data to no read before.
 * It drives a home only inside the server's own lease at the catalog.
 */
public final class TokenHome {
    /*
     * Why one writes or many read. A token is listed here from before the client hears of it until the client has given it
     * back, with its pages gone and its writes committed, or until its session ends; the client's own clock has ended it by
     * then, for its time is counted from when it sent what we counted from when we received, and is without the margin. So
     * what the table says includes all that any client may believe. The table never has a conflict: a grant waits for what
     * overlaps what is required, and grows only over what nobody objects to.
     *
     * What the table of a former life said is not known. Until each of its sessions has told what it still holds (with
     * Hello, which may say: nothing) or must be over by the longest term, nothing is granted or served, but reclaimed. A
     * session can be settled once, and only by a Hello that names it: no copy of an older Hello does.
     *
     * Why no committed write is lost or undone. A write is admitted only under an exclusive token of its session, and what
     * overlaps a write that is being committed is granted or served to nobody until it is durable, even when its session has
     * ended: everybody who gets the token later reads it. An operation has a number in its session; a copy finds it running,
     * or done, or acknowledged, and is not admitted again. Copies of writes of ended sessions find no session.
     *
     * Why every request is answered. Requests for one range are served in the order of their arrival; the first one has
     * asked back all that is in its way. A Revoke is repeated until it is acknowledged; who does not acknowledge for the
     * length of a lease is not renewed, so that its session ends. Holding a token is never a reason to keep it: clients give back
     * without waiting for other tokens, so there is no circle.
     */

    private final TokenHomeConfig config;
    private final long epoch;
    private final Set<TokenGuard> guards;
    private final GrantorSessions<HomeSession> sessions;
    private final Turns turns;

    /** Sessions of the former life that have not said Hello; empty when the grace is over. */
    private final SequencedMap<Long, ClientId> former;

    private final Map<Long, Glimpsing> glimpses = new HashMap<>();
    private final long graceEndMillis;
    private boolean grace;
    private long lastMillis;

    private record Glimpsing(long request, HomeSession asker, HomeSession asked, HomeFile file) {}

    /**
     * @param epoch higher than in any former life
     * @param former the sessions that were remembered and not forgotten
     * @param lastCommitted the version that a file's log ends with; asked when a file is first mentioned, must not block
     * @param nowMillis by the clock of the events to come
     */
    public TokenHome(
            TokenHomeConfig config,
            long epoch,
            Map<Long, ClientId> former,
            Function<FileId, Version> lastCommitted,
            long nowMillis) {
        this(config, epoch, former, lastCommitted, nowMillis, EnumSet.allOf(TokenGuard.class));
    }

    TokenHome(
            TokenHomeConfig config,
            long epoch,
            Map<Long, ClientId> former,
            Function<FileId, Version> lastCommitted,
            long nowMillis,
            Set<TokenGuard> guards) {
        this.config = config;
        this.epoch = epoch;
        this.guards = guards;
        this.former = new LinkedHashMap<>(former);
        this.turns = new Turns(config, epoch, guards, lastCommitted);
        this.sessions = new GrantorSessions<>(
                new GrantorSessions.Terms(
                        config.sessions().leaseMillis(),
                        guards.contains(TokenGuard.MARGIN) ? config.sessions().marginMillis() : 0,
                        config.sessions().maxSessions(),
                        guards.contains(TokenGuard.OWN_SESSION)),
                epoch,
                HomeSession::new);
        this.graceEndMillis = nowMillis + config.sessions().graceMillis();
        this.lastMillis = nowMillis;
        this.grace = !former.isEmpty() && guards.contains(TokenGuard.GRACE);
        if (grace) {
            turns.beginGrace();
        }
    }

    /** @param out takes the actions in order; must not call back */
    public void on(TokenHomeEvent event, long nowMillis, Consumer<TokenHomeAction> out) {
        InvariantException.check(nowMillis >= lastMillis, "time does not go back");
        lastMillis = nowMillis;
        passTime(nowMillis, out);
        switch (event) {
            case TokenHomeEvent.Hello hello -> hello(hello, nowMillis, out);
            case TokenHomeEvent.Renew renew -> renew(renew, nowMillis, out);
            case TokenHomeEvent.Acquire acquire -> acquire(acquire, nowMillis, out);
            case TokenHomeEvent.Withdraw(long request) -> withdraw(request, nowMillis, out);
            case TokenHomeEvent.Release release -> release(release, nowMillis, out);
            case TokenHomeEvent.RevokeAck ack -> acknowledged(ack, nowMillis, out);
            case TokenHomeEvent.Write write -> write(write, nowMillis, out);
            case TokenHomeEvent.SerialisedRead read -> read(read, nowMillis, out);
            case TokenHomeEvent.SerialisedWrite write -> write(write, nowMillis, out);
            case TokenHomeEvent.Served(long request) -> served(request, nowMillis, out);
            case TokenHomeEvent.Durable durable -> durable(durable, nowMillis, out);
            case TokenHomeEvent.NotDurable(long commit) -> notDurable(commit, nowMillis, out);
            case TokenHomeEvent.Glimpse glimpse -> glimpse(glimpse, nowMillis, out);
            case TokenHomeEvent.GlimpseReply reply -> glimpsed(reply, nowMillis, out);
            case TokenHomeEvent.Bye(NodeId client, long number) -> {
                HomeSession session = sessions.of(client, number);
                if (session != null) {
                    end(session, nowMillis, out);
                }
            }
            case TokenHomeEvent.Tick() -> turns.revokeAgain(nowMillis, out);
        }
    }

    /** Which ranges of a copy of this version are not right any more. A query: to be asked when a grant or reply is made. */
    public Changes changesSince(FileId file, Version version) {
        return turns.file(file).changes.since(version);
    }

    /** The version of the last commit. */
    public Version version(FileId file) {
        return turns.file(file).changes.current();
    }

    public long epoch() {
        return epoch;
    }

    public int sessions() {
        return sessions.size();
    }

    /** Whether this client has this session. */
    public boolean knows(NodeId client, long session) {
        return sessions.of(client, session) != null;
    }

    /** Whether sessions of the former life are waited for. */
    public boolean grace() {
        return grace;
    }

    /** Requests that wait for their turn. */
    public int waiting() {
        return turns.waiting();
    }

    /** Files that are held, asked for, or whose changes are remembered. */
    public int files() {
        return turns.files();
    }

    /** Pieces in which the file is held. */
    public int segments(FileId file) {
        HomeFile known = turns.known(file);
        return known == null ? 0 : known.table.size();
    }

    public int revocations() {
        return turns.revocations();
    }

    private void passTime(long nowMillis, Consumer<TokenHomeAction> out) {
        for (HomeSession late = sessions.over(nowMillis); late != null; late = sessions.over(nowMillis)) {
            end(late, nowMillis, out);
        }
        if (nowMillis >= graceEndMillis && !former.isEmpty()) {
            former.keySet().forEach(session -> out.accept(new TokenHomeAction.Forget(session)));
            former.clear();
        }
        if (grace && former.isEmpty()) {
            grace = false;
            turns.endGrace(nowMillis, out);
        }
        turns.passTime(nowMillis, out);
    }

    // ---- sessions ---------------------------------------------------------------------------------------------------

    private void hello(TokenHomeEvent.Hello hello, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = sessions.find(hello.client(), hello.nonce());
        if (session == null) {
            HomeSession unused = sessions.unusedOf(hello.client());
            if (unused != null) {
                end(unused, nowMillis, out);
            }
            HomeSession old = sessions.usedOf(hello.client());
            if (old != null && !guards.contains(TokenGuard.OLD_SESSION_UNTIL_USE)) {
                end(old, nowMillis, out);
            }
            if (sessions.full()) {
                out.accept(new TokenHomeAction.Refused(hello.request(), Reason.TOO_MANY_SESSIONS));
                return;
            }
            session = sessions.begin(hello.client(), hello.nonce());
            out.accept(new TokenHomeAction.Remember(session.client, session.number));
            settle(hello, session, nowMillis, out);
        } else if (overdue(session, nowMillis)) {
            out.accept(new TokenHomeAction.Refused(hello.request(), Reason.REVOKING));
            return;
        }
        sessions.extend(session, nowMillis);
        out.accept(new TokenHomeAction.Welcome(
                hello.request(), session.number, epoch, config.sessions().leaseMillis(), session.reclaimSequence));
        passTime(nowMillis, out);
    }

    /** The client says what it holds from the former life; from now on that life's session need not be waited for. */
    private void settle(
            TokenHomeEvent.Hello hello, HomeSession session, long nowMillis, Consumer<TokenHomeAction> out) {
        boolean open = hello.client().equals(former.get(hello.former()));
        if (open || !guards.contains(TokenGuard.RECLAIM_ONCE)) {
            reclaim(hello.reclaims(), session, nowMillis, out);
        }
        if (open) {
            former.remove(hello.former());
            out.accept(new TokenHomeAction.Forget(hello.former()));
        }
    }

    private void reclaim(
            List<TokenHomeEvent.Reclaim> reclaims, HomeSession session, long nowMillis, Consumer<TokenHomeAction> out) {
        if (reclaims.isEmpty() || reclaims.size() > config.maxTokensPerSession()) {
            return;
        }
        boolean conflict = reclaims.stream()
                .anyMatch(reclaim -> reclaim.mode() == Mode.NONE
                        || turns.file(reclaim.file()).table.overlapping(reclaim.range()).stream()
                                .flatMap(segment -> segment.holders.values().stream())
                                .anyMatch(held -> held.mode.conflictsWith(reclaim.mode())));
        if (conflict && guards.contains(TokenGuard.RECLAIM_ONCE)) {
            return;
        }
        session.reclaimSequence = turns.nextSequence();
        for (TokenHomeEvent.Reclaim reclaim : reclaims) {
            HomeFile file = turns.file(reclaim.file());
            file.table.grant(reclaim.range(), session, reclaim.mode(), session.reclaimSequence, nowMillis, !conflict);
            turns.serve(file, nowMillis, out);
        }
        HomeSession older = guards.contains(TokenGuard.RECLAIM_IS_USE) ? sessions.use(session) : null;
        if (older != null) {
            end(older, nowMillis, out);
        }
    }

    private void renew(TokenHomeEvent.Renew renew, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = used(renew.request(), renew.client(), renew.session(), nowMillis, out);
        if (session == null) {
            return;
        }
        if (overdue(session, nowMillis)) {
            out.accept(new TokenHomeAction.Refused(renew.request(), Reason.REVOKING));
        } else {
            sessions.extend(session, nowMillis);
            out.accept(new TokenHomeAction.Renewed(
                    renew.request(), epoch, config.sessions().leaseMillis()));
        }
    }

    private boolean overdue(HomeSession session, long nowMillis) {
        return !session.owed.isEmpty()
                && guards.contains(TokenGuard.NO_RENEWAL_WHILE_OVERDUE)
                && nowMillis - session.owed.firstEntry().getValue().sinceMillis
                        > config.sessions().leaseMillis();
    }

    /** @return null when there is no such session: then the request is refused */
    private @Nullable HomeSession used(
            long request, NodeId client, long number, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = sessions.of(client, number);
        if (session == null) {
            out.accept(new TokenHomeAction.Refused(request, Reason.UNKNOWN_SESSION));
            return null;
        }
        HomeSession older = sessions.use(session);
        if (older != null) {
            end(older, nowMillis, out);
        }
        return session;
    }

    private void end(HomeSession session, long nowMillis, Consumer<TokenHomeAction> out) {
        sessions.end(session);
        SequencedSet<HomeFile> files = new LinkedHashSet<>();
        while (!session.tokens.isEmpty()) {
            HeldToken held = session.tokens.getFirst();
            files.add(held.segment.file);
            turns.remove(held);
        }
        for (Waiting request : List.copyOf(session.waiting)) {
            files.add(request.file);
            turns.remove(request);
            out.accept(new TokenHomeAction.Refused(request.request, Reason.UNKNOWN_SESSION));
        }
        out.accept(new TokenHomeAction.Forget(session.number));
        out.accept(new TokenHomeAction.SessionEnded(session.client.node(), session.number));
        for (Glimpsing glimpse : List.copyOf(glimpses.values())) {
            if (glimpse.asker() == session) {
                glimpses.remove(glimpse.request());
                out.accept(new TokenHomeAction.Refused(glimpse.request(), Reason.UNKNOWN_SESSION));
            } else if (glimpse.asked() == session) {
                recall(glimpse, nowMillis, out);
            }
        }
        files.forEach(file -> turns.serve(file, nowMillis, out));
    }

    // ---- tokens -----------------------------------------------------------------------------------------------------

    private void acquire(TokenHomeEvent.Acquire acquire, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = used(acquire.request(), acquire.client(), acquire.session(), nowMillis, out);
        if (session != null) {
            Range desired = acquire.desired().attributes() == acquire.required().attributes()
                    ? acquire.desired().hull(acquire.required())
                    : acquire.required();
            turns.enqueue(
                    new Waiting(
                            Kind.ACQUIRE,
                            acquire.request(),
                            session,
                            turns.file(acquire.file()),
                            acquire.mode(),
                            acquire.required(),
                            desired,
                            0),
                    nowMillis,
                    out);
        }
    }

    private void withdraw(long request, long nowMillis, Consumer<TokenHomeAction> out) {
        glimpses.remove(request);
        Waiting waiting = turns.waiting(request);
        if (waiting != null) {
            turns.remove(waiting);
            turns.serve(waiting.file, nowMillis, out);
        }
    }

    private void release(TokenHomeEvent.Release release, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = sessions.of(release.client(), release.session());
        HomeFile file = turns.known(release.file());
        if (session != null && file != null) {
            turns.release(session, file, release.range(), release.sequence());
            turns.serve(file, nowMillis, out);
        }
    }

    private void acknowledged(TokenHomeEvent.RevokeAck ack, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = sessions.of(ack.client(), ack.session());
        if (session == null) {
            return;
        }
        Revocation revocation = session.owed.get(ack.sequence());
        if (revocation == null && !session.owed.isEmpty() && !guards.contains(TokenGuard.ACK_SEQUENCE)) {
            revocation = session.owed.firstEntry().getValue();
        }
        if (revocation != null) {
            turns.acknowledged(revocation);
            turns.serve(revocation.file, nowMillis, out);
        }
    }

    // ---- reading and writing ----------------------------------------------------------------------------------------

    private void write(TokenHomeEvent.Write write, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = used(write.request(), write.client(), write.session(), nowMillis, out);
        if (session == null
                || !fresh(
                        write.request(),
                        session.written,
                        write.epoch(),
                        write.file(),
                        write.operation(),
                        write.unacknowledged(),
                        out)) {
            return;
        }
        HomeFile file = turns.file(write.file());
        long upTo = guards.contains(TokenGuard.WRITE_SEQUENCE) ? write.tokenSequence() : Long.MAX_VALUE;
        if (!file.table.exclusive(write.range(), session, upTo) && guards.contains(TokenGuard.WRITE_TOKEN)) {
            out.accept(new TokenHomeAction.Refused(write.request(), Reason.NO_TOKEN));
        } else if (file.committing(write.range())) {
            out.accept(new TokenHomeAction.Refused(write.request(), Reason.IN_PROGRESS));
        } else {
            session.written.begin(write.operation());
            turns.admit(file, session, write.range(), write.request(), false, write.operation(), out);
        }
    }

    private void write(TokenHomeEvent.SerialisedWrite write, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = used(write.request(), write.client(), write.session(), nowMillis, out);
        if (session == null
                || !fresh(
                        write.request(),
                        session.serialised,
                        write.epoch(),
                        write.file(),
                        write.operation(),
                        write.unacknowledged(),
                        out)) {
            return;
        }
        session.serialised.begin(write.operation());
        boolean room = turns.enqueue(
                new Waiting(
                        Kind.WRITE,
                        write.request(),
                        session,
                        turns.file(write.file()),
                        Mode.EXCLUSIVE,
                        write.range(),
                        write.range(),
                        write.operation()),
                nowMillis,
                out);
        if (!room) {
            session.serialised.undone(write.operation());
        }
    }

    /** Whether the operation is to be done; otherwise it has been answered. */
    private boolean fresh(
            long request,
            Replies replies,
            long sentEpoch,
            FileId file,
            long operation,
            long unacknowledged,
            Consumer<TokenHomeAction> out) {
        Reason reason = null;
        if (sentEpoch != epoch && guards.contains(TokenGuard.WRITE_EPOCH)) {
            reason = Reason.OTHER_EPOCH;
        } else if (guards.contains(TokenGuard.ONCE)) {
            replies.acknowledge(Math.min(operation, unacknowledged));
            Version done = replies.done(operation);
            if (done != null) {
                out.accept(new TokenHomeAction.Committed(request, file, done));
                return false;
            }
            if (replies.running(operation)) {
                reason = Reason.IN_PROGRESS;
            } else if (replies.forgotten(operation)) {
                reason = Reason.FORGOTTEN;
            }
        }
        if (reason == null && replies.size() >= config.maxRepliesPerSession()) {
            reason = Reason.TOO_MANY_OPERATIONS;
        }
        if (reason != null) {
            out.accept(new TokenHomeAction.Refused(request, reason));
        }
        return reason == null;
    }

    private void read(TokenHomeEvent.SerialisedRead read, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = used(read.request(), read.client(), read.session(), nowMillis, out);
        if (session != null) {
            turns.enqueue(
                    new Waiting(
                            Kind.READ,
                            read.request(),
                            session,
                            turns.file(read.file()),
                            Mode.SHARED,
                            read.range(),
                            read.range(),
                            0),
                    nowMillis,
                    out);
        }
    }

    private void served(long request, long nowMillis, Consumer<TokenHomeAction> out) {
        Busy read = turns.finished(request);
        if (read != null) {
            turns.serve(read.file(), nowMillis, out);
        }
    }

    private void durable(TokenHomeEvent.Durable durable, long nowMillis, Consumer<TokenHomeAction> out) {
        Busy commit = turns.finished(durable.commit());
        if (commit == null) {
            throw new InvariantException("what is durable was admitted, once");
        }
        HomeFile file = commit.file();
        Version version = durable.version();
        InvariantException.check(version.compareTo(file.changes.current()) > 0, "versions only grow");
        file.changes.committed(commit.range(), version);
        Range also = durable.also();
        if (also != null) {
            file.changes.alsoChanged(also);
        }
        commit.replies().done(commit.operation(), version);
        out.accept(new TokenHomeAction.Committed(commit.request(), file.id, version));
        turns.serve(file, nowMillis, out);
    }

    private void notDurable(long number, long nowMillis, Consumer<TokenHomeAction> out) {
        Busy commit = turns.finished(number);
        if (commit == null) {
            throw new InvariantException("what was not durable was admitted, once");
        }
        commit.replies().undone(commit.operation());
        out.accept(new TokenHomeAction.Refused(commit.request(), Reason.NOT_DURABLE));
        turns.serve(commit.file(), nowMillis, out);
    }

    // ---- attributes -------------------------------------------------------------------------------------------------

    private void glimpse(TokenHomeEvent.Glimpse glimpse, long nowMillis, Consumer<TokenHomeAction> out) {
        HomeSession session = used(glimpse.request(), glimpse.client(), glimpse.session(), nowMillis, out);
        if (session == null) {
            return;
        }
        HomeFile file = turns.file(glimpse.file());
        HomeSession holder = file.table.overlapping(Range.ATTRIBUTES).stream()
                .flatMap(segment -> segment.holders.values().stream())
                .filter(held -> held.mode == Mode.EXCLUSIVE && held.session != session)
                .map(held -> held.session)
                .findFirst()
                .orElse(null);
        Glimpsing glimpsing = new Glimpsing(glimpse.request(), session, holder == null ? session : holder, file);
        if (holder == null || grace) {
            recall(glimpsing, nowMillis, out);
        } else if (glimpses.size() >= config.maxWaiting()) {
            out.accept(new TokenHomeAction.Refused(glimpse.request(), Reason.TOO_MANY_WAITING));
        } else {
            glimpses.put(glimpse.request(), glimpsing);
            out.accept(new TokenHomeAction.AskGlimpse(
                    glimpse.request(), holder.client.node(), holder.number, glimpse.file()));
        }
    }

    private void glimpsed(TokenHomeEvent.GlimpseReply reply, long nowMillis, Consumer<TokenHomeAction> out) {
        Glimpsing glimpse = glimpses.get(reply.request());
        if (glimpse == null
                || glimpse.asked().number != reply.session()
                || !glimpse.asked().client.node().equals(reply.client())) {
            return;
        }
        Glimpsed glimpsed = reply.glimpsed();
        if (glimpsed == null) {
            recall(glimpse, nowMillis, out);
        } else {
            glimpses.remove(reply.request());
            out.accept(new TokenHomeAction.Glimpse(reply.request(), glimpse.file().id, glimpsed));
        }
    }

    /** What the home knows will be right when nobody else has the attributes exclusively. */
    private void recall(Glimpsing glimpse, long nowMillis, Consumer<TokenHomeAction> out) {
        glimpses.remove(glimpse.request());
        turns.enqueue(
                new Waiting(
                        Kind.RECALL,
                        glimpse.request(),
                        glimpse.asker(),
                        glimpse.file(),
                        Mode.SHARED,
                        Range.ATTRIBUTES,
                        Range.ATTRIBUTES,
                        0),
                nowMillis,
                out);
    }
}
