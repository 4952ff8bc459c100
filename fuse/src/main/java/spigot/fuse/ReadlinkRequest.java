package spigot.fuse;

/** READLINK: where a symbolic link points. */
public final class ReadlinkRequest extends BytesRequest<ReadlinkRequest> {
    ReadlinkRequest() {}

    /** @param target without a zero byte at the end */
    public boolean reply(byte[] target) {
        return sendBytes(target);
    }

    @Override
    ReadlinkRequest blank() {
        return new ReadlinkRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.readlink(this);
    }
}
