package spigot.coherence.token;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.SequencedMap;
import java.util.SequencedSet;
import spigot.coherence.ClientId;
import spigot.coherence.GrantorSession;

/** A session of a {@link TokenHome}, with all that dies with it. */
final class HomeSession extends GrantorSession {
    /** The one that was granted longest ago first. */
    final SequencedSet<HeldToken> tokens = new LinkedHashSet<>();

    /** Those that are not acknowledged, by sequence, oldest first. */
    final SequencedMap<Long, Revocation> owed = new LinkedHashMap<>();

    /** Its requests that wait. */
    final SequencedSet<Waiting> waiting = new LinkedHashSet<>();

    /** Of writes under a token, which wait for nobody. */
    final Replies written = new Replies();

    /** Of serialised writes, which wait for others, who may be waiting for those. */
    final Replies serialised = new Replies();

    /** Of the tokens that it brought along; 0 when there are none. */
    long reclaimSequence;

    HomeSession(ClientId client, long number, long nonce) {
        super(client, number, nonce);
    }
}
