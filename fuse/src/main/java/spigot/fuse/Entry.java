package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * What a name leads to, as LOOKUP and others answer: a plain struct to fill. Each answer with an entry, when its reply method returned true, counts as
 * one lookup of the node until {@link FileSystem#forget}. Not safe for use by two threads.
 */
public final class Entry {
    /** A validity that never ends by itself; a {@link Notifier} ends it. */
    public static final long FOREVER = Long.MAX_VALUE;

    private static final long NANOS = 1_000_000_000L;

    /** The kernel's name of the node; 0 says that the name does not exist, 1 is the root. */
    public long nodeId;
    /** Must differ when a node id is used again. */
    public long generation;
    /** How long the kernel may believe the name without asking. */
    public long entryValidNanos;
    /** How long the kernel may believe the attributes without asking. */
    public long attributesValidNanos;

    public final NodeAttributes attributes = new NodeAttributes();

    public Entry clear() {
        nodeId = 0;
        generation = 0;
        entryValidNanos = 0;
        attributesValidNanos = 0;
        attributes.clear();
        return this;
    }

    void write(MemorySegment to, long at) {
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ENTRY_OUT_NODE, nodeId);
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ENTRY_OUT_GENERATION, generation);
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ENTRY_OUT_VALID, seconds(entryValidNanos));
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ENTRY_OUT_ATTR_VALID, seconds(attributesValidNanos));
        to.set(JAVA_INT_UNALIGNED, at + Layout.ENTRY_OUT_VALID_NANOS, nanos(entryValidNanos));
        to.set(JAVA_INT_UNALIGNED, at + Layout.ENTRY_OUT_ATTR_VALID_NANOS, nanos(attributesValidNanos));
        attributes.write(to, at + Layout.ENTRY_OUT_ATTR);
    }

    static long seconds(long nanos) {
        return nanos / NANOS;
    }

    static int nanos(long nanos) {
        return (int) (nanos % NANOS);
    }
}
