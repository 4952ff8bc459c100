package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** STATX: the attributes of a node with its birth time. After ENOSYS the kernel asks by GETATTR from then on. */
public final class StatxRequest extends AttributesRequest<StatxRequest> {
    private static final int BASIC_AND_BIRTH = 0xfff;

    StatxRequest() {}

    public boolean hasHandle() {
        return (intAt(Layout.STATX_IN_GETATTR_FLAGS) & 1) != 0;
    }

    public long handle() {
        return longAt(Layout.STATX_IN_HANDLE);
    }

    /** What is asked for, bits of statx(2). */
    public int mask() {
        return intAt(Layout.STATX_IN_MASK);
    }

    /** Answers with basic attributes and a birth time. */
    public boolean reply(NodeAttributes attributes, long birthSeconds, int birthNanos, long validNanos) {
        MemorySegment memory = replyBuffer(Layout.STATX_OUT_BYTES).memory();
        long at = ReplyBuffer.PAYLOAD;
        long statx = at + Layout.STATX_OUT_STATX;
        memory.asSlice(at, Layout.STATX_OUT_BYTES).fill((byte) 0);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.STATX_OUT_VALID, Entry.seconds(validNanos));
        memory.set(JAVA_INT_UNALIGNED, at + Layout.STATX_OUT_VALID_NANOS, Entry.nanos(validNanos));
        memory.set(JAVA_INT_UNALIGNED, statx + Layout.STATX_MASK, BASIC_AND_BIRTH);
        memory.set(JAVA_INT_UNALIGNED, statx + Layout.STATX_BLOCK_SIZE, attributes.blockSize);
        memory.set(JAVA_INT_UNALIGNED, statx + Layout.STATX_LINKS, attributes.links);
        memory.set(JAVA_INT_UNALIGNED, statx + Layout.STATX_UID, attributes.uid);
        memory.set(JAVA_INT_UNALIGNED, statx + Layout.STATX_GID, attributes.gid);
        memory.set(JAVA_SHORT_UNALIGNED, statx + Layout.STATX_MODE, (short) attributes.mode);
        memory.set(JAVA_LONG_UNALIGNED, statx + Layout.STATX_INODE, attributes.inode);
        memory.set(JAVA_LONG_UNALIGNED, statx + Layout.STATX_SIZE, attributes.size);
        memory.set(JAVA_LONG_UNALIGNED, statx + Layout.STATX_BLOCKS, attributes.blocks);
        time(memory, statx + Layout.STATX_ATIME, attributes.accessSeconds, attributes.accessNanos);
        time(memory, statx + Layout.STATX_BTIME, birthSeconds, birthNanos);
        time(memory, statx + Layout.STATX_CTIME, attributes.changeSeconds, attributes.changeNanos);
        time(memory, statx + Layout.STATX_MTIME, attributes.modifySeconds, attributes.modifyNanos);
        int device = attributes.device;
        memory.set(JAVA_INT_UNALIGNED, statx + Layout.STATX_DEVICE_MAJOR, device >>> 8 & 0xfff);
        memory.set(JAVA_INT_UNALIGNED, statx + Layout.STATX_DEVICE_MINOR, device & 0xff | device >>> 12 & 0xfff00);
        return send(Layout.STATX_OUT_BYTES);
    }

    private static void time(MemorySegment memory, long at, long seconds, int nanos) {
        memory.set(JAVA_LONG_UNALIGNED, at, seconds);
        memory.set(JAVA_INT_UNALIGNED, at + 8, nanos);
    }

    @Override
    StatxRequest blank() {
        return new StatxRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.statx(this);
    }
}
