package spigot.fuse;

/** UNLINK or RMDIR: remove a name from the directory {@link #nodeId}. */
public final class RemoveRequest extends StatusRequest<RemoveRequest> {
    RemoveRequest() {}

    public Name name() {
        return firstName;
    }

    @Override
    RemoveRequest blank() {
        return new RemoveRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        if (is(Opcode.UNLINK)) {
            fileSystem.unlink(this);
        } else {
            fileSystem.rmdir(this);
        }
    }
}
