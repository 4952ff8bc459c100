package spigot.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

/** BMAP: on which block of the device does a block of the file lie? */
public final class BmapRequest extends Request<BmapRequest> {
    BmapRequest() {}

    public long block() {
        return longAt(Layout.BMAP_IN_BLOCK);
    }

    public int blockSize() {
        return intAt(Layout.BMAP_IN_BLOCK_SIZE);
    }

    public boolean reply(long block) {
        replyBuffer(Layout.BMAP_OUT_BYTES).memory().set(JAVA_LONG_UNALIGNED, ReplyBuffer.PAYLOAD, block);
        return send(Layout.BMAP_OUT_BYTES);
    }

    @Override
    BmapRequest blank() {
        return new BmapRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.bmap(this);
    }
}
