package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHolder;
import spigot.coherence.token.TokenHolderAction;
import spigot.coherence.token.TokenHolderConfig;
import spigot.coherence.token.TokenHolderEvent;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.transport.BlockChecksums;
import spigot.transport.CallTimeoutException;
import spigot.transport.CorruptPayloadException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.Messages;
import spigot.transport.Responder;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.ChangesRequest;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Glimpse;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.SerialisedRead;
import spigot.transport.wire.SerialisedWrite;
import spigot.transport.wire.TokenAcquire;
import spigot.transport.wire.TokenChange;
import spigot.transport.wire.TokenData;
import spigot.transport.wire.TokenGranted;
import spigot.transport.wire.TokenRead;
import spigot.transport.wire.TokenRevoke;
import spigot.transport.wire.TokenWelcome;
import spigot.transport.wire.TokenWrite;

/**
 * A client's side of tokens: drives a {@link TokenHolder}, one session with one home over one link after the other, and the
 * {@link TokenCaches} under its tokens. Safe for any thread; one virtual thread makes its time pass, a few carry its calls and drops, one for each
 * flush under way. The lock is held only for the machine's decisions, never while something is sent, dropped or collected.
 *
 * <p>Bounds: {@link TokenHolderConfig}; a flush under way keeps its bytes ({@link #FLUSH_BYTES}) until it is answered, so that a repetition is the same.
 */
public final class TokenClient implements AutoCloseable {
    /** The most of one flush, and of one serialised write. */
    public static final int FLUSH_BYTES = TokenMessages.MAX_CHANGE_BYTES;

    private static final Logger log = LoggerFactory.getLogger(TokenClient.class);
    private static final int TICK_MILLIS = 20;
    private static final Duration COMMIT_CALL = Duration.ofSeconds(25);

    /** How much longer than a request may wait at the home its answer is waited for. */
    private static final Duration WAY = Duration.ofSeconds(2);

    private static final Duration PAUSE = Duration.ofMillis(20);

    private final String homeName;
    private final SessionCalls calls;
    private final BootClock clock;
    private final TokenCaches caches;
    private final Outbox outbox = new Outbox();
    private final Drops<TokenHolderAction.Drop> drops;
    private final Ticker ticker;

    private final ReentrantLock lock = new ReentrantLock();

    /** A session or a link has come, or gone. */
    private final Condition ready = lock.newCondition();

    /** Something may have become clean. */
    private final Condition cleaned = lock.newCondition();

    @GuardedBy("lock")
    private final TokenHolder holder;

    @GuardedBy("lock")
    private final Map<FileId, Integer> opened = new HashMap<>();

    /** By request of the machine. */
    @GuardedBy("lock")
    private final Map<Long, Wish> wishes = new HashMap<>();

    /** By operation of this session: what is being flushed. */
    @GuardedBy("lock")
    private final Map<Long, TokenCaches.Flush> flushes = new HashMap<>();

    @GuardedBy("lock")
    private long requests;

    @GuardedBy("lock")
    private @Nullable Link link;

    /** Whose messages are taken: the peer of the last link. */
    @GuardedBy("lock")
    private @Nullable NodeId home;

    @GuardedBy("lock")
    private boolean closed;

    /** Somebody waits for the machine's answer. */
    private static final class Wish {
        final @Nullable TokenChange change;
        final Condition answered;
        TokenHolderAction.@Nullable SendAcquire acquire;

        @Nullable
        Boolean done;

        @Nullable
        FailureException failure;

        Wish(@Nullable TokenChange change, Condition answered) {
            this.change = change;
            this.answered = answered;
        }
    }

    /** A session, and the link to use. */
    private record Way(Link link, long session) {}

    /**
     * @param homeName for messages and logs
     * @param config with {@code maxFlushBytes} of at most {@link #FLUSH_BYTES}
     */
    public TokenClient(String homeName, TokenHolderConfig config, BootClock clock, TokenCaches caches) {
        if (config.maxFlushBytes() > FLUSH_BYTES) {
            throw new IllegalArgumentException(
                    "flushes of " + config.maxFlushBytes() + " bytes, the most is " + FLUSH_BYTES);
        }
        this.homeName = homeName;
        this.calls = new SessionCalls(homeName);
        this.clock = clock;
        this.caches = caches;
        this.drops = new Drops<>(
                homeName,
                (drop, done) -> caches.drop(drop.file(), drop.range(), done),
                drop -> tell(new TokenHolderEvent.Dropped(drop.file(), drop.number())));
        this.holder = new TokenHolder(config, new SecureRandom()::nextLong, clock.millis());
        this.ticker = new Ticker("tokens-from-" + homeName, () -> {
            tell(new TokenHolderEvent.Tick());
            return TICK_MILLIS;
        });
    }

    /** The bounds that a client has whose {@code instance} tells it apart from others of its identity. */
    public static TokenHolderConfig config(long instance) {
        TokenHolderConfig defaults = TokenHolderConfig.of(instance);
        return new TokenHolderConfig(
                instance,
                defaults.maxTokens(),
                defaults.maxTokensPerFile(),
                defaults.maxOperations(),
                FLUSH_BYTES,
                defaults.maxVoids(),
                defaults.overtakenMillis());
    }

    // ---- the link ---------------------------------------------------------------------------------------------------

    /** There is a link to the home: the session resumes on it, or a new one begins. Never blocks. */
    public void linkUp(Link link) {
        lock.lock();
        try {
            if (!closed) {
                this.link = link;
                this.home = link.peer().id();
                tell(new TokenHolderEvent.LinkUp());
                ready.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The link is gone: the tokens stay valid until the session's lease runs out. Never blocks. */
    public void linkDown(Link link) {
        lock.lock();
        try {
            if (this.link == link) {
                this.link = null;
                tell(new TokenHolderEvent.LinkDown());
            }
        } finally {
            lock.unlock();
        }
    }

    /** @return whether the message was one of tokens from this home; never blocks on the network */
    public boolean message(Link from, Envelope message) {
        if (!message.hasTokenRevoke() || !isHome(from)) {
            return false;
        }
        TokenRevoke revoke = message.getTokenRevoke();
        try {
            tell(new TokenHolderEvent.Revoked(
                    revoke.getSession(),
                    revoke.getEpoch(),
                    Messages.fileId(revoke.getId()),
                    TokenMessages.range(revoke.getRange()),
                    TokenMessages.mode(revoke.getDownTo()),
                    revoke.getSequence()));
        } catch (FailureException e) {
            log.warn("event=bad_message home={} cause=\"{}\"", homeName, e.getMessage());
        }
        return true;
    }

    /** @return whether the request was one of tokens from this home; then it is answered */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException {
        if (!request.hasGlimpse() || !isHome(from)) {
            return false;
        }
        FileId file = Messages.fileId(request.getGlimpse().getId());
        Optional<Glimpsed> known = Optional.empty();
        TokenFile open = openIfOpen(file);
        if (open != null) {
            TokenUse use = new TokenUse();
            try {
                if (open.tryEnterAttributes(use, Mode.EXCLUSIVE)) {
                    known = caches.glimpse(file, use.since(Range.LIMIT));
                }
            } finally {
                open.exit(use);
                open.close();
            }
        }
        spigot.transport.wire.Glimpsed.Builder reply = spigot.transport.wire.Glimpsed.newBuilder();
        known.ifPresent(seen -> reply.setAttributes(LiveAttributes.newBuilder()
                .setSize(seen.size())
                .setModifiedNanos(seen.modifiedNanos())
                .setChangedNanos(seen.changedNanos())));
        responder.reply(Envelope.newBuilder().setGlimpsed(reply).build());
        return true;
    }

    private boolean isHome(Link from) {
        lock.lock();
        try {
            return from.peer().id().equals(home);
        } finally {
            lock.unlock();
        }
    }

    /** Whether there is a link and a session whose lease runs. */
    public boolean connected() {
        lock.lock();
        try {
            return link != null
                    && link.isOpen()
                    && holder.session(clock.millis()).isPresent();
        } finally {
            lock.unlock();
        }
    }

    /** Number of tokens that are held, each of one range. */
    public int tokens() {
        lock.lock();
        try {
            return holder.tokens();
        } finally {
            lock.unlock();
        }
    }

    // ---- files ------------------------------------------------------------------------------------------------------

    /** The tokens of a file; to be closed. */
    public TokenFile open(FileId file) {
        lock.lock();
        try {
            opened.merge(file, 1, Integer::sum);
            tell(new TokenHolderEvent.Opened(file));
            return new TokenFile(this, file, holder.tokens(file));
        } finally {
            lock.unlock();
        }
    }

    private @Nullable TokenFile openIfOpen(FileId file) {
        lock.lock();
        try {
            return opened.containsKey(file) ? open(file) : null;
        } finally {
            lock.unlock();
        }
    }

    void closed(FileId file) {
        lock.lock();
        try {
            opened.computeIfPresent(file, (_, times) -> times == 1 ? null : times - 1);
            tell(new TokenHolderEvent.Closed(file));
        } finally {
            lock.unlock();
        }
    }

    long nowMillis() {
        return clock.millis();
    }

    void idle(FileId file) {
        tell(new TokenHolderEvent.Idle(file));
    }

    void dirtied(FileId file, Range range) {
        tell(new TokenHolderEvent.Dirtied(file, range));
    }

    void giveUp(FileId file, Range range) {
        tell(new TokenHolderEvent.GiveUp(file, range));
    }

    boolean unclean(FileId file, Range range) {
        lock.lock();
        try {
            return holder.unclean(file, range);
        } finally {
            lock.unlock();
        }
    }

    void flush(FileId file, Range range) {
        tell(new TokenHolderEvent.FlushWanted(file, range));
    }

    void flush(FileId file, Range range, Duration patience) throws CallTimeoutException, InterruptedException {
        long nanos = patience.toNanos();
        lock.lockInterruptibly();
        try {
            if (holder.unclean(file, range)) {
                tell(new TokenHolderEvent.FlushWanted(file, range));
            }
            while (holder.unclean(file, range)) {
                if (nanos <= 0) {
                    throw new CallTimeoutException("file " + file + " is not committed at " + homeName + " within "
                            + patience.toMillis() + " ms: it is kept, and tried on");
                }
                nanos = cleaned.awaitNanos(nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- asking the home --------------------------------------------------------------------------------------------

    /** @return false when the home serves the range itself; otherwise look whether the token is there */
    boolean acquire(FileId file, Mode mode, Range required, Range desired, boolean data, long deadlineNanos)
            throws IOException, InterruptedException {
        Way way = way(deadlineNanos);
        Wish wish;
        long request;
        lock.lockInterruptibly();
        try {
            request = ++requests;
            wish = new Wish(null, lock.newCondition());
            wishes.put(request, wish);
            tell(new TokenHolderEvent.Want(request, file, mode, required, desired));
        } finally {
            lock.unlock();
        }
        TokenHolderAction.SendAcquire acquire = wish.acquire;
        if (acquire == null) {
            // There is no session just now.
            return true;
        }
        try {
            acquire(way.link(), acquire, data, deadlineNanos);
            return true;
        } catch (FailureException e) {
            return switch (e.code()) {
                case SERIALISED -> false;
                default -> {
                    again(e, acquire.session());
                    yield true;
                }
            };
        } catch (LinkBrokenException e) {
            log.debug("event=acquire_lost home={} cause=\"{}\"", homeName, e.getMessage());
            return true;
        } finally {
            tell(new TokenHolderEvent.NotGranted(request, file));
            forget(request);
        }
    }

    private void acquire(Link to, TokenHolderAction.SendAcquire acquire, boolean data, long deadlineNanos)
            throws IOException, InterruptedException {
        Duration patience = atHome(deadlineNanos);
        Version have = caches.cachedSince(acquire.file(), acquire.desired());
        Range required = acquire.required();
        TokenAcquire.Builder message = TokenMessages.acquire(acquire)
                .setHave(Messages.wire(have))
                .setPatienceMillis((int) patience.toMillis());
        TokenGranted granted;
        ByteBuffer first = ByteBuffer.allocate(0);
        if (data && !required.attributes() && required.length() <= TokenMessages.MAX_FIRST_BYTES) {
            first = ByteBuffer.allocate((int) required.length());
            message.setFirstOffset(required.from()).setFirstLength(first.capacity());
            granted = granted(
                    to.fetch(Envelope.newBuilder().setTokenAcquire(message).build(), first, patience.plus(WAY), null));
        } else {
            granted = granted(
                    to.call(Envelope.newBuilder().setTokenAcquire(message).build(), patience.plus(WAY)));
        }
        FileId file = Messages.fileId(granted.getId());
        Range range = TokenMessages.range(granted.getRange());
        Version version = Messages.version(granted.getVersion());
        if (granted.hasChanges() && !have.equals(Version.NONE)) {
            caches.unchanged(file, range, have, version, TokenMessages.changes(granted.getChanges()));
        }
        if (granted.hasFirst()) {
            TokenData described = granted.getFirst();
            ByteBuffer bytes = payload(described.getBlocks(), first.flip());
            caches.received(
                    file,
                    Messages.version(described.getVersion()),
                    described.getAttributes(),
                    described.getBlocks().getOffset(),
                    bytes);
        }
        tell(new TokenHolderEvent.Granted(
                acquire.request(),
                granted.getSession(),
                granted.getEpoch(),
                file,
                TokenMessages.mode(granted.getMode()),
                range,
                granted.getSequence(),
                version));
    }

    private static TokenGranted granted(Envelope reply) throws CorruptPayloadException {
        if (!reply.hasTokenGranted()) {
            throw new CorruptPayloadException("an Acquire was answered with " + reply.getBodyCase());
        }
        return reply.getTokenGranted();
    }

    /** The described bytes. @param payload what came, flipped */
    private static ByteBuffer payload(Blocks blocks, ByteBuffer payload) throws CorruptPayloadException {
        BlockChecksums.verify(blocks, payload);
        return blocks.getZero() ? ByteBuffer.allocate(blocks.getLength()) : payload;
    }

    TokenData fetch(FileId file, long offset, ByteBuffer into, Duration patience)
            throws IOException, InterruptedException {
        int length = Math.min(into.remaining(), TokenMessages.MAX_READ_BYTES);
        Envelope request = Envelope.newBuilder()
                .setTokenRead(TokenRead.newBuilder()
                        .setId(Messages.bytes(file))
                        .setOffset(offset)
                        .setLength(length))
                .build();
        return read(into, length, patience, (_, _) -> request);
    }

    TokenData readSerialised(FileId file, long offset, ByteBuffer into, Duration patience)
            throws IOException, InterruptedException {
        int length = Math.min(into.remaining(), TokenMessages.MAX_FIRST_BYTES);
        return read(
                into,
                length,
                patience,
                (way, atHome) -> Envelope.newBuilder()
                        .setSerialisedRead(SerialisedRead.newBuilder()
                                .setSession(way.session())
                                .setId(Messages.bytes(file))
                                .setOffset(offset)
                                .setLength(length)
                                .setPatienceMillis((int) atHome.toMillis()))
                        .build());
    }

    private interface Asking {
        Envelope request(Way way, Duration atHome);
    }

    private TokenData read(ByteBuffer into, int length, Duration patience, Asking asking)
            throws IOException, InterruptedException {
        long deadlineNanos = System.nanoTime() + patience.toNanos();
        int start = into.position();
        Envelope reply = insist(deadlineNanos, (way, atHome) -> {
            into.position(start).limit(start + length);
            return way.link().fetch(asking.request(way, atHome), into, atHome.plus(WAY), null);
        });
        if (!reply.hasTokenData()) {
            throw new CorruptPayloadException("a read was answered with " + reply.getBodyCase());
        }
        Blocks blocks = reply.getTokenData().getBlocks();
        ByteBuffer came = into.duplicate().flip().position(start);
        BlockChecksums.verify(blocks, came);
        if (blocks.getZero()) {
            if (blocks.getLength() > length) {
                throw new CorruptPayloadException("more bytes than were asked for");
            }
            into.position(start);
            for (int i = 0; i < blocks.getLength(); i++) {
                into.put((byte) 0);
            }
        }
        return reply.getTokenData();
    }

    LiveAttributes glimpse(FileId file, Duration patience) throws IOException, InterruptedException {
        Envelope reply = insist(
                System.nanoTime() + patience.toNanos(),
                (way, atHome) -> way.link()
                        .call(
                                Envelope.newBuilder()
                                        .setGlimpse(Glimpse.newBuilder()
                                                .setSession(way.session())
                                                .setId(Messages.bytes(file)))
                                        .build(),
                                atHome.plus(WAY)));
        return reply.getGlimpsed().getAttributes();
    }

    Changes changesSince(FileId file, Version version, Duration patience) throws IOException, InterruptedException {
        Envelope reply = insist(
                System.nanoTime() + patience.toNanos(),
                (way, atHome) -> way.link()
                        .call(
                                Envelope.newBuilder()
                                        .setChangesRequest(ChangesRequest.newBuilder()
                                                .setId(Messages.bytes(file))
                                                .setSince(Messages.wire(version)))
                                        .build(),
                                atHome.plus(WAY)));
        return TokenMessages.changes(reply.getTokenChanges());
    }

    private interface Call {
        Envelope on(Way way, Duration atHome) throws IOException, InterruptedException;
    }

    /** Asks until it is answered, for what changes nothing. */
    private Envelope insist(long deadlineNanos, Call call) throws IOException, InterruptedException {
        while (true) {
            Way way = way(deadlineNanos);
            try {
                return call.on(way, atHome(deadlineNanos));
            } catch (FailureException e) {
                again(e, way.session());
            } catch (LinkBrokenException e) {
                log.debug("event=call_lost home={} cause=\"{}\"", homeName, e.getMessage());
            }
        }
    }

    /** Whether what was refused may be asked again; then some time has passed. */
    private void again(FailureException e, long session) throws FailureException, InterruptedException {
        switch (e.code()) {
            case UNKNOWN_SESSION ->
                tell(new TokenHolderEvent.SessionUnknown(session, e.failure().getEpoch()));
            case NOT_READY, TOO_MANY -> {
                long millis = Math.clamp(e.failure().getRetryAfterMillis(), PAUSE.toMillis(), 1_000);
                Thread.sleep(millis);
            }
            default -> throw e;
        }
    }

    /** Waits for a link and a session. */
    private Way way(long deadlineNanos) throws CallTimeoutException, LinkBrokenException, InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                if (closed) {
                    throw new LinkBrokenException("the tokens from " + homeName + " are closed");
                }
                Link current = link;
                OptionalLong session = holder.session(clock.millis());
                if (current != null && current.isOpen() && session.isPresent()) {
                    return new Way(current, session.getAsLong());
                }
                long nanos = deadlineNanos - System.nanoTime();
                if (nanos <= 0) {
                    throw new CallTimeoutException("there was no session with " + homeName + " in time");
                }
                // A link that is being broken tells nobody.
                if (!ready.await(Math.min(nanos, PAUSE.toNanos()), TimeUnit.NANOSECONDS)) {
                    log.trace("event=waiting_for_session home={}", homeName);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** How long the home may let a request wait. */
    private Duration atHome(long deadlineNanos) throws CallTimeoutException {
        long millis = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
        if (millis <= 0) {
            throw new CallTimeoutException("the tokens were not to be had from " + homeName + " in time");
        }
        return Duration.ofMillis(Math.min(millis, TokenServer.PATIENCE.toMillis()));
    }

    void writeSerialised(FileId file, Range range, TokenChange change, Duration patience)
            throws IOException, InterruptedException {
        long deadlineNanos = System.nanoTime() + patience.toNanos();
        way(deadlineNanos);
        lock.lockInterruptibly();
        try {
            long request = ++requests;
            Wish wish = new Wish(change, lock.newCondition());
            wishes.put(request, wish);
            tell(new TokenHolderEvent.WriteSerialised(request, file, range));
            while (wish.done == null) {
                long nanos = deadlineNanos - System.nanoTime();
                if (nanos <= 0) {
                    throw new CallTimeoutException(
                            "whether a write to file " + file + " at " + homeName + " is done was not known in time");
                }
                nanos = wish.answered.awaitNanos(nanos);
            }
            if (wish.failure != null) {
                throw wish.failure;
            }
            if (!wish.done) {
                throw new IOException("whether a write to file " + file + " is done is not known: the session with "
                        + homeName + " has ended");
            }
        } finally {
            lock.unlock();
        }
    }

    // ---- driving the machine ----------------------------------------------------------------------------------------

    private void forget(long request) {
        lock.lock();
        try {
            wishes.remove(request);
        } finally {
            lock.unlock();
        }
    }

    private void tell(TokenHolderEvent event) {
        lock.lock();
        try {
            List<TokenHolderAction> actions = new ArrayList<>();
            holder.on(event, clock.millis(), actions::add);
            for (TokenHolderAction action : actions) {
                act(action);
            }
        } catch (RuntimeException e) {
            log.error("event=token_defect home={} on={}", homeName, event, e);
            throw e;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void act(TokenHolderAction action) {
        Link current = link;
        switch (action) {
            case TokenHolderAction.SendHello hello -> {
                if (current != null) {
                    Thread.ofVirtual().name("token-hello-" + homeName).start(() -> hello(current, hello));
                }
            }
            case TokenHolderAction.SendRenew(long session) -> {
                if (current != null) {
                    Thread.ofVirtual().name("token-renew-" + homeName).start(() -> renew(current, session));
                }
            }
            case TokenHolderAction.SendAcquire acquire -> {
                Wish wish = wishes.get(acquire.request());
                if (wish != null) {
                    wish.acquire = acquire;
                }
            }
            case TokenHolderAction.Answered(long request, boolean applied) -> {
                Wish wish = wishes.remove(request);
                if (wish != null) {
                    wish.done = applied;
                    wish.answered.signalAll();
                }
            }
            case TokenHolderAction.Drop drop -> {
                if (!closed) {
                    drops.add(drop);
                }
            }
            case TokenHolderAction.Flush flush ->
                Thread.ofVirtual().name("token-flush-" + homeName).start(() -> flush(current, flush));
            case TokenHolderAction.SendSerialisedWrite write -> {
                Wish wish = wishes.get(write.request());
                if (wish != null && wish.change != null) {
                    TokenChange change = wish.change;
                    Thread.ofVirtual()
                            .name("serialised-write-" + homeName)
                            .start(() -> write(current, write, change, wish));
                }
            }
            case TokenHolderAction.SendRevokeAck(long session, long sequence) -> {
                if (current != null) {
                    outbox.post(current, TokenMessages.revokeAck(session, sequence));
                }
            }
            case TokenHolderAction.SendRelease release -> {
                if (current != null) {
                    outbox.post(current, TokenMessages.release(release));
                }
            }
            case TokenHolderAction.SessionReady(long session, boolean reclaimed) -> {
                log.debug("event=token_session_ready home={} session={} reclaimed={}", homeName, session, reclaimed);
                flushes.clear();
                ready.signalAll();
            }
            case TokenHolderAction.SessionLost(long session) -> {
                flushes.clear();
                if (!closed) {
                    log.info("event=token_session_lost home={} session={}", homeName, session);
                }
            }
            case TokenHolderAction.Orphaned(FileId file, Range range, Version version) -> {
                if (!closed) {
                    caches.orphaned(file, range, version);
                }
                cleaned.signalAll();
            }
        }
    }

    private void hello(Link to, TokenHolderAction.SendHello hello) {
        long sentMillis = clock.millis();
        Optional<Envelope> reply = calls.call(to, TokenMessages.hello(hello));
        if (reply.isPresent() && reply.get().hasTokenWelcome()) {
            TokenWelcome welcome = reply.get().getTokenWelcome();
            tell(new TokenHolderEvent.Welcomed(
                    hello.nonce(),
                    welcome.getSession(),
                    welcome.getEpoch(),
                    Integer.toUnsignedLong(welcome.getLeaseMillis()),
                    welcome.getReclaimSequence(),
                    sentMillis));
        }
    }

    private void renew(Link to, long session) {
        long sentMillis = clock.millis();
        Optional<Envelope> reply = calls.call(to, TokenMessages.renew(session));
        if (reply.isEmpty()) {
            return;
        }
        if (reply.get().hasRenewed()) {
            var renewed = reply.get().getRenewed();
            tell(new TokenHolderEvent.Renewed(
                    session, renewed.getEpoch(), Integer.toUnsignedLong(renewed.getLeaseMillis()), sentMillis));
        } else if (reply.get().getFailure().getCode() == Failure.Code.UNKNOWN_SESSION) {
            tell(new TokenHolderEvent.SessionUnknown(
                    session, reply.get().getFailure().getEpoch()));
        }
    }

    // ---- what is written --------------------------------------------------------------------------------------------

    private void flush(@Nullable Link to, TokenHolderAction.Flush flush) {
        TokenHolderEvent outcome = new TokenHolderEvent.NotFlushed(flush.session(), flush.operation());
        try {
            if (to != null) {
                outcome = sent(to, flush, collected(flush));
            }
        } catch (IOException e) {
            log.warn(
                    "event=flush_failed home={} file={} range={} cause=\"{}\"",
                    homeName,
                    flush.file(),
                    flush.range(),
                    e.getMessage());
        } finally {
            tell(outcome);
            cleaned(flush, outcome);
        }
    }

    private void cleaned(TokenHolderAction.Flush flush, TokenHolderEvent outcome) {
        lock.lock();
        try {
            if (!(outcome instanceof TokenHolderEvent.NotFlushed) && inSession(flush.session())) {
                flushes.remove(flush.operation());
            }
            cleaned.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private TokenCaches.Flush collected(TokenHolderAction.Flush flush) throws IOException {
        lock.lock();
        try {
            TokenCaches.Flush known = inSession(flush.session()) ? flushes.get(flush.operation()) : null;
            if (known != null) {
                return known;
            }
        } finally {
            lock.unlock();
        }
        TokenCaches.Flush collected = caches.collect(flush.file(), flush.range());
        lock.lock();
        try {
            if (inSession(flush.session())) {
                flushes.put(flush.operation(), collected);
            }
        } finally {
            lock.unlock();
        }
        return collected;
    }

    @GuardedBy("lock")
    private boolean inSession(long session) {
        OptionalLong current = holder.session(clock.millis());
        return current.isPresent() && current.getAsLong() == session;
    }

    private TokenHolderEvent sent(Link to, TokenHolderAction.Flush flush, TokenCaches.Flush collected) {
        Envelope request = Envelope.newBuilder()
                .setTokenWrite(TokenWrite.newBuilder()
                        .setSession(flush.session())
                        .setEpoch(flush.epoch())
                        .setId(Messages.bytes(flush.file()))
                        .setRange(TokenMessages.wire(flush.range()))
                        .setOperation(flush.operation())
                        .setTokenSequence(flush.tokenSequence())
                        .setUnacknowledged(flush.unacknowledged())
                        .setChange(collected.change()))
                .build();
        try {
            Envelope reply = to.call(request, COMMIT_CALL);
            Version version = Messages.version(reply.getTokenCommitted().getVersion());
            collected.committed(version);
            return new TokenHolderEvent.Flushed(flush.session(), flush.operation(), version);
        } catch (FailureException e) {
            switch (e.code()) {
                case UNKNOWN_SESSION ->
                    tell(new TokenHolderEvent.SessionUnknown(
                            flush.session(), e.failure().getEpoch()));
                case NOT_READY, TOO_MANY ->
                    log.debug("event=flush_again home={} cause=\"{}\"", homeName, e.getMessage());
                default -> {
                    log.warn(
                            "event=flush_refused home={} file={} range={} cause=\"{}\"",
                            homeName,
                            flush.file(),
                            flush.range(),
                            e.getMessage());
                    if (collected.refused(e.failure())) {
                        return new TokenHolderEvent.FlushAbandoned(flush.session(), flush.operation());
                    }
                }
            }
        } catch (IOException e) {
            log.debug("event=flush_lost home={} cause=\"{}\"", homeName, e.getMessage());
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a flush", e);
        }
        return new TokenHolderEvent.NotFlushed(flush.session(), flush.operation());
    }

    private void write(@Nullable Link to, TokenHolderAction.SendSerialisedWrite write, TokenChange change, Wish wish) {
        TokenHolderEvent outcome = new TokenHolderEvent.NotWroteSerialised(write.session(), write.operation(), true);
        try {
            if (to != null) {
                to.call(
                        Envelope.newBuilder()
                                .setSerialisedWrite(SerialisedWrite.newBuilder()
                                        .setSession(write.session())
                                        .setEpoch(write.epoch())
                                        .setId(Messages.bytes(write.file()))
                                        .setRange(TokenMessages.wire(write.range()))
                                        .setOperation(write.operation())
                                        .setUnacknowledged(write.unacknowledged())
                                        .setChange(change))
                                .build(),
                        COMMIT_CALL);
                outcome = new TokenHolderEvent.WroteSerialised(write.session(), write.operation());
            }
        } catch (FailureException e) {
            switch (e.code()) {
                case UNKNOWN_SESSION ->
                    tell(new TokenHolderEvent.SessionUnknown(
                            write.session(), e.failure().getEpoch()));
                case NOT_READY, TOO_MANY ->
                    log.debug("event=write_again home={} cause=\"{}\"", homeName, e.getMessage());
                default -> {
                    failed(wish, e);
                    outcome = new TokenHolderEvent.NotWroteSerialised(write.session(), write.operation(), false);
                }
            }
        } catch (IOException e) {
            log.debug("event=write_lost home={} cause=\"{}\"", homeName, e.getMessage());
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a serialised write", e);
        } finally {
            tell(outcome);
        }
    }

    private void failed(Wish wish, FailureException failure) {
        lock.lock();
        try {
            wish.failure = failure;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends the session, so that nobody has to wait for its lease. To be called when all is committed and all caches are gone: nothing is
     * dropped or flushed any more. Waits for the home, but not for long.
     */
    @Override
    public void close() {
        Link last;
        OptionalLong session;
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            last = link;
            link = null;
            session = holder.session(clock.millis());
            // Nobody may use what the home gives to others from now on.
            session.ifPresent(number -> tell(new TokenHolderEvent.SessionUnknown(number, 0)));
            ready.signalAll();
        } finally {
            lock.unlock();
        }
        ticker.close();
        if (last != null && session.isPresent()) {
            calls.bye(last, TokenMessages.bye(session.getAsLong()));
        }
    }
}
