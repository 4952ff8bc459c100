package spigot.coherence;

/**
 * The conditions on which the protocol's safety hangs, by name, so that a test can take one away and see that this is
 * found. Production always has all of them: only package-private constructors take less.
 */
enum Guard {
    // At the grantor:
    /** A change is cleared only when all holders have acknowledged or ended. */
    CHANGE_WAITS_FOR_ACKS,
    /** Changes wait until the leases of the grantor's former life have run out. */
    GRACE,
    /** The grantor's deadline is later than the holder's, also by clocks whose rates differ. */
    MARGIN,
    /** Nothing is granted of an object that is being changed. */
    GRANTS_WAIT_BEHIND_CHANGES,
    /** An acknowledgement counts only for the Revoke that it names. */
    ACK_SEQUENCE,
    /** A Release gives back only the grant that it names, not a later one. */
    RELEASE_SEQUENCE,
    /** Hello does not end the older session: only the first use of the new one does. */
    OLD_SESSION_UNTIL_USE,
    /** A session that has not acknowledged for a whole lease is not renewed: no client can hold a change up for ever. */
    NO_RENEWAL_WHILE_OVERDUE,
    /** A Revoke is sent again until it is acknowledged. */
    REVOKE_AGAIN,
    /** Only the client whose session it is may use it. */
    OWN_SESSION,
    /** Of a change that has an actor, nobody else's leases stay. */
    ONLY_THE_ACTOR_IS_SPARED,
    /** A change that has taken effect stays open until its actor has seen it, or its session has ended. */
    OPEN_UNTIL_SEEN,
    /** Only the actor itself can have seen its change. */
    SEEN_BY_THE_ACTOR,
    /** What its actor has not seen is not shown to others, without a lease either. */
    UNSEEN_IS_NOT_SHOWN,
    /** What a former life has changed and its actor may not have seen is shown to nobody before that life's leases have run out. */
    HIDDEN_AFTER_RESTART,
    /** The actor's requests do not wait behind its own change, which waits for the actor. */
    ACTOR_DOES_NOT_WAIT_FOR_ITSELF,

    // At the holder:
    /** The lease is counted from when Hello or Renew was sent, not from when it was answered. */
    COUNT_FROM_SENDING,
    /** A lease ends by the holder's own clock. */
    EXPIRY,
    /** The caches are dropped in time before the lease ends. */
    DROP_AHEAD,
    /** After a lease has run out, a new session begins only when the caches are dropped or the grantor's deadline has passed too. */
    NEW_SESSION_AFTER_DROPS,
    /** A grant of another session is not applied. */
    GRANT_SESSION,
    /** A grant of another life of the grantor is not applied. */
    GRANT_EPOCH,
    /** A renewal by another life of the grantor ends the session. */
    RENEWAL_EPOCH,
    /** A grant that a Revoke has overtaken is not applied. */
    GRANT_AFTER_REVOKE,
    /** A grant that was given back is not applied when a copy of it comes later. */
    GRANT_AFTER_RELEASE,
    /** Nothing is granted while the caches of an earlier lease are still being dropped. */
    GRANT_AFTER_DROP,
    /** A Revoke is acknowledged only after the caches are gone. */
    ACK_AFTER_DROP,
    /** A grant that comes while caches are being dropped is given back only when they are gone. */
    RELEASE_AFTER_DROP,
    /** What was stored before the holder's own change is not valid under the lease that stays. */
    OWN_CHANGE_ENDS_LEASE,
    /** A lease stays only if it was of the version that the own change began with. */
    OWN_CHANGE_FROM_VERSION,
    /** Grants from before the holder's own change are void. */
    GRANT_AFTER_OWN_CHANGE,
    /** Every grant that is void is known as such, although only a bounded number is remembered one by one. */
    FORGOTTEN_ARE_VOID
}
