package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
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
public final class Simulation extends World {
    static final int OBJECTS = 3;
    private static final int CLIENTS = 3;

    /** The grace and the longest delay of a message are over by then. */
    private static final long RECOVERY_MILLIS = 3_300;

    private static final int STEP_MILLIS = 250;

    final Machines machines;
    final List<SimulatedGrantor> grantors = new ArrayList<>();
    final List<SimulatedClient> clients = new ArrayList<>();

    private Simulation(long seed, Machines machines, Tally tally, Optional<Consumer<String>> trace) {
        super(seed, tally, trace);
        this.machines = machines;
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
        new Simulation(seed, machines, tally, trace).runFrom(seed);
    }

    @Override
    void run() {
        begin();
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

    private void changing(SimulatedGrantor grantor, int everyMillis) {
        if (chaos()) {
            grantor.changeSomething();
            time.after(random.nextInt(1, 2 * everyMillis), () -> changing(grantor, everyMillis));
        }
    }

    // ---- faults -----------------------------------------------------------------------------------------------------

    @Override
    void breakLink() {
        SimulatedClient client = clients.get(random.nextInt(clients.size()));
        if (client.up && !client.paused()) {
            client.linkDown();
            client.inThisLife(random.nextInt(300), client::linkUp);
        }
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

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
