package spigot.testbed.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import spigot.coherence.ClientId;
import spigot.coherence.token.FileTokens;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.Token;
import spigot.coherence.token.TokenHolder;
import spigot.coherence.token.TokenHolderAction;
import spigot.coherence.token.TokenHolderConfig;
import spigot.coherence.token.TokenHolderEvent;
import spigot.coherence.token.TokenHomeAction;
import spigot.coherence.token.TokenHomeAction.Reason;
import spigot.coherence.token.TokenHomeEvent;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.testbed.simulation.Copies.Cached;
import spigot.testbed.simulation.Copies.InService;
import spigot.testbed.simulation.Copies.Orphan;
import spigot.testbed.simulation.Copies.Page;

/** A computing node that drives a holder of tokens: messages, the notifier, the journal. What its programs do is in {@link Programs}. */
final class SimulatedTokenClient extends SimulatedProcess {
    static final TokenHolderConfig CONFIG = new TokenHolderConfig(0, 14, 8, 3, 8_192, 2, 60);

    /** After a pause the kernel may have served too long; by then it does not any more. */
    private static final long AFTER_PAUSE_MILLIS = 150;

    /** With the ticks and the pages less than the tenth of a lease in which they are to go. */
    private static final int DROP_MILLIS = 35;

    private static final int PATIENCE_MILLIS = 400;
    private static final int AGAIN_MILLIS = 120;

    private final TokenSimulation world;
    final Copies copies = new Copies();
    final Programs programs;
    private final Map<Integer, FileTokens> views = new HashMap<>();

    /** Who waits for the answer to a request of the holder. */
    private final Map<Long, Consumer<Outcome>> waiting = new LinkedHashMap<>();

    private TokenHolder holder;
    private long kernelCountsFromMillis;
    private long requests;

    /** What became of a wish. */
    enum Outcome {
        DONE,
        NOT_DONE,
        SERIALISED
    }

    SimulatedTokenClient(TokenSimulation world, int index, String name) {
        super(world, index, name);
        this.world = world;
        this.programs = new Programs(world, this);
        this.holder = start0();
    }

    private TokenHolder start0() {
        return world.machines.holder(CONFIG, world.random::nextLong, clockMillis());
    }

    NodeId node() {
        return new NodeId(1, index);
    }

    TokenHolder machine() {
        return holder;
    }

    @Override
    void pause(long millis) {
        super.pause(millis);
        kernelCountsFromMillis = Math.max(kernelCountsFromMillis, world.time.nowMillis() + millis + AFTER_PAUSE_MILLIS);
    }

    /** Whether what the kernel serves is held against the protocol: not while the process that should drop it stands still. */
    boolean kernelCounts(Block block) {
        return world.time.nowMillis() >= kernelCountsFromMillis && copies.stuck.getOrDefault(block.file(), 0) == 0;
    }

    @Override
    void started() {
        holder = start0();
        for (int file = 0; file < Block.FILES; file++) {
            tell(new TokenHolderEvent.Opened(Block.id(file)));
            views.put(file, holder.tokens(Block.id(file)));
        }
        tell(new TokenHolderEvent.LinkUp());
        programs.run();
    }

    @Override
    void crashed() {
        // What is dirty is in the journal, which the next process finds.
        for (Map.Entry<Block, Cached> entry : List.copyOf(copies.cache.entrySet())) {
            if (holder.unclean(entry.getKey().id(), entry.getKey().range())) {
                orphaned(entry.getKey(), entry.getValue().right());
            }
        }
        copies.pages.forEach((block, page) -> world.truth.orphaned(block, page.number));
        copies.crashed();
        waiting.clear();
        views.clear();
    }

    @Override
    void ticked() {
        tell(new TokenHolderEvent.Tick());
        if (holder.tokens() > 3 * Block.FILES * (Block.BLOCKS + 1)) {
            throw new SimulationFailure(name + " has " + holder.tokens() + " tokens");
        }
    }

    void linkDown() {
        tell(new TokenHolderEvent.LinkDown());
    }

    void linkUp() {
        tell(new TokenHolderEvent.LinkUp());
    }

    @Nullable
    Token token(Block block) {
        FileTokens view = views.get(block.file());
        return view == null ? null : view.at(block.offset());
    }

    /** Whether its programs may use a token of the block in this moment, also if the process stands still. */
    boolean holds(Block block) {
        Token token = up ? token(block) : null;
        return token != null && token.valid(clockMillis());
    }

    boolean holds(Block block, Mode mode) {
        Token token = up ? token(block) : null;
        return token != null && token.mode().atLeast(mode) && token.valid(clockMillis());
    }

    void tell(TokenHolderEvent event) {
        if (!(event instanceof TokenHolderEvent.Tick)) {
            world.trace(() -> name + " <- " + event);
        }
        List<TokenHolderAction> actions = new ArrayList<>();
        holder.on(event, clockMillis(), actions::add);
        actions.forEach(this::act);
    }

    private void act(TokenHolderAction action) {
        world.trace(() -> name + " -> " + action);
        switch (action) {
            case TokenHolderAction.SendHello hello -> hello(hello);
            case TokenHolderAction.SendRenew(long session) -> renew(session);
            case TokenHolderAction.SendAcquire acquire -> acquire(acquire);
            case TokenHolderAction.Answered(long request, boolean applied) ->
                answered(request, applied ? Outcome.DONE : Outcome.NOT_DONE);
            case TokenHolderAction.Drop drop -> drop(drop);
            case TokenHolderAction.Flush flush -> flush(flush);
            case TokenHolderAction.SendSerialisedWrite write -> write(write);
            case TokenHolderAction.SendRevokeAck(long session, long sequence) ->
                send(() -> world.home.tell(new TokenHomeEvent.RevokeAck(node(), session, sequence)));
            case TokenHolderAction.SendRelease(long session, FileId file, Range range, long sequence) ->
                send(() -> world.home.tell(new TokenHomeEvent.Release(node(), session, file, range, sequence)));
            case TokenHolderAction.SessionReady ready -> {
                world.tally.reclaims += ready.reclaimed() ? 1 : 0;
            }
            case TokenHolderAction.SessionLost lost -> {
                world.tally.sessionsLost++;
                programs.abort();
            }
            case TokenHolderAction.Orphaned(FileId file, Range range, Version right) ->
                Block.of(file, range).forEach(block -> orphaned(block, right));
        }
    }

    private void orphaned(Block block, Version right) {
        Cached cached = copies.cache.remove(block);
        if (cached != null) {
            world.tally.orphans++;
            copies.orphanings++;
            world.truth.orphaned(block, cached.number());
            copies.orphans.put(block, new Orphan(cached.number(), right));
        }
    }

    // ---- the session ------------------------------------------------------------------------------------------------

    private void hello(TokenHolderAction.SendHello hello) {
        long sent = clockMillis();
        ClientId id = new ClientId(node(), hello.instance());
        ask(
                number -> new TokenHomeEvent.Hello(number, id, hello.nonce(), hello.former(), hello.reclaims()),
                null,
                answer -> {
                    if (answer instanceof TokenHomeAction.Welcome welcome) {
                        tell(new TokenHolderEvent.Welcomed(
                                hello.nonce(),
                                welcome.session(),
                                welcome.epoch(),
                                welcome.leaseMillis(),
                                welcome.reclaimSequence(),
                                sent));
                    }
                });
    }

    private void renew(long session) {
        long sent = clockMillis();
        ask(number -> new TokenHomeEvent.Renew(number, node(), session), session, answer -> {
            if (answer instanceof TokenHomeAction.Renewed renewed) {
                tell(new TokenHolderEvent.Renewed(session, renewed.epoch(), renewed.leaseMillis(), sent));
            }
        });
    }

    void revoked(TokenHomeAction.Revoke revoke) {
        tell(new TokenHolderEvent.Revoked(
                revoke.session(), revoke.epoch(), revoke.file(), revoke.range(), revoke.downTo(), revoke.sequence()));
    }

    /** The home has ended the session, and does not wait for it any more: nothing may be left of it here. */
    void ended(long session) {
        if (!up) {
            return;
        }
        OptionalLong current = holder.session(clockMillis());
        if (current.isPresent() && current.getAsLong() == session && holder.tokens() > 0) {
            throw new SimulationFailure("the home ended the session under which " + name + " has tokens");
        }
        copies.pages.forEach((block, page) -> {
            if (page.session == session && kernelCounts(block)) {
                throw new SimulationFailure(
                        "the home ended a session of whose tokens the kernel of " + name + " still serves " + block);
            }
        });
    }

    // ---- tokens -----------------------------------------------------------------------------------------------------

    long want(Block block, Mode mode, Range required, Consumer<Outcome> then) {
        long request = ++requests;
        waiting.put(request, then);
        Range all = required.attributes() ? required : Range.WHOLE;
        Range desired = world.random.nextInt(3) == 0 ? required : all;
        tell(new TokenHolderEvent.Want(request, block.id(), mode, required, desired));
        inThisLife(PATIENCE_MILLIS, () -> {
            if (waiting.containsKey(request)) {
                tell(new TokenHolderEvent.NotGranted(request, block.id()));
            }
        });
        return request;
    }

    void writeSerialised(Block block, Consumer<Outcome> then) {
        long request = ++requests;
        waiting.put(request, then);
        tell(new TokenHolderEvent.WriteSerialised(request, block.id(), block.range()));
    }

    private void answered(long request, Outcome outcome) {
        Consumer<Outcome> then = waiting.remove(request);
        if (then != null) {
            then.accept(outcome);
        }
    }

    private void acquire(TokenHolderAction.SendAcquire acquire) {
        Map<Block, Cached> known = new LinkedHashMap<>();
        for (Block block : Block.of(acquire.file(), acquire.desired())) {
            Cached cached = copies.cache.get(block);
            if (cached != null) {
                known.put(block, cached);
            }
        }
        int sentIn = life;
        send(() -> {
            long number = world.home.number();
            world.home.ask(
                    number,
                    new TokenHomeEvent.Acquire(
                            number,
                            node(),
                            acquire.session(),
                            acquire.file(),
                            acquire.mode(),
                            acquire.required(),
                            acquire.desired()),
                    answer -> {
                        // What the home says is said at the moment of the grant.
                        Map<Block, Cached> right = new LinkedHashMap<>(known);
                        right.entrySet()
                                .removeIf(entry -> !world.home
                                        .machine()
                                        .changesSince(
                                                acquire.file(), entry.getValue().right())
                                        .spare(entry.getKey().range()));
                        long epoch = world.home.life;
                        reply(sentIn, () -> acquired(acquire, answer, right, epoch));
                    });
            world.home.inThisLife(PATIENCE_MILLIS, () -> world.home.withdraw(number));
        });
    }

    private void acquired(
            TokenHolderAction.SendAcquire acquire, TokenHomeAction answer, Map<Block, Cached> right, long epoch) {
        if (answer instanceof TokenHomeAction.Granted granted) {
            right.forEach((block, cached) -> {
                if (copies.cache.get(block) == cached && granted.version().compareTo(cached.right()) > 0) {
                    world.tally.spared++;
                    copies.cache.put(block, new Cached(cached.number(), granted.version()));
                }
            });
            tell(new TokenHolderEvent.Granted(
                    acquire.request(),
                    granted.session(),
                    granted.epoch(),
                    granted.file(),
                    granted.mode(),
                    granted.range(),
                    granted.sequence(),
                    granted.version()));
        } else if (answer instanceof TokenHomeAction.Refused refused) {
            if (refused.reason() == Reason.UNKNOWN_SESSION) {
                tell(new TokenHolderEvent.SessionUnknown(acquire.session(), epoch));
            } else if (refused.reason() == Reason.SERIALISED) {
                Consumer<Outcome> then = waiting.remove(acquire.request());
                tell(new TokenHolderEvent.NotGranted(acquire.request(), acquire.file()));
                if (then != null) {
                    then.accept(Outcome.SERIALISED);
                }
                return;
            }
            tell(new TokenHolderEvent.NotGranted(acquire.request(), acquire.file()));
        }
    }

    void left(Token token, Block block) {
        if (token.exit()) {
            tell(new TokenHolderEvent.Idle(block.id()));
        }
    }

    // ---- what is written --------------------------------------------------------------------------------------------

    private void flush(TokenHolderAction.Flush flush) {
        Map<Block, Long> values = new LinkedHashMap<>();
        for (Block block : Block.of(flush.file(), flush.range())) {
            Cached cached = copies.cache.get(block);
            if (cached == null) {
                throw new SimulationFailure(name + " flushes " + block + ", which is not in its journal");
            }
            values.put(block, cached.number());
        }
        commit(
                number -> new TokenHomeEvent.Write(
                        number,
                        node(),
                        flush.session(),
                        flush.epoch(),
                        flush.file(),
                        flush.range(),
                        flush.operation(),
                        flush.tokenSequence(),
                        flush.unacknowledged()),
                new SimulatedHome.Data(values, 0),
                flush.session(),
                version -> {
                    values.forEach((block, number) -> {
                        Cached cached = copies.cache.get(block);
                        if (cached != null && cached.number() == number && version.compareTo(cached.right()) > 0) {
                            copies.cache.put(block, new Cached(number, version));
                        }
                    });
                    tell(new TokenHolderEvent.Flushed(flush.session(), flush.operation(), version));
                },
                new TokenHolderEvent.NotFlushed(flush.session(), flush.operation()));
    }

    private void write(TokenHolderAction.SendSerialisedWrite write) {
        commit(
                number -> new TokenHomeEvent.SerialisedWrite(
                        number,
                        node(),
                        write.session(),
                        write.epoch(),
                        write.file(),
                        write.range(),
                        write.operation(),
                        write.unacknowledged()),
                new SimulatedHome.Data(Map.of(), (long) life << 32 | (long) index << 24 | write.request()),
                write.session(),
                version -> tell(new TokenHolderEvent.WroteSerialised(write.session(), write.operation())),
                new TokenHolderEvent.NotWroteSerialised(write.session(), write.operation(), true));
    }

    private void commit(
            Numbered event,
            SimulatedHome.Data data,
            long session,
            Consumer<Version> committed,
            TokenHolderEvent notCommitted) {
        int sentIn = life;
        boolean[] over = {false};
        send(() -> {
            long number = world.home.number();
            world.home.write(number, event.event(number), data, answer -> {
                long epoch = world.home.life;
                reply(sentIn, () -> {
                    over[0] = true;
                    if (answer instanceof TokenHomeAction.Committed done) {
                        committed.accept(done.version());
                    } else if (answer instanceof TokenHomeAction.Refused refused) {
                        if (refused.reason() == Reason.UNKNOWN_SESSION) {
                            tell(new TokenHolderEvent.SessionUnknown(session, epoch));
                        } else if (refused.reason() == Reason.NO_TOKEN || refused.reason() == Reason.OTHER_EPOCH) {
                            throw new SimulationFailure(name + " sends a write that is refused: " + refused.reason());
                        }
                        tell(notCommitted);
                    }
                });
            });
        });
        inThisLife(AGAIN_MILLIS, () -> {
            if (!over[0]) {
                tell(notCommitted);
            }
        });
    }

    // ---- the kernel's pages -----------------------------------------------------------------------------------------

    private void drop(TokenHolderAction.Drop drop) {
        int file = (int) drop.file().low();
        boolean stuck = world.chance(world.weather.stuckPerMille());
        long gone =
                stuck ? world.random.nextLong(1, Math.max(2, world.untilHealed())) : world.random.nextInt(DROP_MILLIS);
        if (stuck) {
            copies.stuck.merge(file, 1, Integer::sum);
        }
        inThisLife(gone, () -> dropNext(drop, new ArrayList<>(Block.of(drop.file(), drop.range())), stuck));
    }

    /** One page after the other; a page with a request in flight has to wait for that. */
    private void dropNext(TokenHolderAction.Drop drop, List<Block> blocks, boolean stuck) {
        blocks.removeIf(block -> !copies.pages.containsKey(block) && !copies.inService.containsKey(block));
        for (Block block : List.copyOf(blocks)) {
            if (!copies.inService.containsKey(block)) {
                launder(block);
                if (copies.pages.remove(block) != null) {
                    world.trace(() -> name + " drops the page of " + block);
                }
                blocks.remove(block);
                if (world.random.nextInt(3) == 0) {
                    break;
                }
            }
        }
        if (blocks.isEmpty()) {
            if (stuck) {
                copies.stuck.merge((int) drop.file().low(), -1, Integer::sum);
            }
            inThisLife(world.random.nextInt(6), () -> tell(new TokenHolderEvent.Dropped(drop.file(), drop.number())));
        } else {
            inThisLife(1, () -> dropNext(drop, blocks, stuck));
        }
    }

    /** What a program has stored to the page is written, under the token that is still there. */
    void launder(Block block) {
        Page page = copies.pages.get(block);
        if (page == null || !page.dirty) {
            return;
        }
        world.tally.launders++;
        page.dirty = false;
        Token token = token(block);
        boolean entered = token != null && token.enter(Mode.EXCLUSIVE, clockMillis());
        copies.cache.put(block, new Cached(page.number, token == null ? Version.NONE : token.since()));
        tell(new TokenHolderEvent.Dirtied(block.id(), block.range()));
        if (entered && token != null) {
            left(token, block);
        }
    }

    // ---- messages ---------------------------------------------------------------------------------------------------

    interface Numbered {
        TokenHomeEvent event(long number);
    }

    /** Asks the home. @param session of which the home may know nothing; null when that does not matter */
    void ask(Numbered event, @Nullable Long session, Consumer<TokenHomeAction> answered) {
        int sentIn = life;
        send(() -> {
            long number = world.home.number();
            world.home.ask(number, event.event(number), answer -> {
                long epoch = world.home.life;
                reply(sentIn, () -> {
                    if (session != null
                            && answer instanceof TokenHomeAction.Refused refused
                            && refused.reason() == Reason.UNKNOWN_SESSION) {
                        tell(new TokenHolderEvent.SessionUnknown(session, epoch));
                    } else {
                        answered.accept(answer);
                    }
                });
            });
            world.home.inThisLife(PATIENCE_MILLIS, () -> world.home.withdraw(number));
        });
    }

    /** Asked by the home for what it knows of the attributes. */
    void glimpsed(TokenHomeAction.AskGlimpse asked) {
        Block block = new Block((int) asked.file().low(), Block.ATTRIBUTES);
        Token token = token(block);
        TokenHomeEvent.@Nullable Glimpsed glimpsed = null;
        if (token != null && token.enter(Mode.EXCLUSIVE, clockMillis())) {
            Page page = copies.pages.get(block);
            Cached cached = copies.usable(block, token);
            if (page != null || cached != null) {
                long number = page != null ? page.number : cached == null ? 0 : cached.number();
                glimpsed = new TokenHomeEvent.Glimpsed(number, 0, 0);
            }
            left(token, block);
        }
        TokenHomeEvent reply = new TokenHomeEvent.GlimpseReply(node(), asked.session(), asked.request(), glimpsed);
        send(() -> world.home.tell(reply));
    }

    void send(Runnable delivered) {
        world.network.send(this, world.home, delivered);
    }

    /** An answer goes to the process that asked, and to no later one. */
    void reply(int sentIn, Runnable delivered) {
        world.network.send(world.home, this, () -> {
            if (life == sentIn) {
                delivered.run();
            }
        });
    }

    void end(InService request) {
        request.over = true;
        copies.inService.remove(request.block, request);
        left(request.token, request.block);
    }
}
