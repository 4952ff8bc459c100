package spigot.fuse;

/** MKDIR: make a directory in the directory {@link #nodeId}. */
public final class MkdirRequest extends EntryRequest<MkdirRequest> {
    MkdirRequest() {}

    public Name name() {
        return firstName;
    }

    public int mode() {
        return intAt(Layout.MKDIR_IN_MODE);
    }

    /** To be applied only with {@link InitFlags#DONT_MASK}. */
    public int umask() {
        return intAt(Layout.MKDIR_IN_UMASK);
    }

    @Override
    MkdirRequest blank() {
        return new MkdirRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.mkdir(this);
    }
}
