package spigot.coherence;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import spigot.model.NodeId;

/**
 * The sessions of a grantor, of whatever kind. Not thread-safe; at most {@link Terms#maxSessions}. A client has at most two: the one that it uses, and one that was begun and not used
 * yet, which may come from a late copy of an old Hello.
 */
public final class GrantorSessions<S extends GrantorSession> {
    /**
     * How long sessions last.
     *
     * @param marginMillis how much later than the client the grantor lets one end
     * @param onlyByOwner whether a session may be used only by the client that began it: always, but in tests
     */
    public record Terms(long leaseMillis, long marginMillis, int maxSessions, boolean onlyByOwner) {}

    /** Makes the session of a kind of grantor. */
    @FunctionalInterface
    public interface Kind<S> {
        S begin(ClientId client, long number, long nonce);
    }

    private final Terms terms;
    private final Kind<S> kind;

    /** By number; in the order of their deadlines, because each is extended by the same time. */
    private final SequencedMap<Long, S> all = new LinkedHashMap<>();

    private final Map<ClientId, S> used = new HashMap<>();
    private final Map<ClientId, S> unused = new HashMap<>();
    private long lastNumber;

    public GrantorSessions(Terms terms, long epoch, Kind<S> kind) {
        this.terms = terms;
        this.kind = kind;
        // No two lives of a grantor use the same numbers.
        this.lastNumber = epoch << 32;
    }

    public int size() {
        return all.size();
    }

    public boolean full() {
        return all.size() >= terms.maxSessions();
    }

    /** The session whose time was over first, if there is one: to be ended. */
    public @Nullable S over(long nowMillis) {
        Map.Entry<Long, S> first = all.firstEntry();
        return first != null && first.getValue().deadlineMillis <= nowMillis ? first.getValue() : null;
    }

    public @Nullable S get(long number) {
        return all.get(number);
    }

    /** The session, if it is this client's. */
    public @Nullable S of(NodeId client, long number) {
        S session = all.get(number);
        boolean own = session != null && session.client.node().equals(client);
        return own || !terms.onlyByOwner() ? session : null;
    }

    /** The session that this very Hello has begun. */
    public @Nullable S find(ClientId client, long nonce) {
        S current = used.get(client);
        if (current != null && current.nonce == nonce) {
            return current;
        }
        S next = unused.get(client);
        return next != null && next.nonce == nonce ? next : null;
    }

    public @Nullable S usedOf(ClientId client) {
        return used.get(client);
    }

    public @Nullable S unusedOf(ClientId client) {
        return unused.get(client);
    }

    public S begin(ClientId client, long nonce) {
        S session = kind.begin(client, ++lastNumber, nonce);
        InvariantException.check(
                unused.put(client, session) == null, "a client has at most one session that it does not use");
        all.putLast(session.number, session);
        InvariantException.check(all.size() <= terms.maxSessions(), "there are not more sessions than allowed");
        return session;
    }

    public void extend(S session, long nowMillis) {
        session.deadlineMillis = nowMillis + terms.leaseMillis() + terms.marginMillis();
        all.putLast(session.number, session);
    }

    /** @return the older session that this use ends: still to be ended */
    public @Nullable S use(S session) {
        return unused.remove(session.client, session) ? used.put(session.client, session) : null;
    }

    public void end(S session) {
        all.remove(session.number);
        used.remove(session.client, session);
        unused.remove(session.client, session);
    }
}
