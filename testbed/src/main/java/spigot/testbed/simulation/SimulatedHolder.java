package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import spigot.coherence.GrantorAction;
import spigot.coherence.GrantorAction.Reason;
import spigot.coherence.GrantorEvent;
import spigot.coherence.Holder;
import spigot.coherence.HolderAction;
import spigot.coherence.HolderConfig;
import spigot.coherence.HolderEvent;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/**
 * What one client has from one grantor: a holder, the client's own cache under its leases, and the kernel's, which is served
 * until it is dropped. An object has several parts, as a directory has names: each is asked for and cached by itself.
 */
final class SimulatedHolder {
    /** Room for fewer leases than there are objects, and hardly any memory of void grants. */
    static final HolderConfig CONFIG = new HolderConfig(0, Simulation.OBJECTS - 1, 1);

    /** With the ticks less than the tenth of a lease in which the caches are to go. */
    private static final int DROP_MILLIS = 70;

    private static final int PARTS = 2;

    private record Part(int object, int number) {}

    private record Cached(int version, Lease lease) {}

    private record Kept(int version, long session) {}

    private final Simulation world;
    private final SimulatedClient client;
    private final SimulatedGrantor grantor;
    private final Map<Part, Cached> cache = new HashMap<>();
    private final Map<Part, Kept> kernel = new HashMap<>();

    /** Objects that the kernel does not let go; what it then serves is not checked. */
    private final Set<Integer> stuck = new HashSet<>();

    private final int[] seen = new int[Simulation.OBJECTS];

    /** Objects that this client is changing itself, and what it has asked for. */
    private final Map<Integer, SimulatedGrantor.Own> acting = new HashMap<>();

    private Holder holder;
    private long changes;

    SimulatedHolder(Simulation world, SimulatedClient client, SimulatedGrantor grantor) {
        this.world = world;
        this.client = client;
        this.grantor = grantor;
        this.holder = start();
    }

    private Holder start() {
        return world.machines.holder(CONFIG, world.random::nextLong, client.clockMillis());
    }

    void restart() {
        cache.clear();
        kernel.clear();
        stuck.clear();
        acting.clear();
        holder = start();
        tell(new HolderEvent.LinkUp());
    }

    Holder machine() {
        return holder;
    }

    void tell(HolderEvent event) {
        List<HolderAction> actions = new ArrayList<>();
        holder.on(event, client.clockMillis(), actions::add);
        actions.forEach(this::act);
    }

    private void act(HolderAction action) {
        switch (action) {
            case HolderAction.SendHello(long nonce, long instance) -> hello(nonce, instance);
            case HolderAction.SendRenew(long session) -> renew(session);
            case HolderAction.SendRevokeAck(long session, FileId object, long sequence) ->
                send(() -> grantor.tell(new GrantorEvent.RevokeAck(node(), session, object, sequence)));
            case HolderAction.SendRelease(long session, FileId object, long sequence) ->
                send(() -> grantor.tell(new GrantorEvent.Release(node(), session, object, sequence)));
            case HolderAction.Drop(FileId object) -> drop((int) object.low());
            case HolderAction.SessionReady ready -> world.trace(() -> client.name + " has " + ready);
            case HolderAction.SessionLost lost -> {
                world.tally.sessionsLost++;
                world.trace(() -> client.name + " has " + lost);
            }
        }
    }

    // ---- the session ------------------------------------------------------------------------------------------------

    private void hello(long nonce, long instance) {
        long sent = client.clockMillis();
        int life = client.life;
        send(() -> {
            long number = grantor.number();
            grantor.ask(number, new GrantorEvent.Hello(number, client.id(instance), nonce), answer -> {
                if (answer instanceof GrantorAction.Welcome welcome) {
                    reply(
                            life,
                            () -> tell(new HolderEvent.Welcomed(
                                    nonce, welcome.session(), welcome.epoch(), welcome.leaseMillis(), sent)));
                }
            });
        });
    }

    private void renew(long session) {
        long sent = client.clockMillis();
        int life = client.life;
        send(() -> {
            long number = grantor.number();
            grantor.ask(number, new GrantorEvent.Renew(number, node(), session), answer -> {
                if (answer instanceof GrantorAction.Renewed renewed) {
                    reply(
                            life,
                            () -> tell(new HolderEvent.Renewed(session, renewed.epoch(), renewed.leaseMillis(), sent)));
                } else if (unknown(answer)) {
                    reply(life, () -> tell(new HolderEvent.SessionUnknown(session)));
                }
            });
        });
    }

    void revoked(GrantorAction.Revoke revoke) {
        tell(new HolderEvent.Revoked(revoke.session(), revoke.epoch(), revoke.object(), revoke.revokeSequence()));
    }

    private static boolean unknown(GrantorAction answer) {
        return answer instanceof GrantorAction.Refused refused && refused.reason() == Reason.UNKNOWN_SESSION;
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    void readSomething() {
        Part part = new Part(world.random.nextInt(Simulation.OBJECTS), world.random.nextInt(PARTS));
        if (world.random.nextInt(3) == 0) {
            readByKernel(part);
        } else {
            read(part);
        }
        if (world.chance(10)) {
            FileId object = grantor.id(part.object());
            kernel.keySet().removeIf(cached -> cached.object() == part.object());
            cache.keySet().removeIf(cached -> cached.object() == part.object());
            tell(new HolderEvent.GiveUp(object));
        }
    }

    private void readByKernel(Part part) {
        Kept kept = kernel.get(part);
        if (kept != null && kernelCounts(part.object())) {
            world.tally.kernelReads++;
            check(part, kept.version(), floor(part.object()), "by the kernel");
        } else {
            read(part);
        }
    }

    void readAll(int object) {
        read(new Part(object, 0));
    }

    private void read(Part part) {
        int floor = floor(part.object());
        Cached cached = cache.get(part);
        if (cached != null && cached.lease().valid(client.clockMillis())) {
            world.tally.leasedReads++;
            check(part, cached.version(), floor, "under a lease");
            return;
        }
        if (acting.containsKey(part.object())) {
            // What others have of it is not asked for while an answer of our own is on its way.
            return;
        }
        world.tally.askedReads++;
        OptionalLong session = holder.session(client.clockMillis());
        int life = client.life;
        send(() -> {
            if (session.isEmpty()) {
                answer(part, floor, life, 0, Optional.empty());
                return;
            }
            long number = grantor.number();
            GrantorEvent acquire =
                    new GrantorEvent.Acquire(number, node(), session.getAsLong(), grantor.id(part.object()));
            grantor.ask(number, acquire, answer -> {
                if (unknown(answer)) {
                    reply(life, () -> tell(new HolderEvent.SessionUnknown(session.getAsLong())));
                } else {
                    answer(
                            part,
                            floor,
                            life,
                            session.getAsLong(),
                            answer instanceof GrantorAction.Granted granted ? Optional.of(granted) : Optional.empty());
                }
            });
            grantor.inThisLife(world.random.nextInt(200), () -> {
                if (grantor.withdraw(number)) {
                    answer(part, floor, life, session.getAsLong(), Optional.empty());
                }
            });
        });
    }

    /** The grantor reads what it sends after the lease stands. */
    private void answer(Part part, int floor, int life, long session, Optional<GrantorAction.Granted> grant) {
        grantor.inThisLife(world.random.nextInt(5), () -> {
            int version = grantor.version(part.object());
            Runnable shown = () -> reply(life, () -> answered(part, floor, version, grant));
            if (grant.isPresent()) {
                shown.run();
            } else {
                grantor.whenSeen(part.object(), session, shown);
            }
        });
    }

    private void answered(Part part, int floor, int version, Optional<GrantorAction.Granted> grant) {
        if (acting.containsKey(part.object())) {
            // It may have what our own change makes: it is asked for again when that is answered.
            return;
        }
        check(part, version, floor, "as the grantor answered");
        if (grant.isEmpty()) {
            return;
        }
        GrantorAction.Granted granted = grant.get();
        tell(new HolderEvent.Granted(
                granted.session(),
                granted.epoch(),
                granted.object(),
                granted.grantSequence(),
                new Version(1, version)));
        holder.lease(granted.object(), granted.session(), granted.epoch(), granted.grantSequence())
                .ifPresent(lease -> {
                    kernel.put(part, new Kept(version, granted.session()));
                    // A thread may be slow to store what it got.
                    client.inThisLife(
                            world.random.nextInt(3) * world.random.nextInt(30),
                            () -> cache.put(part, new Cached(version, lease)));
                });
    }

    // ---- changing ---------------------------------------------------------------------------------------------------

    /** A program of this client changes an object. */
    void changeSomething() {
        int object = world.random.nextInt(Simulation.OBJECTS);
        OptionalLong session = holder.session(client.clockMillis());
        if (session.isPresent() && !acting.containsKey(object)) {
            SimulatedGrantor.Own own =
                    new SimulatedGrantor.Own(this, client.life, session.getAsLong(), object, ++changes);
            acting.put(object, own);
            askAgainAndAgain(own);
        }
    }

    NodeId node() {
        return client.node();
    }

    private void askAgainAndAgain(SimulatedGrantor.Own own) {
        if (!own.equals(acting.get(own.object()))) {
            return;
        }
        if (!isCurrent(own.session())) {
            // All that was cached is gone, or going, with the session.
            acting.remove(own.object());
            return;
        }
        send(() -> grantor.asked(own));
        client.inThisLife(150, () -> askAgainAndAgain(own));
    }

    private boolean isCurrent(long session) {
        OptionalLong current = holder.session(client.clockMillis());
        return current.isPresent() && current.getAsLong() == session;
    }

    /** The grantor answers, maybe once more. */
    void answeredOwn(SimulatedGrantor.Own own, SimulatedGrantor.Answer answer) {
        reply(own.life(), () -> {
            if (!acting.remove(own.object(), own)) {
                return;
            }
            int object = own.object();
            Optional<GrantorAction.OwnChange> change = answer.own();
            if (change.isPresent() && !change.get().held().getFirst().kept()) {
                GrantorAction.Held held = change.get().held().getFirst();
                tell(new HolderEvent.Revoked(
                        change.get().session(), change.get().epoch(), held.object(), held.sequence()));
            } else if (change.isPresent()) {
                GrantorAction.Held kept = change.get().held().getFirst();
                tell(new HolderEvent.OwnChange(
                        change.get().session(),
                        change.get().epoch(),
                        kept.object(),
                        kept.sequence(),
                        new Version(1, answer.from()),
                        new Version(1, answer.to())));
                holder.lease(kept.object(), change.get().session(), change.get().epoch(), kept.sequence())
                        .ifPresent(lease -> cache.replaceAll(
                                (part, cached) -> part.object() == object ? new Cached(answer.to(), lease) : cached));
            }
            // The kernel's system call ends, and shows what it did.
            if (!stuck.contains(object)) {
                kernel.keySet().removeIf(part -> part.object() == object);
            }
            if (change.isPresent()) {
                client.inThisLife(world.random.nextInt(20), () -> sayWhenSeen(own, change.get()));
            } else {
                cache.keySet().removeIf(part -> part.object() == object);
                tell(new HolderEvent.GiveUp(grantor.id(object)));
            }
        });
    }

    /** Repeated until it is answered, or the session is over. */
    private void sayWhenSeen(SimulatedGrantor.Own own, GrantorAction.OwnChange change) {
        if (!isCurrent(own.session()) || answeredSeen.contains(own)) {
            return;
        }
        if (!stuck.contains(own.object())) {
            int life = client.life;
            send(() -> {
                grantor.tell(new GrantorEvent.Seen(node(), change.session(), change.change()));
                reply(life, () -> answeredSeen.add(own));
            });
        }
        client.inThisLife(100, () -> sayWhenSeen(own, change));
    }

    private final Set<SimulatedGrantor.Own> answeredSeen = new HashSet<>();

    /** The object has just changed: whoever reads it from a cache in this moment must not find the old one. */
    void changed(int object) {
        if (!client.up || client.paused()) {
            return;
        }
        for (int number = 0; number < PARTS; number++) {
            Part part = new Part(object, number);
            if (kernel.containsKey(part) && kernelCounts(object)) {
                readByKernel(part);
            }
            Cached cached = cache.get(part);
            if (cached != null && cached.lease().valid(client.clockMillis())) {
                read(part);
            }
        }
    }

    /** The grantor has ended the session, and does not wait for it any more: it must be over here too, and nothing left of it. */
    void ended(long session) {
        if (!client.up) {
            return;
        }
        OptionalLong current = holder.session(client.clockMillis());
        // One that was never used has no leases: late copies of Hello may end it, and the client has to begin again.
        if (current.isPresent() && current.getAsLong() == session && holder.leases() > 0) {
            throw new SimulationFailure(grantor.name + " ended the session under which " + client.name + " has leases");
        }
        kernel.forEach((part, kept) -> {
            if (kept.session() == session && kernelCounts(part.object())) {
                throw new SimulationFailure(grantor.name + " ended a session of whose leases the kernel of "
                        + client.name + " still serves object " + part.object());
            }
        });
    }

    private boolean kernelCounts(int object) {
        return client.kernelCounts() && !stuck.contains(object);
    }

    private int floor(int object) {
        return Math.max(grantor.floor(object), seen[object]);
    }

    private void check(Part part, int version, int floor, String how) {
        if (version < floor) {
            throw new SimulationFailure(client.name + " read version " + version + " of object " + part.object()
                    + " of " + grantor.name + ' ' + how + " after version " + floor + " was visible");
        }
        seen[part.object()] = Math.max(seen[part.object()], version);
        grantor.saw(part.object(), version);
    }

    /** Whether the object is cached under a valid lease, at the version that is visible. */
    boolean fresh(int object) {
        Cached cached = cache.get(new Part(object, 0));
        return cached != null
                && cached.lease().valid(client.clockMillis())
                && cached.version() == grantor.version(object);
    }

    // ---- dropping ---------------------------------------------------------------------------------------------------

    private void drop(int object) {
        long gone = world.random.nextBoolean() ? DROP_MILLIS : world.random.nextInt(DROP_MILLIS);
        long told = world.random.nextInt(8);
        if (world.chance(world.weather.stuckPerMille())) {
            stuck.add(object);
            gone = world.random.nextLong(1, Math.max(2, world.untilHealed()));
        }
        client.inThisLife(gone, () -> {
            kernel.keySet().removeIf(part -> part.object() == object);
            cache.keySet().removeIf(part -> part.object() == object);
            stuck.remove(object);
            client.inThisLife(told, () -> tell(new HolderEvent.Dropped(grantor.id(object))));
        });
    }

    // ---- messages ---------------------------------------------------------------------------------------------------

    private void send(Runnable delivered) {
        world.network.send(client, grantor, delivered);
    }

    /** An answer goes to the process that asked, and to no later one. */
    private void reply(int life, Runnable delivered) {
        world.network.send(grantor, client, () -> {
            if (client.life == life) {
                delivered.run();
            }
        });
    }
}
