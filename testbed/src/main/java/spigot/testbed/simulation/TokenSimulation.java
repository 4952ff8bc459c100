package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import spigot.coherence.token.Range;
import spigot.model.NodeId;

/**
 * One run of the token machines: bad weather, then calm, and in the end everything must work again. Not thread-safe; all that
 * happens follows from the seed.
 *
 * <p>Checked all the time, block by block: who writes, or stores to a mapped page, is alone in having a token; no read, by a token, from the kernel's
 * pages, at the home or by a glimpse, is older than what was committed, or written under a valid token, when it began; the
 * home never commits an older value over a newer one, nor a serialised write twice; what it serves does not change meanwhile; what was synced is
 * committed; every request gets its turn in bounded time; nobody stores more than its bound. Checked in the end: every client
 * can write, sync and read again, and nothing is left over.
 */
public final class TokenSimulation extends World {
    private static final int CLIENTS = 3;

    /** The grace and the longest delay of a message are over by then. */
    private static final long RECOVERY_MILLIS = 3_200;

    private static final int STEP_MILLIS = 700;

    final TokenMachines machines;
    final TokenTally tally;
    final Truth truth = new Truth(this);
    final SimulatedHome home;
    final List<SimulatedTokenClient> clients = new ArrayList<>();

    /** Blocks that are used: few are fought for. */
    private final int blocks;

    private TokenSimulation(long seed, TokenMachines machines, TokenTally tally, Optional<Consumer<String>> trace) {
        super(seed, tally, trace);
        this.machines = machines;
        this.tally = tally;
        this.blocks = random.nextInt(1, Block.BLOCKS + 1);
        this.home = new SimulatedHome(this, 0, "home");
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(new SimulatedTokenClient(this, 1 + i, "client" + i));
        }
        processes.add(home);
        processes.addAll(clients);
    }

    /** @throws SimulationFailure when something happens that must not */
    public static void run(long seed, TokenMachines machines, TokenTally tally) {
        run(seed, machines, tally, Optional.empty());
    }

    /** @param trace gets a line for what matters, to see what led to a failure */
    public static void run(long seed, TokenMachines machines, TokenTally tally, Optional<Consumer<String>> trace) {
        new TokenSimulation(seed, machines, tally, trace).runFrom(seed);
    }

    @Override
    void run() {
        begin();
        time.runUntil(CHAOS_MILLIS);
        heal();
        time.runUntil(CHAOS_MILLIS + RECOVERY_MILLIS);
        programs = false;
        recovered(new Block(random.nextInt(Block.FILES), someBlock()));
        recovered(new Block(random.nextInt(Block.FILES), Block.ATTRIBUTES));
        end();
    }

    @Override
    void breakLink() {
        SimulatedTokenClient client = clients.get(random.nextInt(clients.size()));
        if (client.up && !client.paused()) {
            client.linkDown();
            client.inThisLife(random.nextInt(300), client::linkUp);
        }
    }

    int someBlock() {
        return random.nextInt(12) == 0 ? Block.ATTRIBUTES : random.nextInt(blocks);
    }

    SimulatedTokenClient client(int index) {
        return clients.get(index - 1);
    }

    SimulatedTokenClient client(NodeId node) {
        return clients.stream()
                .filter(client -> client.node().equals(node))
                .findFirst()
                .orElseThrow();
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

    private void recovered(Block block) {
        for (SimulatedTokenClient client : clients) {
            inTime(client.programs.insistOnWriting(block), client.name + " cannot write although all is well");
            client.programs.sync(block.file());
        }
        for (SimulatedTokenClient client : clients) {
            inTime(client.programs.insistOnReading(block), client.name + " cannot read although all is well");
        }
    }

    private void inTime(BooleanSupplier done, String otherwise) {
        long deadline = time.nowMillis() + STEP_MILLIS;
        while (!done.getAsBoolean()) {
            if (time.nowMillis() > deadline) {
                throw new SimulationFailure(otherwise);
            }
            time.runUntil(time.nowMillis() + 10);
        }
    }

    private void end() {
        for (SimulatedTokenClient client : clients) {
            for (int file = 0; file < Block.FILES; file++) {
                client.programs.sync(file);
            }
        }
        time.runUntil(time.nowMillis() + STEP_MILLIS / 2);
        for (SimulatedTokenClient client : clients) {
            for (int file = 0; file < Block.FILES; file++) {
                if (client.machine().unclean(Block.id(file), Range.WHOLE)
                        || client.machine().unclean(Block.id(file), Range.ATTRIBUTES)) {
                    throw new SimulationFailure(client.name + " cannot commit what it has written");
                }
            }
            if (client.machine().drops() > 0) {
                throw new SimulationFailure(client.name + " still drops pages");
            }
        }
        if (home.machine().sessions() != CLIENTS) {
            throw new SimulationFailure(
                    "the home has " + home.machine().sessions() + " sessions of " + CLIENTS + " clients");
        }
        if (home.machine().waiting() > 0 || home.machine().revocations() > 0) {
            throw new SimulationFailure("the home has " + home.machine().waiting() + " requests that wait and "
                    + home.machine().revocations() + " Revokes that are not acknowledged");
        }
    }
}
