package spigot.coherence;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.coherence.GrantorAction.Reason;
import spigot.coherence.LeasedObject.Acquiring;
import spigot.coherence.LeasedObject.Changing;
import spigot.coherence.LeasedObject.Waiting;
import spigot.model.FileId;
import spigot.model.NodeId;

/**
 * The lease table of one grantor: who may cache which object, and when a change may take effect because nobody does.
 *
 * <p>Pure and deterministic: not thread-safe, no I/O, no clock; time comes with each event and never goes back. Any message
 * may be lost, late, doubled or out of order. Work per event does not grow with the number of leases, but for the end of a
 * session and for the objects of a change. What a peer can make it store is bounded by {@link GrantorConfig}.
 */
public final class Grantor {
    /*
     * Why it is safe. An object's version changes only between Cleared and Finish of a Change, and then no lease on it exists
     * here: each was acknowledged or released by its holder, which had dropped its caches before, or belonged to a session
     * that ended. A session ends when its deadline has passed, which is later than the holder's by the margin; or when the
     * holder has begun to use a newer one, which it does only after it lost the older. A copy of an old Hello begins a session
     * that nobody ever uses, and ends none. Leases of a former life of this grantor are not known here, so that no Change is
     * cleared before the longest of them has run out (grace). Shared leases may be granted meanwhile: they are in nobody's way.
     *
     * A change on behalf of a client, its actor, is the exception: the actor's leases stay while it takes effect. So the actor alone
     * may go on to see the state before it, and as long as it may, nobody else gets to see the state after it: grants wait for
     * the end of the change, which is when the actor has seen it or its session has ended, and answers without a lease wait as
     * well (isUnseen). The actor never waits for itself: its requests stand before its own change.
     *
     * Why every change ends. A Revoke is repeated until it is acknowledged; a holder that does not acknowledge for the length
     * of a lease is not renewed any more, so that its session ends. The same holds for an actor that does not say what it has
     * seen. Changes of one object stand in one order, and all objects of a change are queued at once: an actor whose change
     * stands behind another one owes, like everybody, the acknowledgement of that one's Revoke, and is waited for by nobody
     * before its own change has taken effect.
     */

    /** How many Revokes are repeated in one tick at most. */
    static final int REPEATED_PER_TICK = 4_096;

    private final GrantorConfig config;
    private final long epoch;
    private final Set<Guard> guards;
    private final GrantorSessions<LeaseSession> sessions;
    private final Map<FileId, LeasedObject> objects = new HashMap<>();
    private final Map<Long, Changes> changes = new HashMap<>();
    private final Map<Long, Acquiring> acquires = new HashMap<>();

    /** Changes that wait for the end of the grace, in order; empty afterwards. */
    private final Set<Changing> inGrace = new LinkedHashSet<>();

    /** Leases whose Revoke is not acknowledged, in the order in which it was sent last. */
    private final LinkedHashSet<GrantedLease> revoked = new LinkedHashSet<>();

    private final long graceEndMillis;
    private long lastMillis;
    private long sequence;
    private int leases;

    private record Changes(Changing changing, Set<FileId> objects) {}

    /**
     * @param epoch higher than in any former life
     * @param formerLife whether there may be leases of a former life
     * @param nowMillis by the clock of the events to come
     */
    public Grantor(GrantorConfig config, long epoch, boolean formerLife, long nowMillis) {
        this(config, epoch, formerLife, nowMillis, EnumSet.allOf(Guard.class));
    }

    Grantor(GrantorConfig config, long epoch, boolean formerLife, long nowMillis, Set<Guard> guards) {
        this.config = config;
        this.epoch = epoch;
        this.guards = guards;
        long marginMillis = guards.contains(Guard.MARGIN) ? config.marginMillis() : 0;
        this.sessions = new GrantorSessions<>(
                new GrantorSessions.Terms(
                        config.leaseMillis(), marginMillis, config.maxSessions(), guards.contains(Guard.OWN_SESSION)),
                epoch,
                LeaseSession::new);
        this.graceEndMillis = formerLife ? nowMillis + config.graceMillis() : nowMillis;
        this.lastMillis = nowMillis;
    }

    /** @param out takes the actions in order; must not call back */
    public void on(GrantorEvent event, long nowMillis, Consumer<GrantorAction> out) {
        InvariantException.check(nowMillis >= lastMillis, "time does not go back");
        lastMillis = nowMillis;
        passTime(nowMillis, out);
        switch (event) {
            case GrantorEvent.Hello hello -> hello(hello, nowMillis, out);
            case GrantorEvent.Renew renew -> renew(renew, nowMillis, out);
            case GrantorEvent.Acquire acquire -> acquire(acquire, nowMillis, out);
            case GrantorEvent.Withdraw(long request) -> withdraw(request, out);
            case GrantorEvent.Release release -> release(release, out);
            case GrantorEvent.RevokeAck ack -> acknowledged(ack, out);
            case GrantorEvent.Bye(NodeId client, long session) -> bye(client, session, out);
            case GrantorEvent.Change change -> change(change, nowMillis, out);
            case GrantorEvent.Hide(long change, List<FileId> hidden) ->
                change(new Changing(change, null, true), hidden, nowMillis, out);
            case GrantorEvent.Finish(long change) -> finish(change, nowMillis, out);
            case GrantorEvent.Visible(long change) -> visible(change, nowMillis, out);
            case GrantorEvent.Seen(NodeId client, long session, long change) ->
                seen(client, session, change, nowMillis, out);
            case GrantorEvent.Tick() -> revokeAgain(nowMillis, out);
        }
    }

    public int sessions() {
        return sessions.size();
    }

    /** Whether this client has this session. */
    public boolean knows(NodeId client, long session) {
        return sessions.of(client, session) != null;
    }

    public int leases() {
        return leases;
    }

    /** Whether somebody has a lease on the object, or it is being changed. */
    public boolean isLeased(FileId object) {
        return objects.containsKey(object);
    }

    /**
     * Whether a change of the object may have taken effect that its actor, another session than this, has not seen: what was
     * read of it without a lease must not be shown before it has.
     *
     * @param session of whoever is to be shown it; 0 for none
     */
    public boolean isUnseen(FileId object, long session) {
        LeasedObject changed = objects.get(object);
        if (changed == null || !(changed.first() instanceof Changing changing)) {
            return false;
        }
        if (changing.former) {
            return true;
        }
        if (changing.remaining > 0) {
            return false;
        }
        LeaseSession actor = changing.actor;
        return actor != null
                && actor.number != session
                && sessions.get(actor.number) == actor
                && guards.contains(Guard.UNSEEN_IS_NOT_SHOWN);
    }

    /** Changes that are not finished. */
    public int changes() {
        return changes.size();
    }

    /** Acquires that wait behind changes. */
    public int waiting() {
        return acquires.size();
    }

    /** Objects that are leased or being changed. */
    public int objects() {
        return objects.size();
    }

    private void passTime(long nowMillis, Consumer<GrantorAction> out) {
        for (LeaseSession late = sessions.over(nowMillis); late != null; late = sessions.over(nowMillis)) {
            end(late, out);
        }
        if (nowMillis >= graceEndMillis && !inGrace.isEmpty()) {
            List<Changing> waited = List.copyOf(inGrace);
            inGrace.clear();
            waited.forEach(changing -> cleared(changing, out));
        }
    }

    private void hello(GrantorEvent.Hello hello, long nowMillis, Consumer<GrantorAction> out) {
        LeaseSession session = sessions.find(hello.client(), hello.nonce());
        if (session == null) {
            LeaseSession unused = sessions.unusedOf(hello.client());
            if (unused != null) {
                end(unused, out);
            }
            if (!guards.contains(Guard.OLD_SESSION_UNTIL_USE)) {
                LeaseSession old = sessions.usedOf(hello.client());
                if (old != null) {
                    end(old, out);
                }
            }
            if (sessions.full()) {
                out.accept(new GrantorAction.Refused(hello.request(), Reason.TOO_MANY_SESSIONS));
                return;
            }
            session = sessions.begin(hello.client(), hello.nonce());
        } else if (overdue(session, nowMillis)) {
            out.accept(new GrantorAction.Refused(hello.request(), Reason.REVOKING));
            return;
        }
        sessions.extend(session, nowMillis);
        out.accept(new GrantorAction.Welcome(hello.request(), session.number, epoch, config.leaseMillis()));
    }

    private void renew(GrantorEvent.Renew renew, long nowMillis, Consumer<GrantorAction> out) {
        LeaseSession session = used(renew.client(), renew.session(), out);
        if (session == null) {
            out.accept(new GrantorAction.Refused(renew.request(), Reason.UNKNOWN_SESSION));
        } else if (overdue(session, nowMillis)) {
            out.accept(new GrantorAction.Refused(renew.request(), Reason.REVOKING));
        } else {
            sessions.extend(session, nowMillis);
            out.accept(new GrantorAction.Renewed(renew.request(), epoch, config.leaseMillis()));
        }
    }

    private boolean overdue(LeaseSession session, long nowMillis) {
        if (!guards.contains(Guard.NO_RENEWAL_WHILE_OVERDUE)) {
            return false;
        }
        Map.Entry<Long, Long> unseen = session.unseen.firstEntry();
        if (unseen != null && nowMillis - unseen.getValue() > config.leaseMillis()) {
            return true;
        }
        GrantedLease.Revocation oldest = session.owed.isEmpty() ? null : session.owed.getFirst().revocation;
        return oldest != null && nowMillis - oldest.sinceMillis > config.leaseMillis();
    }

    private void acquire(GrantorEvent.Acquire acquire, long nowMillis, Consumer<GrantorAction> out) {
        LeaseSession session = used(acquire.client(), acquire.session(), out);
        if (session == null) {
            out.accept(new GrantorAction.Refused(acquire.request(), Reason.UNKNOWN_SESSION));
            return;
        }
        LeasedObject object = objects.get(acquire.object());
        GrantedLease lease = session.leases.get(acquire.object());
        if (lease != null && lease.revocation != null) {
            out.accept(new GrantorAction.Refused(acquire.request(), Reason.REVOKING));
        } else if (object == null || !object.changing() || !guards.contains(Guard.GRANTS_WAIT_BEHIND_CHANGES)) {
            grant(acquire.request(), session, acquire.object(), nowMillis, out);
        } else if (isOwnChange(object, session)) {
            if (lease != null) {
                grant(acquire.request(), session, acquire.object(), nowMillis, out);
            } else {
                out.accept(new GrantorAction.Refused(acquire.request(), Reason.REVOKING));
            }
        } else if (acquires.size() >= config.maxWaiting()) {
            out.accept(new GrantorAction.Refused(acquire.request(), Reason.TOO_MANY_WAITING));
        } else {
            Acquiring acquiring = new Acquiring(acquire.request(), session.number, object);
            InvariantException.check(
                    acquires.put(acquire.request(), acquiring) == null, "numbers of requests are not used again");
            if (guards.contains(Guard.ACTOR_DOES_NOT_WAIT_FOR_ITSELF)) {
                object.enqueueBeforeOwn(acquiring, session);
            } else {
                boolean first = object.enqueue(acquiring);
                InvariantException.check(!first, "acquires wait only behind changes");
            }
        }
    }

    private boolean isOwnChange(LeasedObject object, LeaseSession session) {
        return object.first() instanceof Changing changing
                && changing.actor == session
                && guards.contains(Guard.ACTOR_DOES_NOT_WAIT_FOR_ITSELF);
    }

    private void withdraw(long request, Consumer<GrantorAction> out) {
        Acquiring acquiring = acquires.remove(request);
        if (acquiring != null) {
            boolean first = acquiring.object().dequeue(acquiring);
            InvariantException.check(!first, "acquires wait only behind changes");
        }
    }

    private void grant(long request, LeaseSession session, FileId id, long nowMillis, Consumer<GrantorAction> out) {
        GrantedLease lease = session.leases.get(id);
        if (lease == null) {
            if (session.leases.size() >= config.maxLeasesPerSession()) {
                GrantedLease oldest = session.leases.firstEntry().getValue();
                if (oldest.revocation == null) {
                    revoke(oldest, nowMillis, out);
                }
                out.accept(new GrantorAction.Refused(request, Reason.TOO_MANY_LEASES));
                return;
            }
            LeasedObject object = objects.computeIfAbsent(id, LeasedObject::new);
            lease = new GrantedLease(session, object);
            object.addHolder(lease);
            leases++;
        } else if (lease.revocation != null) {
            out.accept(new GrantorAction.Refused(request, Reason.REVOKING));
            return;
        }
        session.leases.putLast(id, lease);
        lease.grantSequence = ++sequence;
        lease.sequenceBeforeOwnChange = 0;
        out.accept(new GrantorAction.Granted(request, session.number, epoch, id, lease.grantSequence));
    }

    private void revoke(GrantedLease lease, long nowMillis, Consumer<GrantorAction> out) {
        GrantedLease.Revocation revocation = new GrantedLease.Revocation(++sequence, nowMillis);
        lease.revocation = revocation;
        lease.session.leases.putLast(lease.object.id, lease);
        lease.session.owed.add(lease);
        revoked.add(lease);
        send(lease, revocation, out);
    }

    private void send(GrantedLease lease, GrantedLease.Revocation revocation, Consumer<GrantorAction> out) {
        out.accept(new GrantorAction.Revoke(
                lease.session.client.node(), lease.session.number, epoch, lease.object.id, revocation.sequence));
    }

    private void revokeAgain(long nowMillis, Consumer<GrantorAction> out) {
        if (!guards.contains(Guard.REVOKE_AGAIN)) {
            return;
        }
        for (int i = 0; i < REPEATED_PER_TICK && !revoked.isEmpty(); i++) {
            GrantedLease lease = revoked.getFirst();
            GrantedLease.Revocation revocation = lease.revocation;
            if (revocation == null) {
                throw new InvariantException("a lease that is being revoked knows by what");
            }
            if (nowMillis - revocation.sentMillis < config.revokeAgainMillis()) {
                return;
            }
            revocation.sentMillis = nowMillis;
            revoked.addLast(lease);
            send(lease, revocation, out);
        }
    }

    private void acknowledged(GrantorEvent.RevokeAck ack, Consumer<GrantorAction> out) {
        GrantedLease lease = leaseOf(ack.client(), ack.session(), ack.object());
        if (lease != null
                && lease.revocation != null
                && (lease.revocation.sequence == ack.revokeSequence() || !guards.contains(Guard.ACK_SEQUENCE))) {
            remove(lease, out);
        }
    }

    private void release(GrantorEvent.Release release, Consumer<GrantorAction> out) {
        GrantedLease lease = leaseOf(release.client(), release.session(), release.object());
        if (lease != null
                && (lease.grantSequence == release.grantSequence()
                        || lease.sequenceBeforeOwnChange == release.grantSequence()
                        || !guards.contains(Guard.RELEASE_SEQUENCE))) {
            remove(lease, out);
        }
    }

    private void bye(NodeId client, long number, Consumer<GrantorAction> out) {
        LeaseSession session = sessions.of(client, number);
        if (session != null) {
            end(session, out);
        }
    }

    private void change(GrantorEvent.Change change, long nowMillis, Consumer<GrantorAction> out) {
        LeaseSession actor = null;
        if (change.actor().isPresent()) {
            GrantorEvent.Actor who = change.actor().get();
            actor = used(who.client(), who.session(), out);
        }
        change(new Changing(change.change(), actor, false), change.objects(), nowMillis, out);
    }

    private void change(Changing changing, List<FileId> wanted, long nowMillis, Consumer<GrantorAction> out) {
        Set<FileId> distinct = new LinkedHashSet<>(wanted);
        InvariantException.check(
                changes.size() < config.maxWaiting() && distinct.size() <= config.maxObjectsPerChange(),
                "the caller keeps changes within their bounds");
        InvariantException.check(
                changes.put(changing.change, new Changes(changing, distinct)) == null,
                "numbers of changes are not used again");
        // One more, so that it is not cleared before all its objects are in their queues.
        changing.remaining = distinct.size() + 1;
        for (FileId id : distinct) {
            LeasedObject object = objects.computeIfAbsent(id, LeasedObject::new);
            if (object.enqueue(changing)) {
                begin(changing, object, nowMillis, out);
            }
        }
        boolean waits = changing.former ? guards.contains(Guard.HIDDEN_AFTER_RESTART) : guards.contains(Guard.GRACE);
        if (nowMillis < graceEndMillis && !distinct.isEmpty() && waits) {
            inGrace.add(changing);
        } else {
            cleared(changing, out);
        }
    }

    /** It is this change's turn at this object. */
    private void begin(Changing changing, LeasedObject object, long nowMillis, Consumer<GrantorAction> out) {
        for (GrantedLease lease = object.firstHolder; lease != null; lease = lease.nextHolder) {
            if (lease.revocation == null && !isSpared(lease, changing)) {
                revoke(lease, nowMillis, out);
            }
        }
        if (isFree(object, changing) || !guards.contains(Guard.CHANGE_WAITS_FOR_ACKS)) {
            object.cleared = true;
            cleared(changing, out);
        }
    }

    private boolean isSpared(GrantedLease lease, Changing changing) {
        return lease.session == changing.actor
                || (changing.actor != null && !guards.contains(Guard.ONLY_THE_ACTOR_IS_SPARED));
    }

    private boolean isFree(LeasedObject object, Changing changing) {
        return object.heldByNoOther(changing.actor)
                || (changing.actor != null && !guards.contains(Guard.ONLY_THE_ACTOR_IS_SPARED));
    }

    private void cleared(Changing changing, Consumer<GrantorAction> out) {
        changing.remaining--;
        InvariantException.check(
                changing.remaining >= 0 || guards.size() < Guard.values().length, "a change is cleared once an object");
        if (changing.remaining == 0) {
            if (guards.size() == Guard.values().length) {
                checkUnheld(changing);
            }
            if (changing.former) {
                finishVisible(changing.change, lastMillis, out);
            } else {
                out.accept(new GrantorAction.Cleared(changing.change));
            }
        }
    }

    private void checkUnheld(Changing changing) {
        Changes all = changes.get(changing.change);
        if (all == null) {
            throw new InvariantException("a change is cleared before it is finished");
        }
        for (FileId id : all.objects()) {
            LeasedObject object = objects.get(id);
            InvariantException.check(
                    object != null && object.heldByNoOther(changing.actor) && object.first() == changing,
                    "nobody else holds an object that may change, and it is this change's turn");
        }
    }

    private void visible(long number, long nowMillis, Consumer<GrantorAction> out) {
        Changes made = changes.get(number);
        if (made == null) {
            return;
        }
        InvariantException.check(made.changing().remaining <= 0, "a change takes effect only after it is cleared");
        LeaseSession actor = made.changing().actor;
        List<GrantorAction.Held> held = new ArrayList<>();
        if (actor != null && sessions.get(actor.number) == actor) {
            for (FileId id : made.objects()) {
                @Nullable GrantedLease lease = actor.leases.get(id);
                if (lease != null && lease.revocation != null) {
                    held.add(new GrantorAction.Held(id, lease.revocation.sequence, false));
                } else if (lease != null) {
                    lease.sequenceBeforeOwnChange = lease.grantSequence;
                    lease.grantSequence = ++sequence;
                    held.add(new GrantorAction.Held(id, lease.grantSequence, true));
                }
            }
        }
        boolean holds = !held.isEmpty();
        if (actor != null && holds) {
            actor.unseen.putIfAbsent(number, nowMillis);
            out.accept(new GrantorAction.OwnChange(number, actor.number, epoch, List.copyOf(held)));
        }
        if (!holds || !guards.contains(Guard.OPEN_UNTIL_SEEN)) {
            finishVisible(number, nowMillis, out);
        }
    }

    private void seen(NodeId client, long session, long number, long nowMillis, Consumer<GrantorAction> out) {
        Changes made = changes.get(number);
        if (made == null) {
            return;
        }
        LeaseSession actor = made.changing().actor;
        boolean own = actor != null && actor == sessions.of(client, session) && actor.unseen.containsKey(number);
        if (own || !guards.contains(Guard.SEEN_BY_THE_ACTOR)) {
            finishVisible(number, nowMillis, out);
        }
    }

    private void finishVisible(long number, long nowMillis, Consumer<GrantorAction> out) {
        finish(number, nowMillis, out);
        out.accept(new GrantorAction.Finished(number));
    }

    private void finish(long number, long nowMillis, Consumer<GrantorAction> out) {
        Changes finished = changes.remove(number);
        if (finished == null) {
            return;
        }
        LeaseSession actor = finished.changing().actor;
        if (actor != null) {
            actor.unseen.remove(number);
        }
        inGrace.remove(finished.changing());
        for (FileId id : finished.objects()) {
            LeasedObject object = objects.get(id);
            if (object == null) {
                throw new InvariantException("an object exists while a change of it is not finished");
            }
            if (object.dequeue(finished.changing())) {
                goOn(object, nowMillis, out);
            }
        }
    }

    /** The first in the object's queue has gone: the next change begins, or the acquires before it are granted. */
    private void goOn(LeasedObject object, long nowMillis, Consumer<GrantorAction> out) {
        for (Waiting next = object.first(); next != null; next = object.first()) {
            switch (next) {
                case Changing changing -> {
                    begin(changing, object, nowMillis, out);
                    return;
                }
                case Acquiring acquiring -> {
                    object.dequeue(acquiring);
                    acquires.remove(acquiring.request());
                    LeaseSession session = sessions.get(acquiring.session());
                    if (session == null) {
                        out.accept(new GrantorAction.Refused(acquiring.request(), Reason.UNKNOWN_SESSION));
                    } else {
                        grant(acquiring.request(), session, object.id, nowMillis, out);
                    }
                }
            }
        }
        if (object.unused()) {
            objects.remove(object.id);
        }
    }

    /** The session, whose first use ends the client's older one; null when the client has no such session. */
    private @Nullable LeaseSession used(NodeId client, long number, Consumer<GrantorAction> out) {
        LeaseSession session = sessions.of(client, number);
        if (session != null) {
            LeaseSession older = sessions.use(session);
            if (older != null) {
                end(older, out);
            }
        }
        return session;
    }

    private @Nullable GrantedLease leaseOf(NodeId client, long number, FileId object) {
        LeaseSession session = sessions.of(client, number);
        return session == null ? null : session.leases.get(object);
    }

    private void end(LeaseSession session, Consumer<GrantorAction> out) {
        sessions.end(session);
        while (!session.leases.isEmpty()) {
            remove(session.leases.firstEntry().getValue(), out);
        }
        for (long change : List.copyOf(session.unseen.keySet())) {
            finishVisible(change, lastMillis, out);
        }
        out.accept(new GrantorAction.SessionEnded(session.client.node(), session.number));
    }

    private void remove(GrantedLease lease, Consumer<GrantorAction> out) {
        LeasedObject object = lease.object;
        lease.session.leases.remove(object.id);
        if (lease.revocation != null) {
            lease.session.owed.remove(lease);
            revoked.remove(lease);
        }
        object.removeHolder(lease);
        leases--;
        InvariantException.check(leases >= 0, "no lease is removed twice");
        if (object.first() instanceof Changing changing) {
            if (!object.cleared && isFree(object, changing)) {
                object.cleared = true;
                cleared(changing, out);
            }
            if (changing.actor == lease.session) {
                actorGaveBack(changing, lease.session, out);
            }
        } else if (object.firstHolder == null) {
            objects.remove(object.id);
        }
    }

    /** An actor that holds nothing of what it has changed shows nothing of it: there is nothing to wait for any more. */
    private void actorGaveBack(Changing changing, LeaseSession actor, Consumer<GrantorAction> out) {
        Changes made = changes.get(changing.change);
        if (made != null
                && actor.unseen.containsKey(changing.change)
                && made.objects().stream().noneMatch(actor.leases::containsKey)) {
            finishVisible(changing.change, lastMillis, out);
        }
    }
}
