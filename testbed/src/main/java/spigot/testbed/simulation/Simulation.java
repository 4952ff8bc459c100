package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;
import spigot.model.NodeId;

/**
 * One run: bad weather, then calm, and in the end everything must work again. Not thread-safe; all that happens follows from
 * the seed.
 *
 * <p>Checked all the time: a read under a valid lease, by the kernel from what it may still cache, or by asking, is never older
 * than what was visible when it began, and no client ever reads backwards; what a client has changed itself becomes visible to all
 * when the first of them, the client included, has seen it; a change is cleared in bounded time; nobody stores
 * more than its bound. Checked in the end: every client gets a lease on every object again, and a change takes no longer than
 * the holders need.
 */
public final class Simulation {
    static final int TICK_MILLIS = 20;
    static final int OBJECTS = 3;
    private static final int CLIENTS = 3;
    private static final long CHAOS_MILLIS = 6_000;

    /** The grace and the longest delay of a message are over by then. */
    private static final long RECOVERY_MILLIS = 3_300;

    private static final int STEP_MILLIS = 250;

    final SplittableRandom random;
    final VirtualTime time = new VirtualTime();
    final Machines machines;
    final Tally tally;
    final Network network;
    final List<SimulatedGrantor> grantors = new ArrayList<>();
    final List<SimulatedClient> clients = new ArrayList<>();
    private final List<SimulatedProcess> processes = new ArrayList<>();
    private final Optional<Consumer<String>> trace;
    Weather weather;

    /** Whether the clients' programs read. */
    boolean programs = true;

    private Simulation(long seed, Machines machines, Tally tally, Optional<Consumer<String>> trace) {
        this.random = new SplittableRandom(seed);
        this.machines = machines;
        this.tally = tally;
        this.trace = trace;
        this.network = new Network(this);
        this.weather = Weather.of(random);
        grantors.add(new SimulatedGrantor(this, 0, "catalog"));
        grantors.add(new SimulatedGrantor(this, 1, "home"));
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(new SimulatedClient(this, 2 + i, "client" + i));
        }
        processes.addAll(grantors);
        processes.addAll(clients);
    }

    /** @throws SimulationFailure when something happens that must not */
    public static void run(long seed, Machines machines, Tally tally) {
        run(seed, machines, tally, Optional.empty());
    }

    /** @param trace gets a line for what matters, to see what led to a failure */
    public static void run(long seed, Machines machines, Tally tally, Optional<Consumer<String>> trace) {
        Simulation simulation = new Simulation(seed, machines, tally, trace);
        try {
            simulation.run();
        } catch (SimulationFailure | RuntimeException e) {
            throw new SimulationFailure(
                    "seed " + seed + " after " + simulation.time.nowMillis() + " ms: " + e.getMessage(), e);
        } finally {
            tally.runs++;
            tally.simulatedMillis += simulation.time.nowMillis();
            tally.events += simulation.time.handled();
        }
    }

    private void run() {
        trace(() -> "weather " + weather);
        processes.forEach(SimulatedProcess::start);
        if (weather.faultEveryMillis() > 0) {
            time.after(random.nextInt(weather.faultEveryMillis()), this::disturb);
        }
        int everyMillis = random.nextInt(20, 400);
        grantors.forEach(grantor -> changing(grantor, everyMillis));
        time.runUntil(CHAOS_MILLIS);
        heal();
        time.runUntil(CHAOS_MILLIS + RECOVERY_MILLIS);
        // From here on only the checks read: others would need the room for leases.
        programs = false;
        for (int object = 0; object < OBJECTS; object++) {
            recovered(object);
        }
        end();
    }

    long untilHealed() {
        return Math.max(0, CHAOS_MILLIS - time.nowMillis());
    }

    boolean chance(int perMille) {
        return perMille > 0 && random.nextInt(1_000) < perMille;
    }

    void trace(Supplier<String> line) {
        if (trace.isPresent()) {
            trace.get().accept(time.nowMillis() + " ms: " + line.get());
        }
    }

    SimulatedClient client(NodeId node) {
        return clients.stream()
                .filter(client -> client.node().equals(node))
                .findFirst()
                .orElseThrow();
    }

    /** Whether the clients change something themselves. */
    boolean acting() {
        return time.nowMillis() < CHAOS_MILLIS + RECOVERY_MILLIS / 2;
    }

    private boolean chaos() {
        return time.nowMillis() < CHAOS_MILLIS;
    }

    private void changing(SimulatedGrantor grantor, int everyMillis) {
        if (chaos()) {
            grantor.changeSomething();
            time.after(random.nextInt(1, 2 * everyMillis), () -> changing(grantor, everyMillis));
        }
    }

    // ---- faults -----------------------------------------------------------------------------------------------------

    private void disturb() {
        if (!chaos()) {
            return;
        }
        SimulatedProcess one = processes.get(random.nextInt(processes.size()));
        switch (random.nextInt(5)) {
            case 0, 1 -> cut(one);
            case 2 -> crash(one);
            case 3 -> pause(one);
            default -> breakLink();
        }
        time.after(random.nextInt(1, 2 * weather.faultEveryMillis()), this::disturb);
    }

    /** One way or both, from one other process or from all. */
    private void cut(SimulatedProcess one) {
        tally.cuts++;
        int ways = random.nextInt(3);
        boolean all = random.nextBoolean();
        SimulatedProcess only = processes.get(random.nextInt(processes.size()));
        // Often about as long as a lease: what goes wrong when one end gives it up before the other does?
        long millis = random.nextBoolean() ? random.nextInt(850, 1_150) : random.nextInt(100, 3_000);
        for (SimulatedProcess other : processes) {
            if (all || other == only) {
                if (ways != 1) {
                    network.cut(one, other);
                }
                if (ways != 2) {
                    network.cut(other, one);
                }
                time.after(millis, () -> {
                    network.mend(one, other);
                    network.mend(other, one);
                });
            }
        }
        trace(() -> "cut " + one.name + (all ? " from all" : " from " + only.name) + " ways " + ways);
    }

    private void crash(SimulatedProcess one) {
        if (one.up) {
            tally.crashes++;
            one.crash();
            trace(() -> one.name + " crashes");
            time.after(random.nextInt(1, 1_500), () -> startAgain(one));
        }
    }

    private void startAgain(SimulatedProcess one) {
        if (!one.up) {
            trace(() -> one.name + " starts again");
            one.start();
        }
    }

    private void pause(SimulatedProcess one) {
        tally.pauses++;
        one.pause(random.nextInt(10, 2_500));
        trace(() -> one.name + " pauses");
    }

    private void breakLink() {
        SimulatedClient client = clients.get(random.nextInt(clients.size()));
        if (client.up && !client.paused()) {
            client.linkDown();
            client.inThisLife(random.nextInt(300), client::linkUp);
        }
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

    private void heal() {
        weather = Weather.CALM;
        network.mendAll();
        processes.forEach(SimulatedProcess::wake);
        processes.forEach(this::startAgain);
        trace(() -> "healed");
    }

    private void recovered(int object) {
        List<Long> numbers = grantors.stream()
                .map(grantor -> grantor.change(List.of(object)))
                .toList();
        time.runUntil(time.nowMillis() + STEP_MILLIS);
        for (int i = 0; i < grantors.size(); i++) {
            if (grantors.get(i).pending(numbers.get(i))) {
                throw new SimulationFailure(grantors.get(i).name + " is slow to change although all is well");
            }
        }
        for (int i = 0; i < 2; i++) {
            clients.forEach(client -> client.sides().forEach(side -> side.readAll(object)));
            time.runUntil(time.nowMillis() + STEP_MILLIS / 4);
        }
        for (SimulatedClient client : clients) {
            for (SimulatedGrantor grantor : grantors) {
                if (!client.side(grantor).fresh(object)) {
                    throw new SimulationFailure(client.name + " has no lease on object " + object + " of "
                            + grantor.name + " although all is well");
                }
            }
        }
    }

    private void end() {
        for (SimulatedGrantor grantor : grantors) {
            if (grantor.sessions() != CLIENTS) {
                throw new SimulationFailure(
                        grantor.name + " has " + grantor.sessions() + " sessions of " + CLIENTS + " clients");
            }
        }
    }
}
