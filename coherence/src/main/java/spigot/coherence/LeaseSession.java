package spigot.coherence;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.SequencedMap;
import java.util.SequencedSet;
import spigot.model.FileId;

/** A session of a {@link Grantor}, with its leases. */
final class LeaseSession extends GrantorSession {
    /** Its leases; the one that was granted longest ago first, those being revoked last. */
    final SequencedMap<FileId, GrantedLease> leases = new LinkedHashMap<>();

    /** Those whose Revoke is not acknowledged, oldest first. */
    final SequencedSet<GrantedLease> owed = new LinkedHashSet<>();

    /** Its own changes that have taken effect and that it has not said to have seen: since when; oldest first. */
    final SequencedMap<Long, Long> unseen = new LinkedHashMap<>();

    LeaseSession(ClientId client, long number, long nonce) {
        super(client, number, nonce);
    }
}
