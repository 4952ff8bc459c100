package spigot.coherence.token;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import spigot.coherence.token.TokenHolderAction.Drop;
import spigot.model.FileId;
import spigot.model.Version;

/** A holder with a clock to turn by hand, with one open file. */
final class TokenHolderBench {
    static final FileId FILE = new FileId(1, 1);
    static final TokenHolderConfig CONFIG = new TokenHolderConfig(0, 6, 4, 2, 2 * Range.BLOCK, 2, 60);

    final TokenHolder holder;
    long now = 5_000;
    private long nonces;
    private long requests;

    TokenHolderBench() {
        this(EnumSet.allOf(TokenGuard.class));
    }

    TokenHolderBench(Set<TokenGuard> guards) {
        holder = new TokenHolder(CONFIG, () -> ++nonces, now, guards);
        on(new TokenHolderEvent.Opened(FILE));
    }

    List<TokenHolderAction> on(TokenHolderEvent event) {
        List<TokenHolderAction> actions = new ArrayList<>();
        holder.on(event, now, actions::add);
        return actions;
    }

    List<TokenHolderAction> after(long millis) {
        now += millis;
        return on(new TokenHolderEvent.Tick());
    }

    TokenHolderBench inSession(long number) {
        long nonce = find(on(new TokenHolderEvent.LinkUp()), TokenHolderAction.SendHello.class)
                .nonce();
        on(new TokenHolderEvent.Welcomed(nonce, number, 1, 1_000, 0, now));
        return this;
    }

    long want(Mode mode, Range required) {
        long request = ++requests;
        on(new TokenHolderEvent.Want(request, FILE, mode, required, Range.WHOLE));
        return request;
    }

    List<TokenHolderAction> granted(long request, long session, long epoch, Mode mode, Range range, long sequence) {
        return on(
                new TokenHolderEvent.Granted(request, session, epoch, FILE, mode, range, sequence, new Version(1, 1)));
    }

    /** Asks, and is granted in session 11. */
    void hold(Mode mode, Range range, long sequence) {
        granted(want(mode, range), 11, 1, mode, range, sequence);
    }

    List<TokenHolderAction> revoked(Range range, Mode downTo, long sequence) {
        return on(new TokenHolderEvent.Revoked(11, 1, FILE, range, downTo, sequence));
    }

    List<TokenHolderAction> dropped(List<TokenHolderAction> actions) {
        return on(new TokenHolderEvent.Dropped(FILE, find(actions, Drop.class).number()));
    }

    void dirty(Range range) {
        on(new TokenHolderEvent.Dirtied(FILE, range));
    }

    Token token(long block) {
        Token token = holder.tokens(FILE).at(block * Range.BLOCK);
        if (token == null) {
            throw new AssertionError("no token of block " + block);
        }
        return token;
    }

    boolean may(Mode mode, long block) {
        Token token = holder.tokens(FILE).at(block * Range.BLOCK);
        if (token == null || !token.enter(mode, now)) {
            return false;
        }
        token.exit();
        return true;
    }

    static <T extends TokenHolderAction> T find(List<TokenHolderAction> actions, Class<T> type) {
        return all(actions, type).getFirst();
    }

    static <T extends TokenHolderAction> List<T> all(List<TokenHolderAction> actions, Class<T> type) {
        return actions.stream().filter(type::isInstance).map(type::cast).toList();
    }
}
