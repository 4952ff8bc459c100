package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.coherence.Grantor;
import spigot.coherence.GrantorAction;
import spigot.coherence.GrantorConfig;
import spigot.coherence.GrantorEvent;
import spigot.model.FileId;

/** A server with a grantor: its objects and their versions survive its crashes, its leases do not. */
final class SimulatedGrantor extends SimulatedProcess {
    private final Simulation world;
    /** The margin is the smallest that is allowed, so that a run which uses it up is not rare. */
    static final GrantorConfig CONFIG = new GrantorConfig(1_000, 50, 1_050, 50, 16, 8, 32, 8);

    /**
     * By when a change is cleared if none is before it: its holders may be renewed for the length of a lease, then their
     * sessions end; by the slowest clock, and with the ticks.
     */
    private static final long CLEARED_WITHIN_MILLIS = (long) ((1_000 + 1_050) / 0.98) + 150;

    private static final class Change {
        final List<Integer> objects;
        final Optional<Own> own;
        long deadlineMillis;
        boolean cleared;

        Change(List<Integer> objects, Optional<Own> own, long deadlineMillis) {
            this.objects = objects;
            this.own = own;
            this.deadlineMillis = deadlineMillis;
        }
    }

    /** What a client has asked for; the number is the client's own. */
    record Own(SimulatedHolder client, int life, long session, int object, long number) {}

    /** What the client is told: with the lease that it keeps, if it does. */
    record Answer(Optional<GrantorAction.OwnChange> own, int from, int to) {}

    private final int[] versions = new int[Simulation.OBJECTS];

    /** The floor for all reads that begin from now on: what is visible to all, or was seen by anybody. */
    private final int[] floors = new int[Simulation.OBJECTS];

    /** Objects that actors have changed, and maybe not seen yet: this survives crashes. */
    private final Set<Integer> unfinished = new HashSet<>();

    private final Map<Own, Answer> answers = new HashMap<>();

    private final Map<Long, Consumer<GrantorAction>> waiting = new HashMap<>();
    private final Map<Long, Change> changes = new LinkedHashMap<>();
    private @Nullable Grantor grantor;
    private long numbers;

    /** What the machine said last of a change that took effect. */
    private Optional<GrantorAction.OwnChange> ownChange = Optional.empty();

    SimulatedGrantor(Simulation world, int index, String name) {
        super(world, index, name);
        this.world = world;
    }

    int version(int object) {
        return versions[object];
    }

    int floor(int object) {
        return floors[object];
    }

    void saw(int object, int version) {
        floors[object] = Math.max(floors[object], version);
    }

    FileId id(int object) {
        return new FileId(index, object);
    }

    int sessions() {
        return grantor().sessions();
    }

    @Override
    void started() {
        grantor = world.machines.grantor(CONFIG, life, life > 1, clockMillis());
        if (!unfinished.isEmpty()) {
            long number = number();
            List<Integer> hidden = List.copyOf(unfinished);
            changes.put(number, new Change(hidden, Optional.empty(), world.time.nowMillis() + CLEARED_WITHIN_MILLIS));
            tell(new GrantorEvent.Hide(number, hidden.stream().map(this::id).toList()));
        }
    }

    @Override
    void crashed() {
        waiting.clear();
        changes.clear();
        answers.clear();
        grantor = null;
    }

    @Override
    void pause(long millis) {
        super.pause(millis);
        changes.values().forEach(change -> change.deadlineMillis += millis);
    }

    @Override
    void ticked() {
        tell(new GrantorEvent.Tick());
        for (Change change : changes.values()) {
            if (!change.cleared && world.time.nowMillis() > change.deadlineMillis) {
                throw new SimulationFailure(name + " could not change " + change.objects + " in time");
            }
        }
        int clients = world.clients.size();
        if (grantor().sessions() > 2 * clients
                || grantor().leases() > 2 * clients * Simulation.OBJECTS
                || grantor().objects() > Simulation.OBJECTS) {
            throw new SimulationFailure(name + " stores more than clients can need");
        }
    }

    /** Asks the machine; its answer, if it comes in this life, goes to {@code answered}. */
    void ask(long number, GrantorEvent event, Consumer<GrantorAction> answered) {
        waiting.put(number, answered);
        tell(event);
    }

    long number() {
        return ++numbers;
    }

    /** Whoever waits for the answer has lost patience. */
    boolean withdraw(long number) {
        boolean waits = waiting.remove(number) != null;
        if (waits) {
            tell(new GrantorEvent.Withdraw(number));
        }
        return waits;
    }

    void tell(GrantorEvent event) {
        List<GrantorAction> actions = new ArrayList<>();
        grantor().on(event, clockMillis(), actions::add);
        actions.forEach(this::act);
    }

    private void act(GrantorAction action) {
        switch (action) {
            case GrantorAction.Welcome welcome -> answer(welcome.request(), action);
            case GrantorAction.Renewed renewed -> answer(renewed.request(), action);
            case GrantorAction.Refused refused -> answer(refused.request(), action);
            case GrantorAction.Granted granted -> {
                world.tally.grants++;
                answer(granted.request(), action);
            }
            case GrantorAction.Revoke revoke -> {
                world.tally.revokes++;
                SimulatedClient client = world.client(revoke.client());
                world.network.send(this, client, () -> client.side(this).revoked(revoke));
            }
            case GrantorAction.Cleared(long number) -> cleared(number);
            case GrantorAction.OwnChange own -> ownChange = Optional.of(own);
            case GrantorAction.Finished(long number) -> finished(number);
            case GrantorAction.SessionEnded ended -> {
                world.trace(() -> name + " ends " + ended);
                world.client(ended.client()).side(this).ended(ended.session());
            }
        }
    }

    private void answer(long number, GrantorAction action) {
        Consumer<GrantorAction> answered = waiting.remove(number);
        if (answered != null) {
            answered.accept(action);
        }
    }

    // ---- changes ----------------------------------------------------------------------------------------------------

    /** Begins a change now and then. */
    void changeSomething() {
        if (up && !paused() && changes.size() < 3) {
            List<Integer> objects = new ArrayList<>();
            objects.add(world.random.nextInt(Simulation.OBJECTS));
            if (world.random.nextInt(3) == 0) {
                objects.add(world.random.nextInt(Simulation.OBJECTS));
            }
            long number = change(objects, Optional.empty());
            if (world.chance(50)) {
                inThisLife(world.random.nextInt(40), () -> giveUp(number));
            }
        }
    }

    long change(List<Integer> objects) {
        return change(objects, Optional.empty());
    }

    private long change(List<Integer> objects, Optional<Own> own) {
        long number = number();
        // Each before it may wait as long for its actor as for its holders.
        long deadline = world.time.nowMillis() + CLEARED_WITHIN_MILLIS * (2 * changes.size() + 1);
        changes.put(number, new Change(objects, own, deadline));
        world.trace(() ->
                name + " wants to change " + objects + own.map(Own::toString).orElse(""));
        tell(new GrantorEvent.Change(
                number,
                objects.stream().map(this::id).toList(),
                own.map(client -> new GrantorEvent.Actor(client.client().node(), client.session()))));
        return number;
    }

    // ---- changes that clients ask for -------------------------------------------------------------------------------

    /** A client asks for a change, maybe again. */
    void asked(Own own) {
        Answer answer = answers.get(own);
        if (answer != null) {
            own.client().answeredOwn(own, answer);
        } else if (changes.size() < 6
                && changes.values().stream()
                        .noneMatch(change ->
                                change.own.isPresent() && change.own.get().equals(own))) {
            change(List.of(own.object()), Optional.of(own));
        }
    }

    /** Runs it when what was read without a lease may be shown. */
    void whenSeen(int object, long session, Runnable shown) {
        if (grantor().isUnseen(id(object), session)) {
            inThisLife(5, () -> whenSeen(object, session, shown));
        } else {
            shown.run();
        }
    }

    private void takesEffect(long number, Own own) {
        int object = own.object();
        int from = versions[object]++;
        int to = versions[object];
        unfinished.add(object);
        world.tally.ownChanges++;
        world.trace(() -> name + " changed " + object + " for " + own);
        inThisLife(world.random.nextInt(5), () -> {
            ownChange = Optional.empty();
            tell(new GrantorEvent.Visible(number));
            Answer answer = new Answer(ownChange, from, to);
            answers.put(own, answer);
            own.client().answeredOwn(own, answer);
        });
    }

    private void finished(long number) {
        Change change = changes.remove(number);
        if (change != null) {
            world.tally.seen++;
            change.objects.forEach(object -> {
                unfinished.remove(object);
                showAll(object);
            });
        }
    }

    private void showAll(int object) {
        floors[object] = versions[object];
        world.clients.forEach(client -> client.side(this).changed(object));
    }

    boolean pending(long number) {
        return changes.containsKey(number);
    }

    private void giveUp(long number) {
        Change change = changes.get(number);
        if (change != null && !change.cleared) {
            changes.remove(number);
            tell(new GrantorEvent.Finish(number));
        }
    }

    private void cleared(long number) {
        Change change = changes.get(number);
        if (change == null) {
            // Time has cleared it in the same moment in which it is given up.
            return;
        }
        change.cleared = true;
        inThisLife(world.random.nextInt(20), () -> {
            if (change.own.isPresent()) {
                takesEffect(number, change.own.get());
                return;
            }
            for (int object : change.objects) {
                versions[object]++;
            }
            change.objects.forEach(this::showAll);
            world.tally.changes++;
            world.trace(() -> name + " changed " + change.objects);
            inThisLife(world.random.nextInt(5), () -> {
                changes.remove(number);
                tell(new GrantorEvent.Finish(number));
            });
        });
    }

    private Grantor grantor() {
        Grantor current = grantor;
        if (current == null) {
            throw new IllegalStateException(name + " is down");
        }
        return current;
    }
}
