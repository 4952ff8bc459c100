package spigot.fuse;

/** GETATTR: the attributes of a node. */
public final class GetattrRequest extends AttributesRequest<GetattrRequest> {
    GetattrRequest() {}

    /** Whether it was asked through an open file. */
    public boolean hasHandle() {
        return (intAt(Layout.GETATTR_IN_FLAGS) & 1) != 0;
    }

    /** Valid with {@link #hasHandle}. */
    public long handle() {
        return longAt(Layout.GETATTR_IN_HANDLE);
    }

    @Override
    GetattrRequest blank() {
        return new GetattrRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.getattr(this);
    }
}
