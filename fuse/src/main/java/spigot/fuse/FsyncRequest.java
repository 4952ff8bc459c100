package spigot.fuse;

/** FSYNC or FSYNCDIR: make what was written durable. */
public final class FsyncRequest extends StatusRequest<FsyncRequest> {
    FsyncRequest() {}

    public long handle() {
        return longAt(Layout.FSYNC_IN_HANDLE);
    }

    public boolean dataOnly() {
        return (intAt(Layout.FSYNC_IN_FLAGS) & 1) != 0;
    }

    @Override
    FsyncRequest blank() {
        return new FsyncRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        if (is(Opcode.FSYNC)) {
            fileSystem.fsync(this);
        } else {
            fileSystem.fsyncdir(this);
        }
    }
}
