package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What simulations have in common: time, chance, a network, processes, and what disturbs them. Not thread-safe; all follows from the seed. */
abstract class World {
    static final int TICK_MILLIS = 20;
    static final long CHAOS_MILLIS = 6_000;

    final SplittableRandom random;
    final VirtualTime time = new VirtualTime();
    final Tally tally;
    final Network network;
    final List<SimulatedProcess> processes = new ArrayList<>();
    private final Optional<Consumer<String>> trace;
    Weather weather;

    /** Whether the clients' programs run. */
    boolean programs = true;

    World(long seed, Tally tally, Optional<Consumer<String>> trace) {
        this.random = new SplittableRandom(seed);
        this.tally = tally;
        this.trace = trace;
        this.network = new Network(this);
        this.weather = Weather.of(random);
    }

    /** @throws SimulationFailure when something happens that must not */
    final void runFrom(long seed) {
        try {
            run();
        } catch (SimulationFailure | RuntimeException e) {
            throw new SimulationFailure("seed " + seed + " after " + time.nowMillis() + " ms: " + e.getMessage(), e);
        } finally {
            tally.runs++;
            tally.simulatedMillis += time.nowMillis();
            tally.events += time.handled();
        }
    }

    abstract void run();

    /** One client's link goes down for a while. */
    abstract void breakLink();

    final void begin() {
        trace(() -> "weather " + weather);
        processes.forEach(SimulatedProcess::start);
        if (weather.faultEveryMillis() > 0) {
            time.after(random.nextInt(weather.faultEveryMillis()), this::disturb);
        }
    }

    final long untilHealed() {
        return Math.max(0, CHAOS_MILLIS - time.nowMillis());
    }

    final boolean chance(int perMille) {
        return perMille > 0 && random.nextInt(1_000) < perMille;
    }

    final void trace(Supplier<String> line) {
        if (trace.isPresent()) {
            trace.get().accept(time.nowMillis() + " ms: " + line.get());
        }
    }

    final boolean chaos() {
        return time.nowMillis() < CHAOS_MILLIS;
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

    final void heal() {
        weather = Weather.CALM;
        network.mendAll();
        processes.forEach(SimulatedProcess::wake);
        processes.forEach(this::startAgain);
        trace(() -> "healed");
    }
}
