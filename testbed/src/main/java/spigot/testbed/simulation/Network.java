package spigot.testbed.simulation;

import java.util.BitSet;

/** Carries messages in any order, or not at all. */
final class Network {
    private final World world;

    /** (from, to) that is cut, this way only. */
    private final BitSet cut = new BitSet();

    Network(World world) {
        this.world = world;
    }

    /** @param delivered runs at the receiver, in whatever life */
    void send(SimulatedProcess from, SimulatedProcess to, Runnable delivered) {
        Weather weather = world.weather;
        if (cut.get(wire(from, to)) || world.chance(weather.lostPerMille())) {
            world.tally.lostMessages++;
            return;
        }
        int copies = 1;
        if (world.chance(weather.doubledPerMille())) {
            world.tally.doubledMessages++;
            copies = 2;
        }
        for (int i = 0; i < copies; i++) {
            long delay = world.random.nextInt(1, 15);
            if (world.chance(weather.latePerMille())) {
                world.tally.lateMessages++;
                delay += world.random.nextInt(Weather.MAX_LATE_MILLIS);
            }
            world.time.after(delay, () -> to.whenAwake(delivered));
        }
    }

    void cut(SimulatedProcess from, SimulatedProcess to) {
        cut.set(wire(from, to));
    }

    void mend(SimulatedProcess from, SimulatedProcess to) {
        cut.clear(wire(from, to));
    }

    void mendAll() {
        cut.clear();
    }

    private int wire(SimulatedProcess from, SimulatedProcess to) {
        return from.index * 64 + to.index;
    }
}
