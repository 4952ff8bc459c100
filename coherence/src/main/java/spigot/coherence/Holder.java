package spigot.coherence;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import spigot.model.FileId;

/**
 * What one client holds from one grantor: its session, and the leases under it.
 *
 * <p>Pure and deterministic: not thread-safe (but what it hands out as {@link Lease} may be asked by any thread), no I/O, no
 * clock, no randomness but what is handed in. Any message may be lost, late, doubled or out of order.
 *
 * <p>Bounds: {@link HolderConfig#maxLeases} leases, as many again whose caches are being dropped, and the memory of void grants.
 */
public final class Holder {
    /*
     * Why a valid lease is fresh. Its grant was given in this session and this life of the grantor, and no Revoke or Release
     * has a higher sequence; so the grantor still lists it, unless its session ended there. It has not, while our time, counted
     * from when the last Hello or Renew that was answered was SENT, has not run out: the grantor counts from when it received
     * it, and adds a margin. A Lease object stands for one unbroken time of holding: data that were stored too late under an
     * older one do not become valid with the next grant.
     *
     * The time is taken a tenth shorter than it was given: in that tenth the caches which do not ask before each use, the
     * kernel's, are dropped. While that lasts no new session begins, because its first use would end the old one, for which
     * the grantor otherwise waits.
     */

    /** How long after an unanswered Hello there is another one. */
    static final long HELLO_AGAIN_MILLIS = 500;

    /** How many used leases get a second chance before the oldest goes anyway. */
    private static final int SECOND_CHANCES = 32;

    private final HolderConfig config;
    private final LongSupplier nonces;
    private final Set<Guard> guards;
    private final VoidGrants voided;
    private final SequencedMap<FileId, Lease> held = new LinkedHashMap<>();
    private final Map<FileId, Dropping> dropping = new LinkedHashMap<>();
    private @Nullable Session session;
    private boolean linked;
    private OptionalLong nonce = OptionalLong.empty();
    private long lastHelloMillis;

    /** Until then no new session begins while caches are still being dropped. */
    private long dropsUntilMillis;

    private long lastMillis;

    private static final class Session {
        final long number;
        final long epoch;
        final Lease.Term term;
        long leaseMillis;
        long lastRenewMillis;

        Session(long number, long epoch, long endMillis) {
            this.number = number;
            this.epoch = epoch;
            this.term = new Lease.Term(endMillis);
        }
    }

    /** Caches of an object that are being dropped, and what is to be sent when they are gone; sequences are 0 when nothing is. */
    private static final class Dropping {
        long ackSession;
        long ackSequence;
        long releaseSession;
        long releaseSequence;
    }

    /**
     * @param nonces where a new session's Hello gets its nonce: random in production
     * @param nowMillis by the clock of the events to come
     */
    public Holder(HolderConfig config, LongSupplier nonces, long nowMillis) {
        this(config, nonces, nowMillis, EnumSet.allOf(Guard.class));
    }

    Holder(HolderConfig config, LongSupplier nonces, long nowMillis, Set<Guard> guards) {
        this.config = config;
        this.nonces = nonces;
        this.guards = guards;
        this.voided = new VoidGrants(config.maxRevokesRemembered(), guards.contains(Guard.FORGOTTEN_ARE_VOID));
        this.lastMillis = nowMillis;
        this.lastHelloMillis = nowMillis - HELLO_AGAIN_MILLIS;
        this.dropsUntilMillis = nowMillis;
    }

    /** @param out takes the actions in order; must not call back */
    public void on(HolderEvent event, long nowMillis, Consumer<HolderAction> out) {
        InvariantException.check(nowMillis >= lastMillis, "time does not go back");
        lastMillis = nowMillis;
        if (session != null && nowMillis >= session.term.endMillis && guards.contains(Guard.EXPIRY)) {
            // The grantor still waits for us: not any more once we use a new session.
            dropsUntilMillis = session.term.endMillis + session.leaseMillis / 10;
            lose(session, nowMillis, out);
        }
        switch (event) {
            case HolderEvent.LinkUp() -> linkUp(nowMillis, out);
            case HolderEvent.LinkDown() -> linked = false;
            case HolderEvent.Welcomed welcomed -> welcomed(welcomed, nowMillis, out);
            case HolderEvent.Renewed renewed -> renewed(renewed, nowMillis, out);
            case HolderEvent.SessionUnknown(long number) -> {
                if (session != null && session.number == number) {
                    lose(session, nowMillis, out);
                }
            }
            case HolderEvent.Granted granted -> granted(granted, out);
            case HolderEvent.OwnChange change -> ownChange(change, out);
            case HolderEvent.Revoked revoked -> revoked(revoked, out);
            case HolderEvent.Dropped(FileId object) -> dropped(object, nowMillis, out);
            case HolderEvent.GiveUp(FileId object) -> giveUp(object, out);
            case HolderEvent.Tick() -> keepAlive(nowMillis, out);
        }
        InvariantException.check(
                held.size() <= config.maxLeases() && dropping.size() <= 2 * config.maxLeases(),
                "there are not more leases than allowed");
    }

    /** The number of the session whose lease runs. */
    public OptionalLong session(long nowMillis) {
        return session == null || nowMillis >= session.term.endMillis
                ? OptionalLong.empty()
                : OptionalLong.of(session.number);
    }

    /**
     * The lease that a reply may be kept under: the one held on the object, if this grant belongs to the time of holding that it
     * stands for.
     */
    public Optional<Lease> lease(FileId object, long sessionNumber, long epoch, long grantSequence) {
        Lease lease = held.get(object);
        if (lease == null || session == null) {
            return Optional.empty();
        }
        boolean fits =
                session.number == sessionNumber && session.epoch == epoch && !voided.contains(object, grantSequence);
        return fits ? Optional.of(lease) : Optional.empty();
    }

    /** Whether a lease on the object is held now. */
    public boolean valid(FileId object, long nowMillis) {
        Lease lease = held.get(object);
        return lease != null && lease.valid(nowMillis);
    }

    public int leases() {
        return held.size();
    }

    /** Objects whose caches are being dropped. */
    public int drops() {
        return dropping.size();
    }

    // ---- the session ------------------------------------------------------------------------------------------------

    private void linkUp(long nowMillis, Consumer<HolderAction> out) {
        linked = true;
        if (session == null) {
            begin(nowMillis, out);
        } else {
            sendRenew(session, nowMillis, out);
        }
    }

    private void keepAlive(long nowMillis, Consumer<HolderAction> out) {
        if (!linked) {
            return;
        }
        if (session == null) {
            beginNowAndThen(nowMillis, out);
        } else if (session.term.endMillis - nowMillis <= session.leaseMillis * 6 / 10
                && nowMillis - session.lastRenewMillis >= session.leaseMillis / 10) {
            // A third of the lease is over (its last tenth is not used): from now on again and again until one is
            // answered.
            sendRenew(session, nowMillis, out);
        }
    }

    private void beginNowAndThen(long nowMillis, Consumer<HolderAction> out) {
        if (linked && session == null && nowMillis - lastHelloMillis >= HELLO_AGAIN_MILLIS) {
            begin(nowMillis, out);
        }
    }

    private void begin(long nowMillis, Consumer<HolderAction> out) {
        if (!dropping.isEmpty() && nowMillis < dropsUntilMillis && guards.contains(Guard.NEW_SESSION_AFTER_DROPS)) {
            return;
        }
        if (nonce.isEmpty()) {
            nonce = OptionalLong.of(nonces.getAsLong());
        }
        lastHelloMillis = nowMillis;
        out.accept(new HolderAction.SendHello(nonce.getAsLong(), config.instance()));
    }

    private void sendRenew(Session current, long nowMillis, Consumer<HolderAction> out) {
        current.lastRenewMillis = nowMillis;
        out.accept(new HolderAction.SendRenew(current.number));
    }

    private void welcomed(HolderEvent.Welcomed welcomed, long nowMillis, Consumer<HolderAction> out) {
        boolean awaited = nonce.isPresent() && nonce.getAsLong() == welcomed.nonce();
        long end = end(welcomed.leaseMillis(), welcomed.sentMillis(), nowMillis);
        if (!awaited || end <= nowMillis) {
            return;
        }
        InvariantException.check(session == null && held.isEmpty(), "a session begins with nothing held");
        nonce = OptionalLong.empty();
        voided.clear();
        Session begun = new Session(welcomed.session(), welcomed.epoch(), end);
        begun.leaseMillis = welcomed.leaseMillis();
        session = begun;
        out.accept(new HolderAction.SessionReady(begun.number));
        // The first use: it ends the session that an earlier process of this client may have left.
        sendRenew(begun, nowMillis, out);
    }

    private void renewed(HolderEvent.Renewed renewed, long nowMillis, Consumer<HolderAction> out) {
        if (session == null || session.number != renewed.session()) {
            return;
        }
        if (session.epoch != renewed.epoch() && guards.contains(Guard.RENEWAL_EPOCH)) {
            lose(session, nowMillis, out);
            return;
        }
        long end = end(renewed.leaseMillis(), renewed.sentMillis(), nowMillis);
        if (end > session.term.endMillis) {
            session.term.endMillis = end;
        }
    }

    /** When a lease of this length ends for us; now, when the length is not a possible one. */
    private long end(long leaseMillis, long sentMillis, long nowMillis) {
        InvariantException.check(sentMillis <= nowMillis, "what is answered was sent before");
        if (leaseMillis <= 0 || leaseMillis > HolderConfig.MAX_LEASE_MILLIS) {
            return nowMillis;
        }
        long from = guards.contains(Guard.COUNT_FROM_SENDING) ? sentMillis : nowMillis;
        return from + leaseMillis - (guards.contains(Guard.DROP_AHEAD) ? leaseMillis / 10 : 0);
    }

    private void lose(Session lost, long nowMillis, Consumer<HolderAction> out) {
        session = null;
        // All its leases are invalid from here on, also for the threads that are asking just now.
        lost.term.endMillis = Long.MIN_VALUE;
        out.accept(new HolderAction.SessionLost(lost.number));
        for (Lease lease : held.values()) {
            drop(lease, out);
        }
        held.clear();
        beginNowAndThen(nowMillis, out);
    }

    // ---- the leases -------------------------------------------------------------------------------------------------

    private void granted(HolderEvent.Granted granted, Consumer<HolderAction> out) {
        FileId object = granted.object();
        long sequence = granted.grantSequence();
        if (session == null
                || (session.number != granted.session() && guards.contains(Guard.GRANT_SESSION))
                || (session.epoch != granted.epoch() && guards.contains(Guard.GRANT_EPOCH))) {
            return;
        }
        if (voided.contains(object, sequence)) {
            return;
        }
        Lease lease = held.get(object);
        if (lease != null && lease.version().equals(granted.version())) {
            lease.grantSequence = Math.max(lease.grantSequence, sequence);
            return;
        }
        if (lease != null) {
            // The grantor let the object change under our lease: do not believe any of it.
            held.remove(object);
            lease.grantSequence = Math.max(sequence, lease.grantSequence);
            voidReleased(lease);
            dropToRelease(lease, session, out);
            return;
        }
        Dropping drop = dropping.get(object);
        if (drop != null && guards.contains(Guard.GRANT_AFTER_DROP)) {
            voided.add(object, sequence + 1);
            drop.releaseSequence =
                    drop.releaseSession == session.number ? Math.max(drop.releaseSequence, sequence) : sequence;
            drop.releaseSession = session.number;
            if (!guards.contains(Guard.RELEASE_AFTER_DROP)) {
                out.accept(new HolderAction.SendRelease(session.number, object, sequence));
            }
            return;
        }
        if (dropping.size() >= config.maxLeases()) {
            voided.add(object, sequence + 1);
            out.accept(new HolderAction.SendRelease(session.number, object, sequence));
            return;
        }
        if (held.size() >= config.maxLeases()) {
            giveUpOldest(session, out);
        }
        held.putLast(object, new Lease(object, session.term, sequence, granted.version()));
    }

    private void ownChange(HolderEvent.OwnChange change, Consumer<HolderAction> out) {
        FileId object = change.object();
        if (session == null || session.number != change.session() || session.epoch != change.epoch()) {
            return;
        }
        // Maybe it only counts as void because too much was forgotten: then the lease is another one than we think.
        boolean believed = !voided.contains(object, change.sequence());
        if (guards.contains(Guard.GRANT_AFTER_OWN_CHANGE)) {
            voided.add(object, change.sequence());
        }
        Lease lease = held.get(object);
        if (lease == null) {
            return;
        }
        lease.grantSequence = Math.max(lease.grantSequence, change.sequence());
        if (lease.version().equals(change.version())) {
            return;
        }
        boolean fits = lease.version().equals(change.from()) || !guards.contains(Guard.OWN_CHANGE_FROM_VERSION);
        if (!believed || !fits) {
            // It changed under our lease by something else as well: do not believe any of it.
            held.remove(object);
            voidReleased(lease);
            dropToRelease(lease, session, out);
            return;
        }
        if (guards.contains(Guard.OWN_CHANGE_ENDS_LEASE)) {
            lease.end();
        }
        Lease stays = new Lease(object, session.term, lease.grantSequence, change.version());
        stays.used = lease.used;
        held.put(object, stays);
    }

    private void giveUpOldest(Session current, Consumer<HolderAction> out) {
        Map.Entry<FileId, Lease> oldest = held.firstEntry();
        for (int i = 0; i < SECOND_CHANCES && oldest.getValue().used; i++) {
            oldest.getValue().used = false;
            held.putLast(oldest.getKey(), oldest.getValue());
            oldest = held.firstEntry();
        }
        Lease lease = oldest.getValue();
        held.remove(lease.object());
        voidReleased(lease);
        dropToRelease(lease, current, out);
    }

    private void dropToRelease(Lease lease, Session current, Consumer<HolderAction> out) {
        Dropping drop = drop(lease, out);
        drop.releaseSession = current.number;
        drop.releaseSequence = lease.grantSequence;
    }

    private void giveUp(FileId object, Consumer<HolderAction> out) {
        Lease lease = held.remove(object);
        if (lease == null || session == null) {
            return;
        }
        lease.end();
        voidReleased(lease);
        out.accept(new HolderAction.SendRelease(session.number, object, lease.grantSequence));
    }

    private void voidReleased(Lease lease) {
        if (guards.contains(Guard.GRANT_AFTER_RELEASE)) {
            voided.add(lease.object(), lease.grantSequence + 1);
        }
    }

    private void revoked(HolderEvent.Revoked revoked, Consumer<HolderAction> out) {
        FileId object = revoked.object();
        long sequence = revoked.revokeSequence();
        boolean current = session != null && session.number == revoked.session() && session.epoch == revoked.epoch();
        if (current && guards.contains(Guard.GRANT_AFTER_REVOKE)) {
            voided.add(object, sequence);
        }
        Lease lease = held.get(object);
        Dropping drop = dropping.get(object);
        if (current && lease != null && lease.grantSequence < sequence) {
            held.remove(object);
            drop = drop(lease, out);
        }
        if (drop == null || !guards.contains(Guard.ACK_AFTER_DROP)) {
            out.accept(new HolderAction.SendRevokeAck(revoked.session(), object, sequence));
        } else if (current || drop.ackSequence == 0) {
            drop.ackSession = revoked.session();
            drop.ackSequence = sequence;
        }
    }

    /** The lease ends, and what is cached under it is to go. */
    private Dropping drop(Lease lease, Consumer<HolderAction> out) {
        lease.end();
        Dropping drop = new Dropping();
        InvariantException.check(
                dropping.put(lease.object(), drop) == null || !guards.contains(Guard.GRANT_AFTER_DROP),
                "nothing is granted of an object that is being dropped");
        out.accept(new HolderAction.Drop(lease.object()));
        return drop;
    }

    private void dropped(FileId object, long nowMillis, Consumer<HolderAction> out) {
        Dropping drop = dropping.remove(object);
        if (drop == null) {
            return;
        }
        if (drop.releaseSequence != 0) {
            out.accept(new HolderAction.SendRelease(drop.releaseSession, object, drop.releaseSequence));
        }
        if (drop.ackSequence != 0) {
            out.accept(new HolderAction.SendRevokeAck(drop.ackSession, object, drop.ackSequence));
        }
        if (dropping.isEmpty()) {
            beginNowAndThen(nowMillis, out);
        }
    }
}
