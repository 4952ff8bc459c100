package spigot.session;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.coherence.ClientId;
import spigot.coherence.token.Changes;
import spigot.coherence.token.Mode;
import spigot.coherence.token.Range;
import spigot.coherence.token.TokenHome;
import spigot.coherence.token.TokenHomeAction;
import spigot.coherence.token.TokenHomeAction.Reason;
import spigot.coherence.token.TokenHomeConfig;
import spigot.coherence.token.TokenHomeEvent;
import spigot.coherence.token.TokenHomeEvent.Glimpsed;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;
import spigot.transport.BlockChecksums;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.Responder;
import spigot.transport.wire.ChangesRequest;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Glimpse;
import spigot.transport.wire.LiveAttributes;
import spigot.transport.wire.SerialisedRead;
import spigot.transport.wire.SerialisedWrite;
import spigot.transport.wire.TokenAcquire;
import spigot.transport.wire.TokenChange;
import spigot.transport.wire.TokenCommitted;
import spigot.transport.wire.TokenData;
import spigot.transport.wire.TokenGranted;
import spigot.transport.wire.TokenHello;
import spigot.transport.wire.TokenRead;
import spigot.transport.wire.TokenRelease;
import spigot.transport.wire.TokenWrite;

/**
 * A home's side of tokens: drives a {@link TokenHome} over links and a {@link TokenStore}. Safe for any thread; a request is served on the thread
 * that brings it, which may wait; one virtual thread makes time pass. The lock is held only for the machine's decisions,
 * never while something is sent, read or committed. Bounded as the machine is, and by the requests in service of the links.
 */
public final class TokenServer implements AutoCloseable {
    /** How long a request may wait for others at most; the client asks again. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final Logger log = LoggerFactory.getLogger(TokenServer.class);
    private static final Duration GLIMPSE_PATIENCE = Duration.ofSeconds(2);
    private static final long BUSY_TICK_MILLIS = 5;

    private final String name;
    private final TokenHomeConfig config;
    private final TokenSessions remembered;
    private final TokenStore store;
    private final BootClock clock;
    private final Outbox outbox = new Outbox();
    private final CommitOrder commits = new CommitOrder();
    private final long idleTickMillis;

    private final ReentrantLock lock = new ReentrantLock();

    /** Time has to pass more quickly. */
    private final Condition hurry = lock.newCondition();

    @GuardedBy("lock")
    private final TokenHome home;

    /** By session: the link on which it was last heard. */
    @GuardedBy("lock")
    private final Map<Long, Link> links = new HashMap<>();

    @GuardedBy("lock")
    private final Map<Long, Asked> asked = new HashMap<>();

    @GuardedBy("lock")
    private long lastNumber;

    @GuardedBy("lock")
    private boolean idle = true;

    @GuardedBy("lock")
    private boolean closed;

    /** Set when an invariant failed: then nothing is decided any more. */
    @GuardedBy("lock")
    private @Nullable RuntimeException defect;

    /**
     * Begins a life of the home.
     *
     * @param name for messages and logs
     */
    public TokenServer(
            String name, TokenHomeConfig config, TokenSessions remembered, TokenStore store, BootClock clock) {
        this.name = name;
        this.config = config;
        this.remembered = remembered;
        this.store = store;
        this.clock = clock;
        this.idleTickMillis = Math.clamp(config.sessions().revokeAgainMillis() / 2, 10, 100);
        this.home = new TokenHome(config, remembered.epoch(), remembered.former(), store::version, clock.millis());
        Thread.ofVirtual().name("tokens-of-" + name).start(this::passTime);
    }

    // ---- messages ---------------------------------------------------------------------------------------------------

    /** @return whether the request was one of tokens; then it is answered, or a Failure is thrown */
    public boolean request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        try {
            return serve(from, request, responder);
        } catch (ClosedException e) {
            throw new FailureException(TokenMessages.notReady(
                    Failure.newBuilder().setEpoch(remembered.epoch()), String.valueOf(e.getMessage())));
        }
    }

    private boolean serve(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        switch (request.getBodyCase()) {
            case TOKEN_HELLO -> hello(from, request.getTokenHello(), responder);
            case TOKEN_RENEW -> renew(from, request.getTokenRenew().getSession(), responder);
            case TOKEN_BYE -> {
                tell(new TokenHomeEvent.Bye(
                        from.peer().id(), request.getTokenBye().getSession()));
                responder.reply(LeaseMessages.done());
            }
            case TOKEN_ACQUIRE -> acquire(from, request.getTokenAcquire(), responder);
            case TOKEN_READ -> read(request.getTokenRead(), responder);
            case TOKEN_WRITE -> write(from, request.getTokenWrite(), responder);
            case SERIALISED_READ -> read(from, request.getSerialisedRead(), responder);
            case SERIALISED_WRITE -> write(from, request.getSerialisedWrite(), responder);
            case GLIMPSE -> glimpse(from, request.getGlimpse(), responder);
            case CHANGES_REQUEST -> changes(request.getChangesRequest(), responder);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** @return whether the message was one of tokens; never blocks on the network */
    public boolean message(Link from, Envelope message) {
        NodeId client = from.peer().id();
        try {
            switch (message.getBodyCase()) {
                case TOKEN_RELEASE -> {
                    TokenRelease release = message.getTokenRelease();
                    tell(new TokenHomeEvent.Release(
                            client,
                            release.getSession(),
                            Messages.fileId(release.getId()),
                            TokenMessages.range(release.getRange()),
                            release.getSequence()));
                }
                case TOKEN_REVOKE_ACK ->
                    tell(new TokenHomeEvent.RevokeAck(
                            client,
                            message.getTokenRevokeAck().getSession(),
                            message.getTokenRevokeAck().getSequence()));
                default -> {
                    return false;
                }
            }
        } catch (FailureException e) {
            log.warn(
                    "event=bad_message home={} peer={} cause=\"{}\"",
                    name,
                    from.peer().name(),
                    e.getMessage());
        }
        return true;
    }

    /** The link is gone: its sessions go on until they expire, or resume on another link. */
    public void linkClosed(Link link) {
        lock.lock();
        try {
            links.values().removeIf(link::equals);
        } finally {
            lock.unlock();
        }
    }

    public int sessions() {
        lock.lock();
        try {
            return home.sessions();
        } finally {
            lock.unlock();
        }
    }

    /** Whether somebody has a token of the file. */
    public boolean isHeld(FileId file) {
        lock.lock();
        try {
            return home.segments(file) > 0;
        } finally {
            lock.unlock();
        }
    }

    /** Whether sessions of the former life are waited for. */
    public boolean grace() {
        lock.lock();
        try {
            return home.grace();
        } finally {
            lock.unlock();
        }
    }

    /** Nothing is granted any more; whoever waits is let go. The next life takes over what the sessions hold. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            asked.values().forEach(Asked::close);
            asked.clear();
            hurry.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ---- sessions ---------------------------------------------------------------------------------------------------

    private void hello(Link from, TokenHello hello, Responder responder) throws IOException, InterruptedException {
        List<TokenHomeEvent.Reclaim> reclaims = opened(TokenMessages.reclaims(hello));
        ClientId client = new ClientId(from.peer().id(), hello.getInstance());
        Asked waiting = new Asked(null);
        tell(
                number -> new TokenHomeEvent.Hello(number, client, hello.getNonce(), hello.getFormer(), reclaims),
                waiting);
        switch (waiting.now()) {
            case TokenHomeAction.Welcome welcome -> {
                heard(welcome.session(), from);
                remembered.sync();
                responder.reply(TokenMessages.welcome(welcome));
            }
            case TokenHomeAction.Refused refused -> throw refused(refused.reason(), waiting);
            case null, default -> throw unexpected(waiting.now());
        }
    }

    /** None, when one of the files is not ours any more: then the client has to give up all that it has from us. */
    private List<TokenHomeEvent.Reclaim> opened(List<TokenHomeEvent.Reclaim> reclaims)
            throws IOException, InterruptedException {
        FileId last = null;
        for (TokenHomeEvent.Reclaim reclaim : reclaims) {
            if (!reclaim.file().equals(last)) {
                last = reclaim.file();
                try {
                    store.open(last);
                } catch (FailureException e) {
                    log.info("event=reclaim_refused home={} file={} cause=\"{}\"", name, last, e.getMessage());
                    return List.of();
                }
            }
        }
        return reclaims;
    }

    private void renew(Link from, long session, Responder responder) throws IOException {
        NodeId client = from.peer().id();
        Asked waiting = new Asked(null);
        tell(number -> new TokenHomeEvent.Renew(number, client, session), waiting);
        heard(session, from);
        switch (waiting.now()) {
            case TokenHomeAction.Renewed renewed ->
                responder.reply(LeaseMessages.renewed(renewed.epoch(), renewed.leaseMillis()));
            case TokenHomeAction.Refused refused -> throw refused(refused.reason(), waiting);
            case null, default -> throw unexpected(waiting.now());
        }
    }

    // ---- tokens -----------------------------------------------------------------------------------------------------

    private void acquire(Link from, TokenAcquire acquire, Responder responder)
            throws IOException, InterruptedException {
        NodeId client = from.peer().id();
        FileId file = Messages.fileId(acquire.getId());
        Mode mode = TokenMessages.needed(acquire.getMode());
        Range required = TokenMessages.range(acquire.getRequired());
        Range desired = acquire.hasDesired() ? TokenMessages.range(acquire.getDesired()) : required;
        store.open(file);
        Version have = Messages.version(acquire.getHave());
        Asked waiting = new Asked(have.equals(Version.NONE) ? null : have);
        TokenHomeAction answer = await(
                number ->
                        new TokenHomeEvent.Acquire(number, client, acquire.getSession(), file, mode, required, desired),
                waiting,
                patience(acquire.getPatienceMillis()));
        switch (answer) {
            case TokenHomeAction.Granted granted -> {
                heard(granted.session(), from);
                granted(granted, waiting, acquire, responder);
            }
            case TokenHomeAction.Refused refused -> throw refused(refused.reason(), waiting);
            case null -> throw tooLate(file);
            default -> throw unexpected(answer);
        }
    }

    private void granted(TokenHomeAction.Granted granted, Asked waiting, TokenAcquire acquire, Responder responder)
            throws IOException, InterruptedException {
        Changes changes = waiting.changes();
        TokenGranted.Builder reply = TokenGranted.newBuilder()
                .setSession(granted.session())
                .setEpoch(granted.epoch())
                .setId(acquire.getId())
                .setMode(TokenMessages.wire(granted.mode()))
                .setRange(TokenMessages.wire(granted.range()))
                .setSequence(granted.sequence())
                .setVersion(Messages.wire(granted.version()));
        if (changes != null) {
            reply.setChanges(TokenMessages.wire(changes, granted.version()));
        }
        int length = Math.min(acquire.getFirstLength(), TokenMessages.MAX_FIRST_BYTES);
        boolean wanted = length > 0 || granted.range().attributes();
        if (!wanted || acquire.getFirstOffset() < 0 || length < 0) {
            responder.reply(Envelope.newBuilder().setTokenGranted(reply).build());
            return;
        }
        store.read(granted.file(), acquire.getFirstOffset(), length, (state, data) -> {
            reply.setFirst(data(state, acquire.getFirstOffset(), data));
            Envelope envelope = Envelope.newBuilder().setTokenGranted(reply).build();
            send(responder, envelope, reply.getFirst(), data);
        });
    }

    private void read(TokenRead read, Responder responder) throws IOException, InterruptedException {
        FileId file = Messages.fileId(read.getId());
        long offset = offset(read.getOffset());
        int length = length(read.getLength(), TokenMessages.MAX_READ_BYTES);
        store.open(file);
        read(file, offset, length, responder);
    }

    private void read(FileId file, long offset, int length, Responder responder)
            throws IOException, InterruptedException {
        store.read(file, offset, length, (state, data) -> {
            TokenData reply = data(state, offset, data);
            send(responder, Envelope.newBuilder().setTokenData(reply).build(), reply, data);
        });
    }

    private static TokenData data(TokenStore.State state, long offset, ByteBuffer data) {
        return TokenData.newBuilder()
                .setVersion(Messages.wire(state.version()))
                .setAttributes(attributes(state))
                .setBlocks(BlockChecksums.describe(offset, data))
                .build();
    }

    private static LiveAttributes attributes(TokenStore.State state) {
        return LiveAttributes.newBuilder()
                .setSize(state.size())
                .setModifiedNanos(state.modifiedNanos())
                .setChangedNanos(state.changedNanos())
                .build();
    }

    private static void send(Responder responder, Envelope envelope, TokenData described, ByteBuffer data)
            throws IOException {
        if (described.getBlocks().getZero() || !data.hasRemaining()) {
            responder.reply(envelope);
        } else {
            responder.reply(envelope, data);
        }
    }

    private void changes(ChangesRequest request, Responder responder) throws IOException, InterruptedException {
        FileId file = Messages.fileId(request.getId());
        store.open(file);
        Version since = Messages.version(request.getSince());
        Changes changes;
        Version version;
        lock.lock();
        try {
            changes = home.changesSince(file, since);
            version = home.version(file);
        } finally {
            lock.unlock();
        }
        responder.reply(Envelope.newBuilder()
                .setTokenChanges(TokenMessages.wire(changes, version))
                .build());
    }

    // ---- what is written --------------------------------------------------------------------------------------------

    private void write(Link from, TokenWrite write, Responder responder) throws IOException, InterruptedException {
        NodeId client = from.peer().id();
        FileId file = Messages.fileId(write.getId());
        Range range = TokenMessages.range(write.getRange());
        TokenChange change = TokenMessages.checked(write.getChange(), range);
        store.open(file);
        Asked waiting = new Asked(null);
        // Never waits for others: it is admitted, answered or refused at once.
        tell(
                number -> new TokenHomeEvent.Write(
                        number,
                        client,
                        write.getSession(),
                        write.getEpoch(),
                        file,
                        range,
                        write.getOperation(),
                        write.getTokenSequence(),
                        write.getUnacknowledged()),
                waiting);
        heard(write.getSession(), from);
        commit(file, range, change, waiting.now(), waiting, responder);
    }

    private void write(Link from, SerialisedWrite write, Responder responder) throws IOException, InterruptedException {
        NodeId client = from.peer().id();
        FileId file = Messages.fileId(write.getId());
        Range range = TokenMessages.range(write.getRange());
        TokenChange change = TokenMessages.checked(write.getChange(), range);
        store.open(file);
        Asked waiting = new Asked(null);
        TokenHomeAction first = await(
                number -> new TokenHomeEvent.SerialisedWrite(
                        number,
                        client,
                        write.getSession(),
                        write.getEpoch(),
                        file,
                        range,
                        write.getOperation(),
                        write.getUnacknowledged()),
                waiting,
                PATIENCE);
        heard(write.getSession(), from);
        commit(file, range, change, first, waiting, responder);
    }

    private void commit(
            FileId file,
            Range range,
            TokenChange change,
            @Nullable TokenHomeAction first,
            Asked waiting,
            Responder responder)
            throws IOException, InterruptedException {
        TokenHomeAction answer = first;
        if (first instanceof TokenHomeAction.Admit admit) {
            commits.begin(
                    file,
                    () -> store.commit(file, range, change),
                    (stored, failure) -> ended(admit, waiting, cut(change), stored, failure));
            answer = waiting.last(PATIENCE.toNanos());
        }
        switch (answer) {
            case TokenHomeAction.Committed committed ->
                responder.reply(Envelope.newBuilder()
                        .setTokenCommitted(TokenCommitted.newBuilder().setVersion(Messages.wire(committed.version())))
                        .build());
            case TokenHomeAction.Refused refused -> throw refused(refused.reason(), waiting);
            case null -> throw tooLate(file);
            default -> throw unexpected(answer);
        }
    }

    /** What a change of the size has changed of the data: all from the block on in which the file ends. */
    private static @Nullable Range cut(TokenChange change) {
        long size = change.getAttributes().getSize();
        return change.getExactSize() && size < Range.LIMIT ? new Range(size - size % Range.BLOCK, Range.LIMIT) : null;
    }

    private void ended(
            TokenHomeAction.Admit admit,
            Asked waiting,
            @Nullable Range also,
            TokenStore.@Nullable Stored stored,
            @Nullable Throwable failure) {
        if (stored != null) {
            tell(new TokenHomeEvent.Durable(admit.commit(), stored.version(), also));
        } else if (failure instanceof NotCommittedException || failure instanceof FailureException) {
            waiting.failed(failure);
            tell(new TokenHomeEvent.NotDurable(admit.commit()));
        } else {
            // It may be found there by the next life: until then nobody gets what it covers.
            log.error("event=commit_unknown home={} file={} range={}", name, admit.file(), admit.range(), failure);
        }
    }

    // ---- served by the home -----------------------------------------------------------------------------------------

    private void read(Link from, SerialisedRead read, Responder responder) throws IOException, InterruptedException {
        NodeId client = from.peer().id();
        FileId file = Messages.fileId(read.getId());
        long offset = offset(read.getOffset());
        int length = length(read.getLength(), TokenMessages.MAX_FIRST_BYTES);
        if (offset > Range.LIMIT - length) {
            throw Messages.bad("offset", Long.toString(offset));
        }
        Range range = length == 0 ? Range.ATTRIBUTES : Range.ofBytes(offset, length);
        store.open(file);
        TokenHomeAction answer = await(
                number -> new TokenHomeEvent.SerialisedRead(number, client, read.getSession(), file, range),
                new Asked(null),
                patience(read.getPatienceMillis()));
        switch (answer) {
            case TokenHomeAction.Serve serve -> {
                try {
                    read(file, offset, length, responder);
                } finally {
                    tell(new TokenHomeEvent.Served(serve.request()));
                }
            }
            case TokenHomeAction.Refused refused -> throw refused(refused.reason(), null);
            case null -> throw tooLate(file);
            default -> throw unexpected(answer);
        }
    }

    private void glimpse(Link from, Glimpse glimpse, Responder responder) throws IOException, InterruptedException {
        NodeId client = from.peer().id();
        FileId file = Messages.fileId(glimpse.getId());
        store.open(file);
        TokenHomeAction answer = await(
                number -> new TokenHomeEvent.Glimpse(number, client, glimpse.getSession(), file),
                new Asked(null),
                PATIENCE);
        switch (answer) {
            case TokenHomeAction.Glimpse seen -> {
                Glimpsed known = seen.glimpsed();
                if (known != null) {
                    responder.reply(glimpsed(LiveAttributes.newBuilder()
                            .setSize(known.size())
                            .setModifiedNanos(known.modifiedNanos())
                            .setChangedNanos(known.changedNanos())
                            .build()));
                } else {
                    store.read(file, 0, 0, (state, _) -> responder.reply(glimpsed(attributes(state))));
                }
            }
            case TokenHomeAction.Refused refused -> throw refused(refused.reason(), null);
            case null -> throw tooLate(file);
            default -> throw unexpected(answer);
        }
    }

    static Envelope glimpsed(LiveAttributes attributes) {
        return Envelope.newBuilder()
                .setGlimpsed(spigot.transport.wire.Glimpsed.newBuilder().setAttributes(attributes))
                .build();
    }

    private void ask(Link to, TokenHomeAction.AskGlimpse ask) {
        Glimpsed glimpsed = null;
        try {
            Envelope reply = to.call(
                    Envelope.newBuilder()
                            .setGlimpse(Glimpse.newBuilder()
                                    .setSession(ask.session())
                                    .setId(Messages.bytes(ask.file())))
                            .build(),
                    GLIMPSE_PATIENCE);
            if (reply.hasGlimpsed() && reply.getGlimpsed().hasAttributes()) {
                LiveAttributes known = reply.getGlimpsed().getAttributes();
                glimpsed = new Glimpsed(
                        Messages.notNegative(known.getSize(), "size"),
                        known.getModifiedNanos(),
                        known.getChangedNanos());
            }
        } catch (IOException e) {
            log.debug("event=glimpse_lost home={} file={} cause=\"{}\"", name, ask.file(), e.getMessage());
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts a glimpse", e);
        }
        tell(new TokenHomeEvent.GlimpseReply(ask.client(), ask.session(), ask.request(), glimpsed));
    }

    // ---- driving the machine ----------------------------------------------------------------------------------------

    private interface Numbered {
        TokenHomeEvent event(long number);
    }

    /** Nothing is decided any more in this life. */
    private static final class ClosedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ClosedException(String message) {
            super(message);
        }
    }

    /** Tells the machine and waits; what is not answered in time is withdrawn. @return null when there was no answer in time */
    private @Nullable TokenHomeAction await(Numbered event, Asked waiting, Duration patience)
            throws InterruptedException {
        long number = tell(event, waiting);
        boolean waited = false;
        try {
            TokenHomeAction answer = waiting.first(patience.toNanos());
            waited = answer != null;
            return answer == null ? withdrawn(number, waiting) : answer;
        } finally {
            if (!waited) {
                withdrawn(number, waiting);
            }
        }
    }

    /** @return what came in the last moment */
    private @Nullable TokenHomeAction withdrawn(long number, Asked waiting) {
        lock.lock();
        try {
            if (waiting.now() == null && asked.remove(number) != null) {
                tell(new TokenHomeEvent.Withdraw(number));
            }
            return waiting.now();
        } finally {
            lock.unlock();
        }
    }

    private long tell(Numbered event, Asked waiting) {
        lock.lock();
        try {
            if (closed) {
                throw new ClosedException(name + " is closing");
            }
            long number = ++lastNumber;
            asked.put(number, waiting);
            tell(event.event(number));
            return number;
        } finally {
            lock.unlock();
        }
    }

    private void tell(TokenHomeEvent event) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            if (defect != null) {
                throw new IllegalStateException("the tokens of " + name + " cannot be trusted any more", defect);
            }
            List<TokenHomeAction> actions = new ArrayList<>();
            home.on(event, clock.millis(), actions::add);
            for (TokenHomeAction action : actions) {
                act(action);
            }
            if (idle && home.waiting() > 0) {
                idle = false;
                hurry.signalAll();
            }
        } catch (RuntimeException e) {
            if (defect == null) {
                defect = e;
                log.error("event=token_defect home={} on={}", name, event, e);
            }
            throw e;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void act(TokenHomeAction action) {
        switch (action) {
            // Durable before the Welcome that follows is sent.
            case TokenHomeAction.Remember(ClientId client, long session) -> remembered.remember(client, session);
            case TokenHomeAction.Forget(long session) -> remembered.forget(session);
            case TokenHomeAction.Welcome welcome -> answer(welcome.request(), action);
            case TokenHomeAction.Renewed renewed -> answer(renewed.request(), action);
            case TokenHomeAction.Refused refused -> answer(refused.request(), action);
            case TokenHomeAction.Committed committed -> answer(committed.request(), action);
            case TokenHomeAction.Glimpse glimpse -> answer(glimpse.request(), action);
            case TokenHomeAction.Granted granted -> {
                Asked waiting = asked.get(granted.request());
                if (waiting != null && waiting.have != null) {
                    waiting.changed(home.changesSince(granted.file(), waiting.have));
                }
                answer(granted.request(), action);
            }
            case TokenHomeAction.Serve serve -> answer(serve.request(), action);
            case TokenHomeAction.Admit admit -> {
                Asked waiting = asked.get(admit.request());
                if (waiting == null) {
                    throw new IllegalStateException("a write is admitted that nobody waits for");
                }
                waiting.admitted(action);
            }
            case TokenHomeAction.Revoke revoke -> {
                Link link = links.get(revoke.session());
                if (link != null) {
                    outbox.post(link, TokenMessages.revoke(revoke));
                }
            }
            case TokenHomeAction.AskGlimpse ask -> {
                Link link = links.get(ask.session());
                Thread.ofVirtual().name("glimpse-of-" + name).start(() -> {
                    if (link == null) {
                        tell(new TokenHomeEvent.GlimpseReply(ask.client(), ask.session(), ask.request(), null));
                    } else {
                        ask(link, ask);
                    }
                });
            }
            case TokenHomeAction.SessionEnded(NodeId client, long session) -> {
                links.remove(session);
                log.debug("event=token_session_ended home={} client={} session={}", name, client, session);
            }
        }
    }

    @GuardedBy("lock")
    private void answer(long number, TokenHomeAction action) {
        Asked waiting = asked.remove(number);
        if (waiting != null) {
            waiting.answered(action);
        }
    }

    /** Revokes of the session go this way from now on. */
    private void heard(long session, Link from) {
        lock.lock();
        try {
            if (from.isOpen() && home.knows(from.peer().id(), session)) {
                links.put(session, from);
            }
        } finally {
            lock.unlock();
        }
    }

    private void passTime() {
        lock.lock();
        try {
            while (!closed && defect == null) {
                tell(new TokenHomeEvent.Tick());
                idle = home.waiting() == 0;
                long millis = idle ? idleTickMillis : BUSY_TICK_MILLIS;
                if (hurry.await(millis, TimeUnit.MILLISECONDS)) {
                    log.trace("event=token_hurry home={}", name);
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the time", e);
        } finally {
            lock.unlock();
        }
    }

    // ---- bounds and failures ----------------------------------------------------------------------------------------

    private static Duration patience(int millis) {
        return millis <= 0 || millis > PATIENCE.toMillis() ? PATIENCE : Duration.ofMillis(millis);
    }

    private static long offset(long wire) throws FailureException {
        if (wire % Range.BLOCK != 0) {
            throw Messages.bad("offset", wire + ", not a multiple of " + Range.BLOCK);
        }
        return Messages.notNegative(wire, "offset");
    }

    private static int length(int wire, int most) throws FailureException {
        if (wire < 0 || wire > most) {
            throw Messages.bad("length", wire + ", the most is " + most);
        }
        return wire;
    }

    private FailureException refused(Reason reason, @Nullable Asked waiting) {
        Throwable cause = waiting == null ? null : waiting.failure();
        if (reason == Reason.NOT_DURABLE && cause instanceof FailureException failure) {
            return failure;
        }
        Failure failure = TokenMessages.failure(reason, name, remembered.epoch());
        if (reason == Reason.NOT_DURABLE && cause instanceof NotCommittedException not) {
            failure = failure.toBuilder()
                    .setErrno(not.errno())
                    .setMessage(String.valueOf(not.getMessage()))
                    .build();
        }
        return new FailureException(failure);
    }

    private FailureException tooLate(FileId file) {
        return new FailureException(TokenMessages.notReady(
                Failure.newBuilder().setEpoch(remembered.epoch()),
                name + " still waits for other clients of file " + file));
    }

    private static IllegalStateException unexpected(@Nullable TokenHomeAction action) {
        return new IllegalStateException("not an answer to what was asked: " + action);
    }
}
