package spigot.fuse;

/** RELEASE or RELEASEDIR: the last user of a handle is gone. Nobody waits for the answer. */
public final class ReleaseRequest extends StatusRequest<ReleaseRequest> {
    ReleaseRequest() {}

    public long handle() {
        return longAt(Layout.RELEASE_IN_HANDLE);
    }

    /** Flags of open(2) of the handle. */
    public int flags() {
        return intAt(Layout.RELEASE_IN_FLAGS);
    }

    /** Whether flock locks of the owner end. */
    public boolean unlocksFlock() {
        return (intAt(Layout.RELEASE_IN_RELEASE_FLAGS) & 2) != 0;
    }

    public long lockOwner() {
        return longAt(Layout.RELEASE_IN_LOCK_OWNER);
    }

    @Override
    ReleaseRequest blank() {
        return new ReleaseRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        if (is(Opcode.RELEASE)) {
            fileSystem.release(this);
        } else {
            fileSystem.releasedir(this);
        }
    }
}
