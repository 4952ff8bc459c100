package spigot.fuse;

/** MKNOD: make a file, fifo, socket or device in the directory {@link #nodeId}. */
public final class MknodRequest extends EntryRequest<MknodRequest> {
    MknodRequest() {}

    public Name name() {
        return firstName;
    }

    public int mode() {
        return intAt(Layout.MKNOD_IN_MODE);
    }

    public int device() {
        return intAt(Layout.MKNOD_IN_DEVICE);
    }

    /** To be applied only with {@link InitFlags#DONT_MASK}. */
    public int umask() {
        return intAt(Layout.MKNOD_IN_UMASK);
    }

    @Override
    MknodRequest blank() {
        return new MknodRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.mknod(this);
    }
}
