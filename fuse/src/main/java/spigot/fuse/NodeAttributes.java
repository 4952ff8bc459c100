package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * The attributes of a node as {@code stat(2)} shows them: a plain struct to fill and hand to a reply, so that answering needs no new object. Not safe for
 * use by two threads.
 */
public final class NodeAttributes {
    public long inode;
    /** Bytes. */
    public long size;
    /** Units of 512 bytes. */
    public long blocks;

    public long accessSeconds;
    public int accessNanos;
    public long modifySeconds;
    public int modifyNanos;
    public long changeSeconds;
    public int changeNanos;
    /** File type and permissions, as {@code st_mode}. */
    public int mode;

    public int links;
    public int uid;
    public int gid;
    /** In the kernel's 32-bit encoding: {@code minor & 0xff | major << 8 | (minor & ~0xff) << 12}. */
    public int device;

    public int blockSize;

    /** All zero, but one link and blocks of 4096 bytes. */
    public NodeAttributes clear() {
        inode = 0;
        size = 0;
        blocks = 0;
        accessSeconds = 0;
        accessNanos = 0;
        modifySeconds = 0;
        modifyNanos = 0;
        changeSeconds = 0;
        changeNanos = 0;
        mode = 0;
        links = 1;
        uid = 0;
        gid = 0;
        device = 0;
        blockSize = 4096;
        return this;
    }

    public void copyFrom(NodeAttributes other) {
        inode = other.inode;
        size = other.size;
        blocks = other.blocks;
        accessSeconds = other.accessSeconds;
        accessNanos = other.accessNanos;
        modifySeconds = other.modifySeconds;
        modifyNanos = other.modifyNanos;
        changeSeconds = other.changeSeconds;
        changeNanos = other.changeNanos;
        mode = other.mode;
        links = other.links;
        uid = other.uid;
        gid = other.gid;
        device = other.device;
        blockSize = other.blockSize;
    }

    void write(MemorySegment to, long at) {
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_INODE, inode);
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_SIZE, size);
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_BLOCKS, blocks);
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_ATIME, accessSeconds);
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_MTIME, modifySeconds);
        to.set(JAVA_LONG_UNALIGNED, at + Layout.ATTR_CTIME, changeSeconds);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_ATIME_NANOS, accessNanos);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_MTIME_NANOS, modifyNanos);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_CTIME_NANOS, changeNanos);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_MODE, mode);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_LINKS, links);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_UID, uid);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_GID, gid);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_DEVICE, device);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_BLOCK_SIZE, blockSize);
        to.set(JAVA_INT_UNALIGNED, at + Layout.ATTR_FLAGS, 0);
    }
}
