package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import spigot.linux.Memory;

/**
 * What kernel and file system agreed on by INIT.
 *
 * @param minor the protocol is 7.minor
 * @param flags bits of {@link InitFlags} that both sides know
 * @param maxIoBytes the largest READ or WRITE
 * @param readAheadBytes how far the kernel may read ahead
 * @param maxBackground asynchronous requests in flight
 */
record Agreement(int minor, long flags, int maxIoBytes, int readAheadBytes, int maxBackground) {
    static final int MAJOR = 7;
    /** Linux 5.4 (2019): the first with all that is relied on. */
    static final int OLDEST_MINOR = 31;

    private static final int NEWEST_MINOR = 45;
    private static final int KERNEL_DEFAULT_PAGES = 32;

    /** What the kernel said in INIT. */
    record Offer(int major, int minor, int readAheadBytes, long flags) {
        static Offer read(MemorySegment frame, long body) {
            long flags = Integer.toUnsignedLong(frame.get(JAVA_INT_UNALIGNED, body + Layout.INIT_IN_FLAGS));
            if ((flags & InitFlags.INIT_EXT) != 0) {
                flags |= (long) frame.get(JAVA_INT_UNALIGNED, body + Layout.INIT_IN_FLAGS2) << 32;
            }
            return new Offer(
                    frame.get(JAVA_INT_UNALIGNED, body + Layout.INIT_IN_MAJOR),
                    frame.get(JAVA_INT_UNALIGNED, body + Layout.INIT_IN_MINOR),
                    frame.get(JAVA_INT_UNALIGNED, body + Layout.INIT_IN_READAHEAD),
                    flags);
        }
    }

    static Agreement on(Offer offer, MountOptions options) throws FuseException {
        if (offer.major() != MAJOR || offer.minor() < OLDEST_MINOR) {
            throw new FuseException("the kernel speaks FUSE " + offer.major() + "." + offer.minor()
                    + ", needed is at least 7." + OLDEST_MINOR + ": use Linux 5.4 or later");
        }
        long flags = options.initFlags() & offer.flags();
        int pages = (flags & InitFlags.MAX_PAGES) != 0
                ? options.maxWriteBytes() / Memory.PAGE_BYTES
                : Math.min(KERNEL_DEFAULT_PAGES, options.maxWriteBytes() / Memory.PAGE_BYTES);
        return new Agreement(
                Math.min(offer.minor(), NEWEST_MINOR),
                flags,
                pages * Memory.PAGE_BYTES,
                Math.max(options.readAheadBytes(), 0),
                options.maxBackground());
    }

    /** Writes the answer to INIT, {@link Layout#INIT_OUT_BYTES} long. */
    void write(MemorySegment to, long at) {
        to.asSlice(at, Layout.INIT_OUT_BYTES).fill((byte) 0);
        to.set(JAVA_INT_UNALIGNED, at + Layout.INIT_OUT_MAJOR, MAJOR);
        to.set(JAVA_INT_UNALIGNED, at + Layout.INIT_OUT_MINOR, minor);
        to.set(JAVA_INT_UNALIGNED, at + Layout.INIT_OUT_READAHEAD, readAheadBytes);
        to.set(JAVA_INT_UNALIGNED, at + Layout.INIT_OUT_FLAGS, (int) flags);
        to.set(JAVA_INT_UNALIGNED, at + Layout.INIT_OUT_FLAGS2, (int) (flags >>> 32));
        to.set(JAVA_SHORT_UNALIGNED, at + Layout.INIT_OUT_BACKGROUND, (short) maxBackground);
        to.set(JAVA_SHORT_UNALIGNED, at + Layout.INIT_OUT_CONGESTION, (short) Math.max(1, maxBackground * 3 / 4));
        to.set(JAVA_INT_UNALIGNED, at + Layout.INIT_OUT_MAX_WRITE, maxIoBytes);
        to.set(JAVA_INT_UNALIGNED, at + Layout.INIT_OUT_TIME_GRANULARITY, 1);
        to.set(JAVA_SHORT_UNALIGNED, at + Layout.INIT_OUT_MAX_PAGES, (short) (maxIoBytes / Memory.PAGE_BYTES));
    }
}
