package spigot.fuse;

/** FLUSH: a descriptor of the handle is closed; POSIX locks of the owner end. */
public final class FlushRequest extends StatusRequest<FlushRequest> {
    FlushRequest() {}

    public long handle() {
        return longAt(Layout.FLUSH_IN_HANDLE);
    }

    public long lockOwner() {
        return longAt(Layout.FLUSH_IN_LOCK_OWNER);
    }

    @Override
    FlushRequest blank() {
        return new FlushRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.flush(this);
    }
}
