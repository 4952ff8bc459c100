package spigot.testbed.simulation;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.Token;
import spigot.coherence.token.TokenHolderEvent;
import spigot.coherence.token.TokenHomeAction;
import spigot.coherence.token.TokenHomeEvent;
import spigot.model.Version;
import spigot.testbed.simulation.Copies.Cached;
import spigot.testbed.simulation.Copies.InService;
import spigot.testbed.simulation.Copies.Orphan;
import spigot.testbed.simulation.Copies.Page;
import spigot.testbed.simulation.SimulatedTokenClient.Outcome;

/** The programs of one client: they read, write, store to mapped pages and sync. */
final class Programs {
    private static final int FETCH_MILLIS = 100;

    private final TokenSimulation world;
    private final SimulatedTokenClient client;
    private final Copies copies;

    /** Blocks that this client has written, read for the last time, since it was asked to. */
    private long written;

    private long read;

    Programs(TokenSimulation world, SimulatedTokenClient client) {
        this.world = world;
        this.client = client;
        this.copies = client.copies;
    }

    void run() {
        if (world.programs) {
            something(new Block(world.random.nextInt(Block.FILES), world.someBlock()));
        }
        client.inThisLife(world.random.nextInt(1, 40), this::run);
    }

    private void something(Block block) {
        switch (world.random.nextInt(20)) {
            case 0, 1, 2, 3, 4, 5, 6 -> read(block, world.truth.floor(block), 1);
            case 7, 8, 9, 10, 11 -> write(block, 1);
            case 12, 13, 14, 15 -> store(block);
            case 16 -> sync(block.file());
            case 17 -> client.tell(new TokenHolderEvent.GiveUp(block.id(), block.range()));
            case 18 -> glimpse(new Block(block.file(), Block.ATTRIBUTES));
            default -> recoverSomething();
        }
    }

    /** What it waits for in a lost session is not waited for any more: the kernel would not let pages go. */
    void abort() {
        List.copyOf(copies.inService.values()).forEach(client::end);
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    void read(Block block, Truth.Floor floor, int tries) {
        Page page = copies.pages.get(block);
        if (page != null) {
            if (client.kernelCounts(block)) {
                world.tally.kernelReads++;
                world.truth.read(block, page.number, floor, client, "in the kernel's cache");
                read++;
            }
            return;
        }
        if (copies.inService.containsKey(block)) {
            return;
        }
        Token token = client.token(block);
        if (token != null && token.enter(Mode.SHARED, client.clockMillis())) {
            fill(begin(block, token), floor);
        } else if (tries > 0) {
            client.want(block, Mode.SHARED, block.range(), outcome -> {
                if (outcome == Outcome.DONE) {
                    read(block, floor, tries - 1);
                } else if (outcome == Outcome.SERIALISED) {
                    readSerialised(block, floor);
                }
            });
        }
    }

    private InService begin(Block block, Token token) {
        InService request = new InService(block, token);
        copies.inService.put(block, request);
        return request;
    }

    private void fill(InService request, Truth.Floor floor) {
        Block block = request.block;
        if (copies.usable(block, request.token) != null) {
            world.tally.leasedReads++;
            client.inThisLife(world.random.nextInt(10), () -> filled(request, floor));
            return;
        }
        world.tally.askedReads++;
        int life = client.life;
        client.send(() -> {
            Version version = world.home.machine().version(block.id());
            long number = world.truth.committed(block);
            client.reply(life, () -> {
                if (!request.over) {
                    copies.cache.put(block, new Cached(number, version));
                    filled(request, floor);
                }
            });
        });
        giveUpAfter(FETCH_MILLIS, request);
    }

    private void giveUpAfter(long millis, InService request) {
        client.inThisLife(millis, () -> {
            if (!request.over) {
                client.end(request);
            }
        });
    }

    private void filled(InService request, Truth.Floor floor) {
        Cached cached = copies.cache.get(request.block);
        if (request.over || cached == null) {
            return;
        }
        world.truth.read(request.block, cached.number(), floor, client, "under a token");
        read++;
        OptionalLong session = client.machine().session(client.clockMillis());
        copies.pages.put(
                request.block, new Page(cached.number(), request.token.mode() == Mode.EXCLUSIVE, session.orElse(0)));
        world.trace(() -> client.name + " fills a page of " + request.block + " with value " + cached.number());
        client.end(request);
    }

    private void readSerialised(Block block, Truth.Floor floor) {
        OptionalLong session = client.machine().session(client.clockMillis());
        if (session.isEmpty()) {
            return;
        }
        long number = session.getAsLong();
        int life = client.life;
        client.send(() -> {
            long request = world.home.number();
            world.home.ask(
                    request,
                    new TokenHomeEvent.SerialisedRead(request, client.node(), number, block.id(), block.range()),
                    answer -> {
                        if (answer instanceof TokenHomeAction.Serve) {
                            long value = world.truth.committed(block);
                            client.reply(life, () -> {
                                world.tally.serialisedReads++;
                                read++;
                                world.truth.read(block, value, floor, client, "at the home");
                            });
                        }
                    });
        });
    }

    private void glimpse(Block block) {
        Truth.Floor floor = world.truth.floor(block);
        OptionalLong session = client.machine().session(client.clockMillis());
        if (session.isEmpty() || client.holds(block)) {
            return;
        }
        long number = session.getAsLong();
        int life = client.life;
        client.send(() -> {
            long request = world.home.number();
            world.home.ask(request, new TokenHomeEvent.Glimpse(request, client.node(), number, block.id()), answer -> {
                if (answer instanceof TokenHomeAction.Glimpse glimpse) {
                    TokenHomeEvent.@Nullable Glimpsed glimpsed = glimpse.glimpsed();
                    long value = glimpsed == null ? world.truth.committed(block) : glimpsed.size();
                    client.reply(life, () -> world.truth.read(block, value, floor, client, "by a glimpse"));
                }
            });
            world.home.inThisLife(FETCH_MILLIS, () -> world.home.withdraw(request));
        });
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    void write(Block block, int tries) {
        if (copies.inService.containsKey(block)) {
            return;
        }
        Token token = client.token(block);
        if (token != null && token.enter(Mode.EXCLUSIVE, client.clockMillis())) {
            InService request = begin(block, token);
            client.inThisLife(world.random.nextInt(8), () -> wrote(request));
        } else if (tries > 0) {
            client.want(block, Mode.EXCLUSIVE, block.range(), outcome -> {
                if (outcome == Outcome.DONE) {
                    write(block, tries - 1);
                } else if (outcome == Outcome.SERIALISED) {
                    client.writeSerialised(block, done -> {
                        world.tally.serialisedWrites += done == Outcome.DONE ? 1 : 0;
                        written += done == Outcome.DONE ? 1 : 0;
                    });
                }
            });
        }
    }

    private void wrote(InService request) {
        if (request.over) {
            return;
        }
        Block block = request.block;
        world.tally.writes++;
        long number = world.truth.write(block, client, client.holds(block));
        Page page = copies.pages.get(block);
        if (page != null) {
            page.number = number;
            page.dirty = false;
        }
        world.trace(() -> client.name + " writes " + block + " value " + number);
        dirtied(block, number, request.token);
        written++;
        if (!request.over) {
            client.end(request);
        }
    }

    private void dirtied(Block block, long number, Token token) {
        copies.cache.put(block, new Cached(number, token.since()));
        client.tell(new TokenHolderEvent.Dirtied(block.id(), block.range()));
    }

    /** To a mapped page: nobody hears of it. */
    private void store(Block block) {
        Page page = copies.pages.get(block);
        if (page != null && page.exclusive && client.kernelCounts(block) && !copies.inService.containsKey(block)) {
            world.tally.stores++;
            page.number = world.truth.write(block, client, true);
            page.dirty = true;
        }
    }

    void sync(int file) {
        long orphanings = copies.orphanings;
        Map<Block, Long> before = new LinkedHashMap<>();
        for (Block block : Block.of(Block.id(file), Range.WHOLE)) {
            if (!copies.inService.containsKey(block)) {
                client.launder(block);
            }
            Cached cached = copies.cache.get(block);
            if (cached != null && client.machine().unclean(block.id(), block.range())) {
                before.put(block, cached.number());
            }
        }
        client.tell(new TokenHolderEvent.FlushWanted(Block.id(file), Range.WHOLE));
        client.tell(new TokenHolderEvent.FlushWanted(Block.id(file), Range.ATTRIBUTES));
        synced(file, before, orphanings, 40);
    }

    private void synced(int file, Map<Block, Long> before, long orphanings, int tries) {
        if (copies.orphanings != orphanings) {
            // It fails: some of it may be lost, and is reported.
            return;
        }
        if (client.machine().unclean(Block.id(file), Range.WHOLE)) {
            if (tries > 0) {
                client.inThisLife(20, () -> synced(file, before, orphanings, tries - 1));
            }
            return;
        }
        world.tally.fsyncs++;
        before.forEach((block, number) -> {
            if (world.truth.committed(block) < number) {
                throw new SimulationFailure(
                        client.name + " has synced " + block + " but value " + number + " is not committed");
            }
        });
    }

    // ---- after a lost session ---------------------------------------------------------------------------------------

    private void recoverSomething() {
        for (Block block : copies.orphans.keySet()) {
            if (!copies.inService.containsKey(block)) {
                recover(block, 1);
                return;
            }
        }
    }

    private void recover(Block block, int tries) {
        Orphan orphan = copies.orphans.get(block);
        Token token = client.token(block);
        if (orphan == null || copies.inService.containsKey(block)) {
            return;
        }
        if (token == null || !token.enter(Mode.EXCLUSIVE, client.clockMillis())) {
            if (tries > 0) {
                client.want(block, Mode.EXCLUSIVE, block.range(), outcome -> {
                    if (outcome == Outcome.DONE) {
                        recover(block, tries - 1);
                    }
                });
            }
            return;
        }
        InService request = begin(block, token);
        int life = client.life;
        client.send(() -> {
            Changes changes = world.home.machine().changesSince(block.id(), orphan.right());
            client.reply(life, () -> {
                if (!request.over && copies.orphans.remove(block, orphan)) {
                    if (changes.spare(block.range())) {
                        restore(block, orphan, token);
                    }
                    if (!request.over) {
                        client.end(request);
                    }
                }
            });
        });
        giveUpAfter(FETCH_MILLIS, request);
    }

    private void restore(Block block, Orphan orphan, Token token) {
        Page page = copies.pages.get(block);
        Cached cached = copies.cache.get(block);
        boolean newer = (page != null && page.number > orphan.number())
                || (cached != null && cached.number() > orphan.number());
        if (!newer) {
            world.tally.orphansSaved++;
            if (page != null) {
                page.number = orphan.number();
            }
            dirtied(block, orphan.number(), token);
        }
    }

    // ---- to see whether all goes on ---------------------------------------------------------------------------------

    /** Tries until it is done. @return whether it is by now */
    BooleanSupplier insistOnWriting(Block block) {
        long before = written;
        BooleanSupplier done = () -> written > before;
        insist(done, () -> write(block, 1));
        return done;
    }

    BooleanSupplier insistOnReading(Block block) {
        long before = read;
        BooleanSupplier done = () -> read > before;
        insist(done, () -> read(block, world.truth.floor(block), 1));
        return done;
    }

    private void insist(BooleanSupplier done, Runnable attempt) {
        if (!done.getAsBoolean()) {
            attempt.run();
            client.inThisLife(30, () -> insist(done, attempt));
        }
    }
}
