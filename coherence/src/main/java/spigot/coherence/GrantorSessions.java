package spigot.coherence;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import spigot.model.NodeId;

/**
 * The sessions of a {@link Grantor}. A client has at most two: the one that it uses, and one that was begun and not used
 * yet, which may come from a late copy of an old Hello.
 */
final class GrantorSessions {
    private final GrantorConfig config;
    private final Set<Guard> guards;

    /** By number; in the order of their deadlines, because each is extended by the same time. */
    private final SequencedMap<Long, GrantorSession> all = new LinkedHashMap<>();

    private final Map<ClientId, GrantorSession> used = new HashMap<>();
    private final Map<ClientId, GrantorSession> unused = new HashMap<>();
    private long lastNumber;

    GrantorSessions(GrantorConfig config, long epoch, Set<Guard> guards) {
        this.config = config;
        this.guards = guards;
        // No two lives of a grantor use the same numbers.
        this.lastNumber = epoch << 32;
    }

    int size() {
        return all.size();
    }

    @Nullable
    GrantorSession firstToEnd() {
        Map.Entry<Long, GrantorSession> first = all.firstEntry();
        return first == null ? null : first.getValue();
    }

    @Nullable
    GrantorSession get(long number) {
        return all.get(number);
    }

    /** The session, if it is this client's. */
    @Nullable
    GrantorSession of(NodeId client, long number) {
        GrantorSession session = all.get(number);
        boolean own = session != null && session.client.node().equals(client);
        return own || !guards.contains(Guard.OWN_SESSION) ? session : null;
    }

    /** The session that this very Hello has begun. */
    @Nullable
    GrantorSession find(ClientId client, long nonce) {
        GrantorSession current = used.get(client);
        if (current != null && current.nonce == nonce) {
            return current;
        }
        GrantorSession next = unused.get(client);
        return next != null && next.nonce == nonce ? next : null;
    }

    @Nullable
    GrantorSession usedOf(ClientId client) {
        return used.get(client);
    }

    @Nullable
    GrantorSession unusedOf(ClientId client) {
        return unused.get(client);
    }

    GrantorSession begin(ClientId client, long nonce) {
        GrantorSession session = new GrantorSession(client, ++lastNumber, nonce);
        InvariantException.check(
                unused.put(client, session) == null, "a client has at most one session that it does not use");
        all.putLast(session.number, session);
        InvariantException.check(all.size() <= config.maxSessions(), "there are not more sessions than allowed");
        return session;
    }

    void extend(GrantorSession session, long nowMillis) {
        long margin = guards.contains(Guard.MARGIN) ? config.marginMillis() : 0;
        session.deadlineMillis = nowMillis + config.leaseMillis() + margin;
        all.putLast(session.number, session);
    }

    /** @return the older session that this use ends: still to be ended */
    @Nullable
    GrantorSession use(GrantorSession session) {
        return unused.remove(session.client, session) ? used.put(session.client, session) : null;
    }

    void end(GrantorSession session) {
        all.remove(session.number);
        used.remove(session.client, session);
        unused.remove(session.client, session);
    }
}
