package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.Holder;
import spigot.coherence.HolderAction;
import spigot.coherence.HolderConfig;
import spigot.coherence.HolderEvent;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Grant;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.OwnChange;
import spigot.transport.wire.Revoke;
import spigot.transport.wire.Want;

/**
 * The client's side of leases: drives a {@link Holder}, one session with one grantor over one link after the other. Safe for
 * any thread; one virtual thread makes its time pass, and a few carry its calls and drops. The lock is held only for the
 * machine's decisions, never while something is sent or dropped.
 */
public final class LeaseHolder implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LeaseHolder.class);
    private static final int TICK_MILLIS = 50;
    private static final Duration SEEN_AGAIN = Duration.ofMillis(50);

    private final String grantorName;
    private final SessionCalls calls;
    private final LeaseKind kind;
    private final BootClock clock;
    private final Outbox outbox = new Outbox();
    private final Drops<FileId> drops;
    private final Ticker ticker;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition ready = lock.newCondition();

    @GuardedBy("lock")
    private final Holder holder;

    @GuardedBy("lock")
    private @Nullable Link link;

    /** Whose Revokes are taken: the peer of the last link. */
    @GuardedBy("lock")
    private @Nullable NodeId grantor;

    @GuardedBy("lock")
    private boolean closed;

    /** @param grantorName for messages and logs */
    public LeaseHolder(
            String grantorName, LeaseKind kind, HolderConfig config, BootClock clock, DropListener dropListener) {
        this.grantorName = grantorName;
        this.calls = new SessionCalls(grantorName);
        this.kind = kind;
        this.clock = clock;
        this.drops = new Drops<>(grantorName, dropListener::drop, object -> tell(new HolderEvent.Dropped(object)));
        this.holder = new Holder(config, new SecureRandom()::nextLong, clock.millis());
        this.ticker = new Ticker("leases-from-" + grantorName, () -> {
            tell(new HolderEvent.Tick());
            return TICK_MILLIS;
        });
    }

    /**
     * There is a link to the grantor: the session resumes on it if its lease has not run out, else a new one begins. Never
     * blocks.
     */
    public void linkUp(Link link) {
        lock.lock();
        try {
            if (!closed) {
                this.link = link;
                this.grantor = link.peer().id();
                tell(new HolderEvent.LinkUp());
            }
        } finally {
            lock.unlock();
        }
    }

    /** The link is gone: the leases stay valid until the session's lease runs out. Never blocks. */
    public void linkDown(Link link) {
        lock.lock();
        try {
            if (this.link == link) {
                this.link = null;
                tell(new HolderEvent.LinkDown());
            }
        } finally {
            lock.unlock();
        }
    }

    /** @return whether the message was a Revoke from this grantor; never blocks on the network */
    public boolean message(Link from, Envelope message) {
        if (!message.hasRevoke() || message.getRevoke().getKind() != kind || !isGrantor(from)) {
            return false;
        }
        Revoke revoke = message.getRevoke();
        try {
            FileId object = Messages.fileId(revoke.getObject());
            tell(new HolderEvent.Revoked(revoke.getSession(), revoke.getEpoch(), object, revoke.getSequence()));
        } catch (FailureException e) {
            log.warn("event=bad_message grantor={} cause=\"{}\"", grantorName, e.getMessage());
        }
        return true;
    }

    /**
     * What to put into a request to ask for a lease; waits until there is a session. Empty when there was none in time: then
     * ask without, and use the answer for this call only.
     */
    public Optional<Want> want(Duration patience) throws InterruptedException {
        long nanos = patience.toNanos();
        lock.lock();
        try {
            while (!closed) {
                OptionalLong session = holder.session(clock.millis());
                if (session.isPresent()) {
                    return Optional.of(
                            Want.newBuilder().setSession(session.getAsLong()).build());
                }
                if (nanos <= 0) {
                    return Optional.empty();
                }
                nanos = ready.awaitNanos(nanos);
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes the grant that came with a reply.
     *
     * @param grant as it came; the default instance when the reply had none
     * @return the lease to keep together with what the reply said, or empty: the reply is good for this call only
     */
    public Optional<Lease> granted(Grant grant) {
        if (grant.getSession() == 0) {
            return Optional.empty();
        }
        FileId object;
        try {
            object = Messages.fileId(grant.getObject());
        } catch (FailureException e) {
            log.warn("event=bad_message grantor={} cause=\"{}\"", grantorName, e.getMessage());
            return Optional.empty();
        }
        lock.lock();
        try {
            tell(new HolderEvent.Granted(
                    grant.getSession(),
                    grant.getEpoch(),
                    object,
                    grant.getSequence(),
                    Messages.version(grant.getVersion())));
            return holder.lease(object, grant.getSession(), grant.getEpoch(), grant.getSequence());
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes what came with the answer to a change that this client asked for: the leases that stay are of the objects as they are now,
     * and what was stored under them before is not valid any more. When the caches show the change, the kernel's too, or have been
     * dropped, {@link #seen} is to be called.
     *
     * @param own as it came; the default instance when there was none
     * @return the leases that stay, to be stored with what is known of their objects
     */
    public List<Lease> ownChange(OwnChange own) {
        List<Lease> kept = new ArrayList<>();
        lock.lock();
        try {
            for (OwnChange.Held each : own.getHeldList()) {
                FileId object = Messages.fileId(each.getObject());
                if (each.getRevoked()) {
                    tell(new HolderEvent.Revoked(own.getSession(), own.getEpoch(), object, each.getSequence()));
                    continue;
                }
                tell(new HolderEvent.OwnChange(
                        own.getSession(),
                        own.getEpoch(),
                        object,
                        each.getSequence(),
                        Messages.version(each.getFrom()),
                        Messages.version(each.getVersion())));
                holder.lease(object, own.getSession(), own.getEpoch(), each.getSequence())
                        .ifPresent(kept::add);
            }
        } catch (FailureException e) {
            log.warn("event=bad_message grantor={} cause=\"{}\"", grantorName, e.getMessage());
            sessionUnknown(own.getSession());
        } finally {
            lock.unlock();
        }
        return kept;
    }

    /**
     * The caches show the client's own change: nobody else is kept waiting for it any more. Returns at once; says so again until
     * the grantor has answered, or the session is over.
     */
    public void seen(OwnChange own) {
        if (own.getSession() != 0) {
            Thread.ofVirtual().name("seen-" + grantorName).start(() -> saySeen(own));
        }
    }

    private void saySeen(OwnChange own) {
        try {
            Optional<Envelope> reply = Optional.empty();
            while (reply.isEmpty()) {
                Link to = linkOf(own.getSession());
                if (to == null) {
                    return;
                }
                reply = calls.call(to, LeaseMessages.seen(own));
                boolean later = reply.isPresent() && reply.get().getFailure().getCode() == Failure.Code.NOT_READY;
                if (reply.isEmpty() || later) {
                    reply = Optional.empty();
                    Thread.sleep(SEEN_AGAIN);
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a call of a session", e);
        }
    }

    /** The link to use; null when the session is over. Waits for one while there is none. */
    private @Nullable Link linkOf(long session) throws InterruptedException {
        while (true) {
            lock.lock();
            try {
                OptionalLong current = holder.session(clock.millis());
                if (closed || current.isEmpty() || current.getAsLong() != session) {
                    return null;
                }
                if (link != null && link.isOpen()) {
                    return link;
                }
            } finally {
                lock.unlock();
            }
            Thread.sleep(SEEN_AGAIN);
        }
    }

    /** Whether what was stored with this lease may be used. For the hit path: takes no lock and allocates nothing. */
    public boolean valid(Lease lease) {
        return lease.valid(clock.millis());
    }

    /** Whether any lease on the object is held now; what was stored with a lease needs {@link #valid(Lease)}. */
    public boolean valid(FileId object) {
        lock.lock();
        try {
            return holder.valid(object, clock.millis());
        } finally {
            lock.unlock();
        }
    }

    /** The lease is not wanted any more; what was cached under it is dropped already. */
    public void giveUp(FileId object) {
        tell(new HolderEvent.GiveUp(object));
    }

    /** A request with this session's Want failed with UNKNOWN_SESSION: drops all, and begins another session. */
    public void sessionUnknown(long session) {
        tell(new HolderEvent.SessionUnknown(session));
    }

    /** Whether there is a link and a session whose lease runs. */
    public boolean connected() {
        lock.lock();
        try {
            return link != null
                    && link.isOpen()
                    && holder.session(clock.millis()).isPresent();
        } finally {
            lock.unlock();
        }
    }

    /** Number of leases that are held. */
    public int leases() {
        lock.lock();
        try {
            return holder.leases();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends the session, so that nobody has to wait for its lease. To be called when all caches are gone already: nothing is
     * dropped any more. Waits for the grantor, but not for long.
     */
    @Override
    public void close() {
        Link last;
        OptionalLong session;
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            last = link;
            link = null;
            session = holder.session(clock.millis());
            tell(new HolderEvent.LinkDown());
            session.ifPresent(number -> tell(new HolderEvent.SessionUnknown(number)));
            ready.signalAll();
        } finally {
            lock.unlock();
        }
        ticker.close();
        if (last != null && session.isPresent()) {
            calls.bye(last, LeaseMessages.bye(session.getAsLong(), kind));
        }
    }

    // ---- driving the machine ----------------------------------------------------------------------------------------

    private boolean isGrantor(Link from) {
        lock.lock();
        try {
            return from.peer().id().equals(grantor);
        } finally {
            lock.unlock();
        }
    }

    private void tell(HolderEvent event) {
        lock.lock();
        try {
            List<HolderAction> actions = new ArrayList<>();
            holder.on(event, clock.millis(), actions::add);
            for (HolderAction action : actions) {
                act(action);
            }
        } catch (RuntimeException e) {
            log.error("event=lease_defect grantor={} on={}", grantorName, event, e);
            throw e;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void act(HolderAction action) {
        Link current = link;
        switch (action) {
            case HolderAction.SendHello(long nonce, long instance) -> {
                if (current != null) {
                    Thread.ofVirtual().name("hello-" + grantorName).start(() -> hello(current, nonce, instance));
                }
            }
            case HolderAction.SendRenew(long session) -> {
                if (current != null) {
                    Thread.ofVirtual().name("renew-" + grantorName).start(() -> renew(current, session));
                }
            }
            case HolderAction.SendRevokeAck(long session, FileId object, long sequence) -> {
                if (current != null) {
                    outbox.post(current, LeaseMessages.revokeAck(session, object, sequence, kind));
                }
            }
            case HolderAction.SendRelease(long session, FileId object, long sequence) -> {
                if (current != null) {
                    outbox.post(current, LeaseMessages.release(session, object, sequence, kind));
                }
            }
            case HolderAction.Drop(FileId object) -> {
                if (!closed) {
                    drops.add(object);
                }
            }
            case HolderAction.SessionReady(long session) -> {
                log.debug("event=session_ready grantor={} session={}", grantorName, session);
                ready.signalAll();
            }
            case HolderAction.SessionLost(long session) -> {
                if (!closed) {
                    log.info("event=session_lost grantor={} session={}", grantorName, session);
                }
            }
        }
    }

    private void hello(Link to, long nonce, long instance) {
        long sentMillis = clock.millis();
        Optional<Envelope> reply = calls.call(to, LeaseMessages.hello(nonce, instance, kind));
        if (reply.isPresent() && reply.get().hasWelcome()) {
            var welcome = reply.get().getWelcome();
            tell(new HolderEvent.Welcomed(
                    nonce,
                    welcome.getSession(),
                    welcome.getEpoch(),
                    Integer.toUnsignedLong(welcome.getLeaseMillis()),
                    sentMillis));
        }
    }

    private void renew(Link to, long session) {
        long sentMillis = clock.millis();
        Optional<Envelope> reply = calls.call(to, LeaseMessages.renew(session, kind));
        if (reply.isEmpty()) {
            return;
        }
        if (reply.get().hasRenewed()) {
            var renewed = reply.get().getRenewed();
            tell(new HolderEvent.Renewed(
                    session, renewed.getEpoch(), Integer.toUnsignedLong(renewed.getLeaseMillis()), sentMillis));
        } else if (reply.get().getFailure().getCode() == Failure.Code.UNKNOWN_SESSION) {
            tell(new HolderEvent.SessionUnknown(session));
        }
    }
}
