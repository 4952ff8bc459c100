package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.List;
import spigot.coherence.ClientId;
import spigot.coherence.HolderEvent;
import spigot.model.NodeId;

/** A computing node: programs that read, and a holder for each grantor. */
final class SimulatedClient extends SimulatedProcess {
    private final Simulation world;
    /** After a pause the kernel may have served too long; by then it does not any more. */
    private static final long AFTER_PAUSE_MILLIS = 150;

    private final List<SimulatedHolder> sides = new ArrayList<>();
    private long kernelCountsFromMillis;

    SimulatedClient(Simulation world, int index, String name) {
        super(world, index, name);
        this.world = world;
        for (SimulatedGrantor grantor : world.grantors) {
            sides.add(new SimulatedHolder(world, this, grantor));
        }
    }

    NodeId node() {
        return new NodeId(1, index);
    }

    ClientId id(long instance) {
        return new ClientId(node(), instance);
    }

    SimulatedHolder side(SimulatedGrantor grantor) {
        return sides.get(world.grantors.indexOf(grantor));
    }

    List<SimulatedHolder> sides() {
        return sides;
    }

    /** Whether what the kernel serves is held against the protocol: not while the process that should drop it stands still. */
    boolean kernelCounts() {
        return world.time.nowMillis() >= kernelCountsFromMillis;
    }

    @Override
    void pause(long millis) {
        super.pause(millis);
        kernelCountsFromMillis = Math.max(kernelCountsFromMillis, world.time.nowMillis() + millis + AFTER_PAUSE_MILLIS);
    }

    @Override
    void started() {
        sides.forEach(SimulatedHolder::restart);
        reading();
    }

    @Override
    void crashed() {
        // What it cached is gone with it, the mount too.
    }

    @Override
    void ticked() {
        sides.forEach(side -> side.tell(new HolderEvent.Tick()));
    }

    void linkDown() {
        sides.forEach(side -> side.tell(new HolderEvent.LinkDown()));
    }

    void linkUp() {
        sides.forEach(side -> side.tell(new HolderEvent.LinkUp()));
    }

    private void reading() {
        if (world.programs) {
            sides.get(world.random.nextInt(sides.size())).readSomething();
            if (world.acting() && world.random.nextInt(60) == 0) {
                sides.get(world.random.nextInt(sides.size())).changeSomething();
            }
        }
        inThisLife(world.random.nextInt(1, 20), this::reading);
    }
}
