package spigot.fuse;

/** LOOKUP: which node does a name of the directory {@link #nodeId} lead to? */
public final class LookupRequest extends EntryRequest<LookupRequest> {
    LookupRequest() {}

    public Name name() {
        return firstName;
    }

    /**
     * Answers that there is no such name, and that the kernel may believe so for a time; with 0, as with {@code replyError(ENOENT)}, it asks again.
     */
    public boolean replyAbsent(long validNanos) {
        Entry absent = entry();
        absent.entryValidNanos = validNanos;
        return reply(absent);
    }

    @Override
    LookupRequest blank() {
        return new LookupRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.lookup(this);
    }
}
