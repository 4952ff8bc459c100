package spigot.model;

/** What may be done with one copy of a file. */
public enum ReplicaState {
    /** Orders the file's versions and serves it. */
    HOME,
    /** Its digests agree with the home's: serves it. */
    VERIFIED,
    /** Not compared yet: not served. */
    UNVERIFIED,
    /** Its size or a digest differs from the home's: not served. */
    DIFFERS,
    /** Its server is not alive. */
    WITHDRAWN
}
