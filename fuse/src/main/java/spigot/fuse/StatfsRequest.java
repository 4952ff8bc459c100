package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** STATFS: sizes of the file system. */
public final class StatfsRequest extends Request<StatfsRequest> {
    StatfsRequest() {}

    /**
     * @param blockBytes the unit of the three block counts
     * @param nameBytes the longest name
     */
    public boolean reply(
            int blockBytes,
            long blocks,
            long freeBlocks,
            long availableBlocks,
            long files,
            long freeFiles,
            int nameBytes) {
        MemorySegment memory = replyBuffer(Layout.STATFS_OUT_BYTES).memory();
        long at = ReplyBuffer.PAYLOAD;
        memory.asSlice(at, Layout.STATFS_OUT_BYTES).fill((byte) 0);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.STATFS_OUT_BLOCKS, blocks);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.STATFS_OUT_FREE, freeBlocks);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.STATFS_OUT_AVAILABLE, availableBlocks);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.STATFS_OUT_FILES, files);
        memory.set(JAVA_LONG_UNALIGNED, at + Layout.STATFS_OUT_FILES_FREE, freeFiles);
        memory.set(JAVA_INT_UNALIGNED, at + Layout.STATFS_OUT_BLOCK_SIZE, blockBytes);
        memory.set(JAVA_INT_UNALIGNED, at + Layout.STATFS_OUT_NAME_LENGTH, nameBytes);
        memory.set(JAVA_INT_UNALIGNED, at + Layout.STATFS_OUT_FRAGMENT_SIZE, blockBytes);
        return send(Layout.STATFS_OUT_BYTES);
    }

    @Override
    StatfsRequest blank() {
        return new StatfsRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.statfs(this);
    }
}
