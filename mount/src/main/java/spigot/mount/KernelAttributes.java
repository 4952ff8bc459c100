package spigot.mount;

import spigot.fuse.NodeAttributes;
import spigot.model.Attributes;
import spigot.model.FileRecord;

/** What a record looks like to {@code stat}. */
final class KernelAttributes {
    private static final long NANOS = 1_000_000_000L;
    private static final int STAT_BLOCK_BYTES = 512;

    private KernelAttributes() {}

    static void fill(NodeAttributes to, FileRecord record) {
        Attributes from = record.attributes();
        to.clear();
        to.inode = record.id().inode();
        to.size = from.size();
        to.blocks = Math.ceilDiv(from.allocatedBytes(), STAT_BLOCK_BYTES);
        to.accessSeconds = Math.floorDiv(from.accessedNanos(), NANOS);
        to.accessNanos = (int) Math.floorMod(from.accessedNanos(), NANOS);
        to.modifySeconds = Math.floorDiv(from.modifiedNanos(), NANOS);
        to.modifyNanos = (int) Math.floorMod(from.modifiedNanos(), NANOS);
        to.changeSeconds = Math.floorDiv(from.changedNanos(), NANOS);
        to.changeNanos = (int) Math.floorMod(from.changedNanos(), NANOS);
        to.mode = from.fullMode();
        to.links = from.links();
        to.uid = from.uid();
        to.gid = from.gid();
        to.device = from.device();
    }
}
