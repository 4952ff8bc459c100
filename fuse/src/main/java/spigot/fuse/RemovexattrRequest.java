package spigot.fuse;

/** REMOVEXATTR: remove an extended attribute. */
public final class RemovexattrRequest extends StatusRequest<RemovexattrRequest> {
    RemovexattrRequest() {}

    public Name name() {
        return firstName;
    }

    @Override
    RemovexattrRequest blank() {
        return new RemovexattrRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.removexattr(this);
    }
}
