package spigot.testbed.simulation;

import java.util.HashMap;
import java.util.Map;

/**
 * What all-knowing eyes see: each value that is written to a block has a number, higher than all before it. What the home has
 * committed is the truth from then on; what a client has written under a token that is valid, too.
 */
final class Truth {
    /** @param number of the value @param committed whether it is the home's */
    record Floor(long committed, long written, int writer) {}

    private record Written(long number, int writer) {}

    private final TokenSimulation world;
    private final Map<Block, Long> numbers = new HashMap<>();
    private final Map<Block, Long> committed = new HashMap<>();
    private final Map<Block, Written> written = new HashMap<>();

    /** The last value that was orphaned: it, and what is older and not committed, nobody need see. */
    private final Map<Block, Long> orphanedUpTo = new HashMap<>();

    Truth(TokenSimulation world) {
        this.world = world;
    }

    /**
     * A client writes to a block.
     *
     * @param alone whether it is under a valid token: a process that stood still may come too late, and its write is lost
     * @return the number of the value
     */
    long write(Block block, SimulatedTokenClient writer, boolean alone) {
        for (SimulatedTokenClient other : world.clients) {
            if (alone && other != writer && other.holds(block)) {
                throw new SimulationFailure(writer.name + " writes " + block + " while " + other.name + " has a token");
            }
        }
        long number = numbers.merge(block, 1L, Long::sum);
        written.put(block, new Written(number, writer.index));
        return number;
    }

    /** The home writes for a client without a token. */
    long writeSerialised(Block block) {
        for (SimulatedTokenClient other : world.clients) {
            if (other.holds(block)) {
                throw new SimulationFailure("the home writes " + block + " while " + other.name + " has a token");
            }
        }
        long number = numbers.merge(block, 1L, Long::sum);
        commit(block, number);
        return number;
    }

    void commit(Block block, long number) {
        if (number < committed(block)) {
            throw new SimulationFailure("the home commits value " + number + " of " + block + " over value "
                    + committed(block) + ", which is lost");
        }
        committed.put(block, number);
    }

    long committed(Block block) {
        return committed.getOrDefault(block, 0L);
    }

    /** A value is lost, for now, and with it those of its writer before it that were not committed. */
    void orphaned(Block block, long number) {
        // Some of these were committed: that is asked first.
        orphanedUpTo.merge(block, number, Math::max);
    }

    boolean isOrphaned(Block block, long number) {
        return number <= orphanedUpTo.getOrDefault(block, 0L);
    }

    /** What a read that begins now must see. */
    Floor floor(Block block) {
        Written last = written.get(block);
        return last == null
                ? new Floor(committed(block), 0, -1)
                : new Floor(committed(block), last.number(), last.writer());
    }

    void read(Block block, long number, Floor floor, SimulatedTokenClient reader, String how) {
        if (number < floor.committed()) {
            throw new SimulationFailure(reader.name + " read value " + number + " of " + block + ' ' + how
                    + " after value " + floor.committed() + " was committed");
        }
        boolean counts = number < floor.written()
                && !isOrphaned(block, floor.written())
                && world.client(floor.writer()).holds(block);
        if (counts) {
            throw new SimulationFailure(reader.name + " read value " + number + " of " + block + ' ' + how
                    + " after value " + floor.written() + " was written by " + world.client(floor.writer()).name);
        }
    }
}
