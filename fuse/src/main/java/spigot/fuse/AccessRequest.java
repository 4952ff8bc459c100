package spigot.fuse;

/** ACCESS: may the caller? Not asked with default_permissions. */
public final class AccessRequest extends StatusRequest<AccessRequest> {
    AccessRequest() {}

    /** {@code R_OK} 4, {@code W_OK} 2, {@code X_OK} 1. */
    public int mask() {
        return intAt(Layout.ACCESS_IN_MASK);
    }

    @Override
    AccessRequest blank() {
        return new AccessRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.access(this);
    }
}
