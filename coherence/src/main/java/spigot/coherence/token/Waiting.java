package spigot.coherence.token;

/** A request that waits its turn at one file. */
final class Waiting {
    enum Kind {
        ACQUIRE,
        /** A serialised read. */
        READ,
        /** A serialised write. */
        WRITE,
        /** A glimpse whose answer its holder did not know: the attributes are taken back. */
        RECALL
    }

    final Kind kind;
    final long request;
    final HomeSession session;
    final HomeFile file;
    final Mode mode;
    final Range required;
    final Range desired;

    /** Of a serialised write. */
    final long operation;

    /** Whether it was counted as a conflict. */
    boolean counted;

    Waiting(
            Kind kind,
            long request,
            HomeSession session,
            HomeFile file,
            Mode mode,
            Range required,
            Range desired,
            long operation) {
        this.kind = kind;
        this.request = request;
        this.session = session;
        this.file = file;
        this.mode = mode;
        this.required = required;
        this.desired = desired;
        this.operation = operation;
    }

    /** Whether the one that came later has to wait for the other. */
    boolean conflictsWith(Waiting other) {
        boolean both = session == other.session && kind == Kind.ACQUIRE && other.kind == Kind.ACQUIRE;
        return !both && mode.conflictsWith(other.mode) && required.overlaps(other.required);
    }
}
