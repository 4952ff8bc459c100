package spigot.replica;

/** Hears how far a publication's registration is; called now and then from the thread that registers, must not block for long. */
@FunctionalInterface
public interface ProgressListener {
    ProgressListener NONE = (seen, registered, skipped) -> {};

    /**
     * @param seen entries looked at so far
     * @param registered of those, entries that were new or changed and are at the catalog now
     * @param skipped entries that could not be read; {@link ReplicaServer#skipped} lists them
     */
    void progress(long seen, long registered, long skipped);
}
