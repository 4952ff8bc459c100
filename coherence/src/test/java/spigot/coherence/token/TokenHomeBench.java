package spigot.coherence.token;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import spigot.coherence.ClientId;
import spigot.coherence.GrantorConfig;
import spigot.coherence.token.TokenHomeAction.Granted;
import spigot.coherence.token.TokenHomeAction.Reason;
import spigot.coherence.token.TokenHomeAction.Refused;
import spigot.coherence.token.TokenHomeAction.Revoke;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.model.Version;

/** A home with a clock to turn by hand; fragments of four blocks. */
final class TokenHomeBench {
    static final FileId FILE = new FileId(1, 1);
    static final FileId OTHER = new FileId(1, 2);
    static final ClientId ALICE = new ClientId(new NodeId(0, 1), 0);
    static final ClientId BOB = new ClientId(new NodeId(0, 2), 0);
    static final ClientId CAROL = new ClientId(new NodeId(0, 3), 0);
    static final int FRAGMENT = 4 * Range.BLOCK;

    static final TokenHomeConfig CONFIG = new TokenHomeConfig(
            new GrantorConfig(1_000, 100, 1_100, 50, 4, 4, 4, 4),
            10,
            FRAGMENT,
            3,
            3,
            1_000,
            400,
            6,
            6,
            4,
            6,
            3,
            3,
            2,
            1);

    final TokenHome home;
    long now = 5_000;
    private long numbers;

    TokenHomeBench() {
        this(EnumSet.allOf(TokenGuard.class), 1, Map.of());
    }

    TokenHomeBench(Set<TokenGuard> guards, long epoch, Map<Long, ClientId> former) {
        home = new TokenHome(CONFIG, epoch, former, file -> Version.NONE, now, guards);
    }

    static Range block(long number) {
        return Range.block(number);
    }

    long number() {
        return ++numbers;
    }

    List<TokenHomeAction> on(TokenHomeEvent event) {
        List<TokenHomeAction> actions = new ArrayList<>();
        home.on(event, now, actions::add);
        return actions;
    }

    List<TokenHomeAction> after(long millis) {
        now += millis;
        return on(new TokenHomeEvent.Tick());
    }

    TokenHomeAction.Welcome hello(ClientId client, long nonce, long former, TokenHomeEvent.Reclaim... reclaims) {
        return find(
                on(new TokenHomeEvent.Hello(number(), client, nonce, former, List.of(reclaims))),
                TokenHomeAction.Welcome.class);
    }

    /** Begins a session and uses it. */
    long session(ClientId client, long nonce) {
        long session = hello(client, nonce, 0).session();
        renew(client, session);
        return session;
    }

    List<TokenHomeAction> renew(ClientId client, long session) {
        return on(new TokenHomeEvent.Renew(number(), client.node(), session));
    }

    List<TokenHomeAction> acquire(ClientId client, long session, Mode mode, Range required, Range desired) {
        return on(new TokenHomeEvent.Acquire(number(), client.node(), session, FILE, mode, required, desired));
    }

    List<TokenHomeAction> acquire(ClientId client, long session, Mode mode, Range required) {
        return acquire(client, session, mode, required, required);
    }

    Granted granted(ClientId client, long session, Mode mode, Range required, Range desired) {
        return find(acquire(client, session, mode, required, desired), Granted.class);
    }

    List<TokenHomeAction> ack(ClientId client, Revoke revoke) {
        return on(new TokenHomeEvent.RevokeAck(client.node(), revoke.session(), revoke.sequence()));
    }

    List<TokenHomeAction> write(ClientId client, long session, Range range, long operation, long tokenSequence) {
        return write(client, session, home.epoch(), range, operation, tokenSequence, 1);
    }

    List<TokenHomeAction> write(
            ClientId client,
            long session,
            long epoch,
            Range range,
            long operation,
            long tokenSequence,
            long unacknowledged) {
        return on(new TokenHomeEvent.Write(
                number(), client.node(), session, epoch, FILE, range, operation, tokenSequence, unacknowledged));
    }

    List<TokenHomeAction> durable(List<TokenHomeAction> admitted) {
        TokenHomeAction.Admit admit = find(admitted, TokenHomeAction.Admit.class);
        Version version = new Version(home.epoch(), home.version(admit.file()).index() + 1);
        return on(new TokenHomeEvent.Durable(admit.commit(), version));
    }

    static <T extends TokenHomeAction> T find(List<TokenHomeAction> actions, Class<T> type) {
        return all(actions, type).getFirst();
    }

    static <T extends TokenHomeAction> List<T> all(List<TokenHomeAction> actions, Class<T> type) {
        return actions.stream().filter(type::isInstance).map(type::cast).toList();
    }

    static boolean refused(List<TokenHomeAction> actions, Reason reason) {
        return actions.stream().anyMatch(action -> action instanceof Refused refused && refused.reason() == reason);
    }
}
