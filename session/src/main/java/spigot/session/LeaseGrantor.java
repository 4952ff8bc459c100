package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.ClientId;
import spigot.coherence.Grantor;
import spigot.coherence.GrantorAction;
import spigot.coherence.GrantorAction.Reason;
import spigot.coherence.GrantorConfig;
import spigot.coherence.GrantorEvent;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.Responder;
import spigot.transport.wire.ChangeSeen;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Grant;
import spigot.transport.wire.Hello;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.Renew;
import spigot.transport.wire.Want;

/**
 * The server's side of leases: drives a {@link Grantor} over links. Safe for any thread; one virtual thread makes its time pass.
 * The lock is held only for the machine's decisions, never while something is sent. Bounded as the machine is; whoever wants
 * to make more than {@link GrantorConfig#maxWaiting} changes at a time waits.
 */
public final class LeaseGrantor implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LeaseGrantor.class);

    /** Makes a change visible. */
    @FunctionalInterface
    public interface Change<T extends @Nullable Object, E extends Exception> {
        T apply() throws E;
    }

    private final String name;
    private final long epoch;
    private final LeaseKind kind;
    private final GrantorConfig config;
    private final BootClock clock;
    private final Outbox outbox = new Outbox();
    private final Semaphore changes;
    private final Ticker ticker;

    private final ReentrantLock lock = new ReentrantLock();

    /** A change may have been seen by its actor. */
    private final Condition settled = lock.newCondition();

    @GuardedBy("lock")
    private final Grantor grantor;

    /** By session: the link on which it was last heard. */
    @GuardedBy("lock")
    private final Map<Long, Link> links = new HashMap<>();

    /** By request or change: who waits for the answer. */
    @GuardedBy("lock")
    private final Map<Long, CompletableFuture<GrantorAction>> answers = new HashMap<>();

    /** By change that has taken effect: what to do when it is closed. */
    @GuardedBy("lock")
    private final Map<Long, Runnable> whenFinished = new HashMap<>();

    @GuardedBy("lock")
    private long lastNumber;

    @GuardedBy("lock")
    private boolean closed;

    /** Set when an invariant failed: then nothing is decided any more, and no change is allowed. */
    @GuardedBy("lock")
    private @Nullable RuntimeException defect;

    /**
     * @param name for messages and logs
     * @param kind which requests of a link are for this grantor
     * @param epoch higher than in any former life
     * @param formerLife whether there may have been leases before: then changes wait until these have run out
     */
    public LeaseGrantor(
            String name, LeaseKind kind, GrantorConfig config, long epoch, boolean formerLife, BootClock clock) {
        this.name = name;
        this.epoch = epoch;
        this.kind = kind;
        this.config = config;
        this.clock = clock;
        this.changes = new Semaphore(config.maxWaiting(), true);
        this.grantor = new Grantor(config, epoch, formerLife, clock.millis());
        int tickMillis = (int) Math.clamp(config.revokeAgainMillis() / 2, 10, 100);
        this.ticker = new Ticker("leases-of-" + name, () -> {
            tell(new GrantorEvent.Tick());
            return tickMillis;
        });
    }

    /** @return whether the request was a Hello, a Renew or a Bye for this grantor; then it is answered */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException {
        NodeId client = from.peer().id();
        if (request.hasHello() && request.getHello().getKind() == kind) {
            Hello hello = request.getHello();
            ClientId id = new ClientId(client, hello.getInstance());
            answer(responder, from, number -> new GrantorEvent.Hello(number, id, hello.getNonce()));
            return true;
        }
        if (request.hasRenew() && request.getRenew().getKind() == kind) {
            Renew renew = request.getRenew();
            answer(responder, from, number -> new GrantorEvent.Renew(number, client, renew.getSession()));
            heard(renew.getSession(), from);
            return true;
        }
        if (request.hasBye() && request.getBye().getKind() == kind) {
            tell(new GrantorEvent.Bye(client, request.getBye().getSession()));
            responder.reply(LeaseMessages.done());
            return true;
        }
        return false;
    }

    /** @return whether the message was a Release or a RevokeAck for this grantor; never blocks on the network */
    public boolean message(Link from, Envelope message) {
        NodeId client = from.peer().id();
        try {
            return switch (message.getBodyCase()) {
                case RELEASE ->
                    message.getRelease().getKind() == kind
                            && tell(new GrantorEvent.Release(
                                    client,
                                    message.getRelease().getSession(),
                                    Messages.fileId(message.getRelease().getObject()),
                                    message.getRelease().getSequence()));
                case REVOKE_ACK ->
                    message.getRevokeAck().getKind() == kind
                            && tell(new GrantorEvent.RevokeAck(
                                    client,
                                    message.getRevokeAck().getSession(),
                                    Messages.fileId(message.getRevokeAck().getObject()),
                                    message.getRevokeAck().getSequence()));
                default -> false;
            };
        } catch (FailureException e) {
            log.warn(
                    "event=bad_message grantor={} peer={} cause=\"{}\"",
                    name,
                    from.peer().name(),
                    e.getMessage());
            return true;
        }
    }

    /** The link is gone: its sessions go on until they expire, or resume on another link. */
    public void linkClosed(Link link) {
        lock.lock();
        try {
            links.values().removeIf(link::equals);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives the lease that a request asks for; blocks while a change of the object is pending. To be called before what is
     * sent with the grant is read: only what is read afterwards may go with it.
     *
     * @param want as it came; without a session (the default instance) the answer is empty
     * @param current called after the lease stands, for the version that goes into the grant
     * @return empty when no lease can be given now: the answer is then good for this call only
     * @throws FailureException UNKNOWN_SESSION when the client has to say Hello first
     */
    public Optional<Grant> acquire(Link from, Want want, FileId object, Supplier<Version> current, Duration patience)
            throws FailureException, InterruptedException {
        if (want.getSession() == 0) {
            return Optional.empty();
        }
        NodeId client = from.peer().id();
        GrantorAction answer = await(
                number -> new GrantorEvent.Acquire(number, client, want.getSession(), object),
                GrantorEvent.Withdraw::new,
                patience.toNanos());
        return switch (answer) {
            case GrantorAction.Granted granted -> {
                heard(granted.session(), from);
                yield Optional.of(grant(granted, client, current));
            }
            case GrantorAction.Refused refused -> {
                Reason reason = refused.reason();
                if (reason == Reason.UNKNOWN_SESSION) {
                    throw new FailureException(failure(reason));
                }
                log.debug(
                        "event=lease_refused grantor={} client={} object={} reason={}",
                        name,
                        from.peer().name(),
                        object,
                        reason);
                yield Optional.empty();
            }
            case null -> Optional.empty();
            default -> throw unexpected(answer);
        };
    }

    /**
     * Takes back all leases on the objects. Returns when nobody holds one; until the Recall is closed nobody gets one. No
     * client can delay it for longer than its lease and the margin after it was last heard. A thread must not recall an
     * object again while it has a Recall of it open.
     *
     * @throws CallTimeoutException when patience ran out first: nothing may change
     */
    public Recall recall(Collection<FileId> objects, Duration patience)
            throws CallTimeoutException, InterruptedException {
        return recall(objects, Optional.empty(), patience);
    }

    /**
     * As {@link #recall(Collection, Duration)}, but the leases of the actor stay.
     *
     * @param actor on whose behalf the change is made
     */
    public ActorRecall recall(Collection<FileId> objects, Optional<GrantorEvent.Actor> actor, Duration patience)
            throws CallTimeoutException, InterruptedException {
        List<FileId> all = List.copyOf(objects);
        if (all.size() > config.maxObjectsPerChange()) {
            throw new IllegalArgumentException(
                    "a change of " + all.size() + " objects, the most is " + config.maxObjectsPerChange());
        }
        long deadlineNanos = System.nanoTime() + patience.toNanos();
        if (!changes.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS)) {
            throw notCleared(all, patience);
        }
        boolean recalled = false;
        try {
            GrantorAction answer = await(
                    number -> new GrantorEvent.Change(number, all, actor),
                    GrantorEvent.Finish::new,
                    deadlineNanos - System.nanoTime());
            if (!(answer instanceof GrantorAction.Cleared(long change))) {
                throw notCleared(all, patience);
            }
            recalled = true;
            return new OpenRecall(finished -> visible(change, finished), () -> {
                tell(new GrantorEvent.Finish(change));
                changes.release();
            });
        } finally {
            if (!recalled) {
                changes.release();
            }
        }
    }

    /** The change goes on to count among those that are open until the machine says that it is finished. */
    private Optional<GrantorAction.OwnChange> visible(long change, Runnable finished) {
        CompletableFuture<GrantorAction> answer = new CompletableFuture<>();
        lock.lock();
        try {
            answers.put(change, answer);
            whenFinished.put(change, () -> {
                changes.release();
                finished.run();
            });
            tell(new GrantorEvent.Visible(change));
            answers.remove(change);
        } finally {
            lock.unlock();
        }
        return answer.getNow(null) instanceof GrantorAction.OwnChange own ? Optional.of(own) : Optional.empty();
    }

    /**
     * Objects that a former life has changed on behalf of clients, which may not have seen it: nobody is shown them before the leases
     * of that life have run out.
     *
     * @param shown is run then, on any thread and under a lock: must not block
     */
    public void hide(Collection<FileId> objects, Runnable shown) {
        lock.lock();
        try {
            long number = ++lastNumber;
            whenFinished.put(number, shown);
            tell(new GrantorEvent.Hide(number, List.copyOf(objects)));
        } finally {
            lock.unlock();
        }
    }

    /**
     * The actor of a change says that its caches show it. What an earlier life of this grantor has changed, and what it says again, is
     * over already.
     */
    public void seen(Link from, ChangeSeen seen) {
        if (seen.getEpoch() == epoch) {
            tell(new GrantorEvent.Seen(from.peer().id(), seen.getSession(), seen.getChange()));
        }
    }

    /**
     * To be called with what was read of an object without a lease on it, before it is shown: waits while the actor of a change
     * that may be in it still has caches without it.
     *
     * @param want as it came with the request: the actor itself does not wait
     * @throws CallTimeoutException when patience ran out: what was read must not be shown
     */
    public void awaitSeen(Want want, FileId object, Duration patience)
            throws CallTimeoutException, InterruptedException {
        long nanos = patience.toNanos();
        lock.lock();
        try {
            while (!closed && grantor.isUnseen(object, want.getSession())) {
                if (nanos <= 0) {
                    throw new CallTimeoutException("a client of " + name + " has not shown its own change of " + object
                            + " to its programs for " + patience.toMillis() + " ms: try again");
                }
                nanos = settled.awaitNanos(nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The usual use of {@link #recall}: takes the leases back, makes the change, lets grants go on. */
    public <T extends @Nullable Object, E extends Exception> T changing(
            Collection<FileId> objects, Duration patience, Change<T, E> change)
            throws E, CallTimeoutException, InterruptedException {
        Recall recall = recall(objects, patience);
        try {
            return change.apply();
        } finally {
            recall.close();
        }
    }

    public int sessions() {
        lock.lock();
        try {
            return grantor.sessions();
        } finally {
            lock.unlock();
        }
    }

    /** Whether somebody has a lease on the object, or it is being changed. */
    public boolean isLeased(FileId object) {
        lock.lock();
        try {
            return grantor.isLeased(object);
        } finally {
            lock.unlock();
        }
    }

    public long leases() {
        lock.lock();
        try {
            return grantor.leases();
        } finally {
            lock.unlock();
        }
    }

    /** Nothing is granted or changed any more; whoever waits is let go. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            answers.values().forEach(answer -> answer.cancel(false));
            answers.clear();
            settled.signalAll();
        } finally {
            lock.unlock();
        }
        ticker.close();
    }

    // ---- driving the machine ----------------------------------------------------------------------------------------

    private interface Numbered {
        GrantorEvent event(long number);
    }

    /**
     * Tells the machine and waits for its answer; what is not answered in time is called off.
     *
     * @return null when there was no answer in time
     */
    private @Nullable GrantorAction await(Numbered asked, Numbered calledOff, long nanos) throws InterruptedException {
        CompletableFuture<GrantorAction> answer = new CompletableFuture<>();
        long number = tell(asked, answer);
        boolean taken = false;
        try {
            GrantorAction action = answer.get(Math.max(0, nanos), TimeUnit.NANOSECONDS);
            taken = true;
            return action;
        } catch (TimeoutException | CancellationException _) {
            return null;
        } catch (ExecutionException e) {
            throw new IllegalStateException("leases of " + name + " cannot be decided", e);
        } finally {
            if (!taken) {
                forget(number);
                tell(calledOff.event(number));
            }
        }
    }

    private void answer(Responder responder, Link from, Numbered asked) throws IOException {
        CompletableFuture<GrantorAction> answer = new CompletableFuture<>();
        tell(asked, answer);
        GrantorAction action = answer.getNow(null);
        switch (action) {
            case GrantorAction.Welcome welcome -> {
                heard(welcome.session(), from);
                responder.reply(LeaseMessages.welcome(welcome.session(), welcome.epoch(), welcome.leaseMillis()));
            }
            case GrantorAction.Renewed renewed ->
                responder.reply(LeaseMessages.renewed(renewed.epoch(), renewed.leaseMillis()));
            case GrantorAction.Refused refused -> responder.fail(failure(refused.reason()));
            case null, default -> throw unexpected(action);
        }
    }

    private long tell(Numbered asked, CompletableFuture<GrantorAction> answer) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the leases of " + name + " are closed");
            }
            long number = ++lastNumber;
            answers.put(number, answer);
            tell(asked.event(number));
            return number;
        } finally {
            lock.unlock();
        }
    }

    private void forget(long number) {
        lock.lock();
        try {
            answers.remove(number);
        } finally {
            lock.unlock();
        }
    }

    private boolean tell(GrantorEvent event) {
        lock.lock();
        try {
            if (defect != null) {
                throw new IllegalStateException("the leases of " + name + " cannot be trusted any more", defect);
            }
            List<GrantorAction> actions = new ArrayList<>();
            grantor.on(event, clock.millis(), actions::add);
            for (GrantorAction action : actions) {
                act(action);
            }
            if (lock.hasWaiters(settled)) {
                settled.signalAll();
            }
        } catch (RuntimeException e) {
            if (defect == null) {
                defect = e;
                log.error("event=lease_defect grantor={} on={}", name, event, e);
            }
            throw e;
        } finally {
            lock.unlock();
        }
        return true;
    }

    @GuardedBy("lock")
    private void act(GrantorAction action) {
        switch (action) {
            case GrantorAction.Welcome welcome -> complete(welcome.request(), action);
            case GrantorAction.Renewed renewed -> complete(renewed.request(), action);
            case GrantorAction.Granted granted -> complete(granted.request(), action);
            case GrantorAction.Refused refused -> complete(refused.request(), action);
            case GrantorAction.Cleared cleared -> complete(cleared.change(), action);
            case GrantorAction.OwnChange own -> complete(own.change(), action);
            case GrantorAction.Finished(long change) -> {
                complete(change, action);
                Runnable finished = whenFinished.remove(change);
                if (finished != null) {
                    finished.run();
                }
            }
            case GrantorAction.Revoke revoke -> {
                Link link = links.get(revoke.session());
                if (link != null) {
                    outbox.post(link, LeaseMessages.revoke(revoke, kind));
                }
            }
            case GrantorAction.SessionEnded(NodeId client, long session) -> {
                links.remove(session);
                log.debug("event=session_ended grantor={} client={} session={}", name, client, session);
            }
        }
    }

    @GuardedBy("lock")
    private void complete(long number, GrantorAction action) {
        CompletableFuture<GrantorAction> answer = answers.remove(number);
        if (answer != null) {
            answer.complete(action);
        }
    }

    /** Revokes of the session go this way from now on. */
    private void heard(long session, Link from) {
        lock.lock();
        try {
            if (from.isOpen() && grantor.knows(from.peer().id(), session)) {
                links.put(session, from);
            }
        } finally {
            lock.unlock();
        }
    }

    private Grant grant(GrantorAction.Granted granted, NodeId client, Supplier<Version> current) {
        Version version;
        try {
            version = current.get();
        } catch (RuntimeException e) {
            tell(new GrantorEvent.Release(client, granted.session(), granted.object(), granted.grantSequence()));
            throw e;
        }
        return Grant.newBuilder()
                .setSession(granted.session())
                .setEpoch(granted.epoch())
                .setSequence(granted.grantSequence())
                .setObject(Messages.bytes(granted.object()))
                .setVersion(Messages.wire(version))
                .build();
    }

    private Failure failure(Reason reason) {
        Failure.Builder failure = Failure.newBuilder();
        return switch (reason) {
            case UNKNOWN_SESSION ->
                failure.setCode(Failure.Code.UNKNOWN_SESSION)
                        .setMessage("the session has ended at " + name + ": say Hello")
                        .build();
            case REVOKING ->
                failure.setCode(Failure.Code.NOT_READY)
                        .setRetryAfterMillis((int) config.revokeAgainMillis())
                        .setMessage("the session has not acknowledged a Revoke of " + name + " for too long")
                        .build();
            case TOO_MANY_SESSIONS ->
                failure.setCode(Failure.Code.TOO_MANY)
                        .setRetryAfterMillis((int) config.leaseMillis())
                        .setMessage(name + " has its " + config.maxSessions() + " sessions: try again later")
                        .build();
            case TOO_MANY_LEASES ->
                failure.setCode(Failure.Code.TOO_MANY)
                        .setMessage("the session has its " + config.maxLeasesPerSession() + " leases of " + name)
                        .build();
            case TOO_MANY_WAITING ->
                failure.setCode(Failure.Code.TOO_MANY)
                        .setMessage(config.maxWaiting() + " requests wait for leases of " + name)
                        .build();
        };
    }

    private CallTimeoutException notCleared(List<FileId> objects, Duration patience) {
        return new CallTimeoutException("the leases of " + name + " on " + objects.size() + " objects"
                + (objects.isEmpty() ? "" : ", the first is " + objects.getFirst())
                + ", were not given back within " + patience.toMillis() + " ms: nothing was changed");
    }

    private static IllegalStateException unexpected(@Nullable GrantorAction action) {
        return new IllegalStateException("not an answer to what was asked: " + action);
    }
}
