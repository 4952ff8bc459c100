package spigot.testbed.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.coherence.ClientId;
import spigot.coherence.GrantorConfig;
import spigot.coherence.token.TokenHome;
import spigot.coherence.token.TokenHomeAction;
import spigot.coherence.token.TokenHomeConfig;
import spigot.coherence.token.TokenHomeEvent;
import spigot.model.FileId;
import spigot.model.Version;

/** A server that is home for files: its log and the sessions it remembers survive its crashes, its tokens do not. */
final class SimulatedHome extends SimulatedProcess {
    static final TokenHomeConfig CONFIG = new TokenHomeConfig(
            new GrantorConfig(1_000, 50, 1_050, 50, 16, 8, 32, 8),
            15,
            16_384,
            3,
            5,
            300,
            400,
            24,
            10,
            24,
            40,
            8,
            3,
            2,
            1);

    /** By when whoever is first in the queue has its turn: its holders may be renewed for a lease, then their sessions end. */
    private static final long TURN_WITHIN_MILLIS = (long) ((1_000 + 1_050) / 0.98) + 400;

    /** What a write brings: the numbers of the values; or nothing, when the home is to number them (serialised). */
    record Data(Map<Block, Long> values, long id) {}

    private record InLog(long commit, FileId file, List<Block> blocks, Data data) {}

    private final TokenSimulation world;
    private final Map<FileId, Version> versions = new HashMap<>();
    private final Map<Long, ClientId> remembered = new LinkedHashMap<>();

    /** Serialised writes that were done. */
    private final Set<Long> done = new HashSet<>();

    private final Map<Long, Consumer<TokenHomeAction>> waiting = new HashMap<>();
    private final Map<Long, Data> data = new HashMap<>();
    private final Map<Long, Long> deadlines = new LinkedHashMap<>();
    private final ArrayDeque<InLog> log = new ArrayDeque<>();
    private @Nullable TokenHome home;
    private long numbers;

    SimulatedHome(TokenSimulation world, int index, String name) {
        super(world, index, name);
        this.world = world;
    }

    TokenHome machine() {
        TokenHome current = home;
        if (current == null) {
            throw new IllegalStateException(name + " is down");
        }
        return current;
    }

    @Override
    void started() {
        home = world.machines.home(
                CONFIG,
                life,
                new LinkedHashMap<>(remembered),
                file -> versions.getOrDefault(file, Version.NONE),
                clockMillis());
    }

    @Override
    void crashed() {
        waiting.clear();
        deadlines.clear();
        // Of what was on its way to the disk some is there.
        int durable = log.isEmpty() ? 0 : world.random.nextInt(log.size() + 1);
        for (int i = 0; i < durable; i++) {
            InLog first = log.removeFirst();
            written(first);
        }
        log.clear();
        data.clear();
        home = null;
    }

    @Override
    void pause(long millis) {
        super.pause(millis);
        deadlines.replaceAll((request, deadline) -> deadline + millis);
    }

    @Override
    void ticked() {
        tell(new TokenHomeEvent.Tick());
        deadlines.forEach((request, deadline) -> {
            if (world.time.nowMillis() > deadline) {
                throw new SimulationFailure(name + " did not answer request " + request + " in time");
            }
        });
        TokenHome current = machine();
        if (current.sessions() > 2 * world.clients.size()
                || current.waiting() > CONFIG.maxWaiting()
                || current.files() > Block.FILES) {
            throw new SimulationFailure(name + " stores more than its bounds");
        }
        for (int file = 0; file < Block.FILES; file++) {
            // One cut on each side of one request beyond the bound, and the pieces of a reclaim.
            if (current.segments(Block.id(file)) > Block.BLOCKS + 3) {
                throw new SimulationFailure(name + " holds a file in " + current.segments(Block.id(file)) + " pieces");
            }
        }
    }

    long number() {
        return ++numbers;
    }

    /** Asks the machine; its answer, if it comes in this life, goes to {@code answered}. */
    void ask(long number, TokenHomeEvent event, Consumer<TokenHomeAction> answered) {
        waiting.put(number, answered);
        int ahead = deadlines.size() + 1;
        deadlines.put(number, world.time.nowMillis() + TURN_WITHIN_MILLIS * (ahead + 1));
        tell(event);
    }

    void write(long number, TokenHomeEvent event, Data brought, Consumer<TokenHomeAction> answered) {
        data.put(number, brought);
        ask(number, event, answered);
    }

    void withdraw(long number) {
        deadlines.remove(number);
        if (waiting.remove(number) != null) {
            tell(new TokenHomeEvent.Withdraw(number));
        }
    }

    void tell(TokenHomeEvent event) {
        if (!(event instanceof TokenHomeEvent.Tick)) {
            world.trace(() -> name + " <- " + event);
        }
        List<TokenHomeAction> actions = new ArrayList<>();
        machine().on(event, clockMillis(), actions::add);
        actions.forEach(this::act);
    }

    private void act(TokenHomeAction action) {
        world.trace(() -> name + " -> " + action);
        switch (action) {
            case TokenHomeAction.Remember(ClientId client, long session) -> remembered.put(session, client);
            case TokenHomeAction.Forget(long session) -> remembered.remove(session);
            case TokenHomeAction.Welcome welcome -> answer(welcome.request(), action);
            case TokenHomeAction.Renewed renewed -> answer(renewed.request(), action);
            case TokenHomeAction.Refused refused -> {
                data.remove(refused.request());
                answer(refused.request(), action);
            }
            case TokenHomeAction.Granted granted -> {
                world.tally.grants++;
                answer(granted.request(), action);
            }
            case TokenHomeAction.Committed committed -> answer(committed.request(), action);
            case TokenHomeAction.Glimpse glimpse -> answer(glimpse.request(), action);
            case TokenHomeAction.Admit admit -> admit(admit);
            case TokenHomeAction.Serve serve -> {
                deadlines.remove(serve.request());
                serve(serve);
            }
            case TokenHomeAction.Revoke revoke -> {
                world.tally.revokes++;
                SimulatedTokenClient client = world.client(revoke.client());
                world.network.send(this, client, () -> client.revoked(revoke));
            }
            case TokenHomeAction.AskGlimpse glimpse -> {
                SimulatedTokenClient client = world.client(glimpse.client());
                world.network.send(this, client, () -> client.glimpsed(glimpse));
            }
            case TokenHomeAction.SessionEnded ended ->
                world.client(ended.client()).ended(ended.session());
        }
    }

    private void answer(long number, TokenHomeAction action) {
        deadlines.remove(number);
        Consumer<TokenHomeAction> answered = waiting.remove(number);
        if (answered != null) {
            answered.accept(action);
        }
    }

    // ---- the log ----------------------------------------------------------------------------------------------------

    private void admit(TokenHomeAction.Admit admit) {
        deadlines.remove(admit.request());
        Data brought = data.remove(admit.request());
        if (brought == null) {
            throw new SimulationFailure("a write is admitted that was not sent");
        }
        if (world.chance(20)) {
            world.tally.notDurable++;
            inThisLife(world.random.nextInt(10), () -> tell(new TokenHomeEvent.NotDurable(admit.commit())));
            return;
        }
        log.add(new InLog(admit.commit(), admit.file(), Block.of(admit.file(), admit.range()), brought));
        // Some are made durable together: when one is, all before it are.
        inThisLife(world.random.nextInt(1, 30), () -> durableUpTo(admit.commit()));
    }

    private void durableUpTo(long commit) {
        if (log.stream().noneMatch(entry -> entry.commit() == commit)) {
            return;
        }
        while (true) {
            InLog first = log.removeFirst();
            Version version = written(first);
            world.tally.commits++;
            List<TokenHomeAction> actions = new ArrayList<>();
            machine().on(new TokenHomeEvent.Durable(first.commit(), version), clockMillis(), actions::add);
            if (!machine().version(first.file()).equals(version)) {
                throw new SimulationFailure(name + " counts its commits otherwise than its log");
            }
            actions.forEach(this::act);
            if (first.commit() == commit) {
                return;
            }
        }
    }

    private Version written(InLog entry) {
        for (Block block : entry.blocks()) {
            Long value = entry.data().values().get(block);
            if (value == null) {
                world.truth.writeSerialised(block);
            } else {
                world.truth.commit(block, value);
            }
        }
        if (entry.data().values().isEmpty() && !done.add(entry.data().id())) {
            throw new SimulationFailure(name + " has done a write twice");
        }
        // The home starts again, but does not move: the versions go on.
        Version version =
                new Version(1, versions.getOrDefault(entry.file(), Version.NONE).index() + 1);
        versions.put(entry.file(), version);
        return version;
    }

    /** Reads for a while: nothing may change meanwhile. */
    private void serve(TokenHomeAction.Serve serve) {
        List<Block> blocks = Block.of(serve.file(), serve.range());
        Map<Block, Long> values = read(blocks);
        inThisLife(world.random.nextInt(15), () -> {
            if (!values.equals(read(blocks))) {
                throw new SimulationFailure("what " + name + " serves changes while it is read");
            }
            answer(serve.request(), serve);
            tell(new TokenHomeEvent.Served(serve.request()));
        });
    }

    Map<Block, Long> read(List<Block> blocks) {
        Map<Block, Long> values = new LinkedHashMap<>();
        blocks.forEach(block -> values.put(block, world.truth.committed(block)));
        return values;
    }
}
