package spigot.fuse;

/** SYMLINK: make a symbolic link in the directory {@link #nodeId}. */
public final class SymlinkRequest extends EntryRequest<SymlinkRequest> {
    SymlinkRequest() {}

    public Name name() {
        return firstName;
    }

    public Name target() {
        return secondName;
    }

    @Override
    SymlinkRequest blank() {
        return new SymlinkRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.symlink(this);
    }
}
