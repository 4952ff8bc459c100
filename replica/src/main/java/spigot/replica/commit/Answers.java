package spigot.replica.commit;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import spigot.replica.commit.OperationKey.SessionKey;

/**
 * The answers to commits that their clients may not have heard. Of one thread at a time. Bounded: {@value #MOST_OF_A_SESSION}
 * answers of a session, which is then refused until it says what it has heard; {@value #MOST} answers and {@value #MOST_SESSIONS}
 * sessions in all, beyond which the session that was heard longest ago is forgotten.
 */
final class Answers {
    static final int MOST_SESSIONS = 4096;
    static final int MOST_OF_A_SESSION = 1024;
    static final int MOST = 65_536;

    private final Map<SessionKey, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);
    private int count;

    private static final class Session {
        final TreeMap<Long, Committed> byNumber = new TreeMap<>(Long::compareUnsigned);
        long heardBelow;
    }

    /** One session, for a snapshot. */
    record Kept(SessionKey session, long heardBelow, Map<Long, Committed> answers) {}

    @Nullable
    Committed find(OperationKey key) {
        Session session = sessions.get(key.sessionKey());
        return session == null ? null : session.byNumber.get(key.number());
    }

    boolean isHeard(OperationKey key) {
        Session session = sessions.get(key.sessionKey());
        return session != null && Long.compareUnsigned(key.number(), session.heardBelow) < 0;
    }

    /** Of its session, leaving out those that this request says were heard. */
    int unheard(OperationKey key) {
        Session session = sessions.get(key.sessionKey());
        return session == null
                ? 0
                : session.byNumber.tailMap(key.heardBelow(), true).size();
    }

    void put(OperationKey key, Committed answer) {
        Session session = sessions.computeIfAbsent(key.sessionKey(), _ -> new Session());
        if (Long.compareUnsigned(key.heardBelow(), session.heardBelow) > 0) {
            session.heardBelow = key.heardBelow();
            Map<Long, Committed> heard = session.byNumber.headMap(key.heardBelow(), false);
            count -= heard.size();
            heard.clear();
        }
        if (session.byNumber.put(key.number(), answer) == null) {
            count++;
        }
        forgetSome();
    }

    void end(SessionKey key) {
        Session session = sessions.remove(key);
        count -= session == null ? 0 : session.byNumber.size();
    }

    private void forgetSome() {
        Iterator<Session> oldest = sessions.values().iterator();
        while ((sessions.size() > MOST_SESSIONS || count > MOST) && oldest.hasNext()) {
            count -= oldest.next().byNumber.size();
            oldest.remove();
        }
    }

    /** In the order in which they were heard. */
    List<Kept> kept() {
        List<Kept> all = new ArrayList<>();
        sessions.forEach((key, session) -> all.add(new Kept(key, session.heardBelow, new TreeMap<>(session.byNumber))));
        return all;
    }

    void restore(Kept kept) {
        Session session = new Session();
        session.heardBelow = kept.heardBelow();
        session.byNumber.putAll(kept.answers());
        sessions.put(kept.session(), session);
        count += kept.answers().size();
    }

    int size() {
        return count;
    }
}
