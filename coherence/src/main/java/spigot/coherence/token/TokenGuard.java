package spigot.coherence.token;

/**
 * The conditions on which the safety and the progress of tokens hang, by name, so that a test can take one away and see that
 * this is found. Production always has all of them: only package-private constructors take less.
 */
enum TokenGuard {
    // At the home:
    /** A token is granted only when all that conflict were given back or their sessions have ended. */
    GRANT_AFTER_ACKS,
    /** A grant grows only as far as nobody objects. */
    GROWTH_STOPS,
    /** Nothing is granted of what is being committed for somebody else, nor served. */
    GRANT_AFTER_COMMIT,
    /** Who came first is served first, range by range. */
    FIRST_COME,
    /** A token is left to its holder for a while before it is asked back. */
    MINIMUM_HOLD,
    /** What ping-pongs is served by the home. */
    SERIALISE,
    /** ... to one after the other. */
    ONE_AT_A_TIME,
    /** Nothing is granted after a restart until all sessions of the former life have said Hello or are over. */
    GRACE,
    /** Only what a session of the former life held can be reclaimed, and once. */
    RECLAIM_ONCE,
    /** A session that reclaims is in use from the beginning: no late copy of an old Hello ends it. */
    RECLAIM_IS_USE,
    /** The home's deadline is later than the client's, also by clocks whose rates differ. */
    MARGIN,
    /** An acknowledgement counts only for the Revoke that it names. */
    ACK_SEQUENCE,
    /** A Release gives back only what was granted up to the grant that it names. */
    RELEASE_SEQUENCE,
    /** Hello does not end the older session: only the first use of the new one does. */
    OLD_SESSION_UNTIL_USE,
    /** A session that has not acknowledged for a whole lease is not renewed. */
    NO_RENEWAL_WHILE_OVERDUE,
    /** A Revoke is sent again until it is acknowledged. */
    REVOKE_AGAIN,
    /** Only the client whose session it is may use it. */
    OWN_SESSION,
    /** Who writes has the exclusive token of all that is written. */
    WRITE_TOKEN,
    /** ... and had it when the write was sent. */
    WRITE_SEQUENCE,
    /** A write of another life of the home is refused. */
    WRITE_EPOCH,
    /** An operation is done once, however often it comes. */
    ONCE,
    /** What is not remembered of the changes counts as changed. */
    FORGOTTEN_IS_CHANGED,

    // At the holder:
    /** The lease is counted from when Hello or Renew was sent. */
    COUNT_FROM_SENDING,
    /** A lease ends by the holder's own clock. */
    EXPIRY,
    /** The caches are dropped in time before the lease ends. */
    DROP_AHEAD,
    /** After a lease has run out, a new session begins only when the caches are dropped or the home's deadline has passed too. */
    NEW_SESSION_AFTER_DROPS,
    /** A grant of another session is not applied. */
    GRANT_SESSION,
    /** A grant of another life of the home is not applied. */
    GRANT_EPOCH,
    /** A grant is applied once, by whom asked for it. */
    GRANT_ONCE,
    /** What a Revoke has overtaken is not applied. */
    GRANT_AFTER_REVOKE,
    /** What was given back is not applied. */
    GRANT_AFTER_RELEASE,
    /** Nothing is granted of a file whose pages of a lost session are being dropped. */
    GRANT_AFTER_DROP,
    /** A Revoke that overtakes the grant which was asked for waits for it. */
    REVOKE_AFTER_GRANT,
    /** A token is given back only after the pages are gone. */
    ACK_AFTER_DROP,
    /** ... and nothing is in service under it, nor was while the pages were being dropped. */
    ACK_AFTER_SERVICE,
    /** ... and what was written under it is committed. */
    ACK_AFTER_FLUSH,
    /** What is written again while it is being flushed stays dirty. */
    REWRITTEN_IS_DIRTY,
    /** Overlapping flushes go one after the other. */
    FLUSH_IN_ORDER
}
