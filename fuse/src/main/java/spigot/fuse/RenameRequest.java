package spigot.fuse;

/** RENAME or RENAME2: move {@link #name} of {@link #nodeId} to {@link #newName} of {@link #newDirectory}. */
public final class RenameRequest extends StatusRequest<RenameRequest> {
    public static final int NOREPLACE = 1;
    public static final int EXCHANGE = 1 << 1;

    RenameRequest() {}

    public Name name() {
        return firstName;
    }

    public Name newName() {
        return secondName;
    }

    public long newDirectory() {
        return longAt(Layout.RENAME_IN_NEW_DIRECTORY);
    }

    /** {@link #NOREPLACE}, {@link #EXCHANGE} or 0. */
    public int flags() {
        return is(Opcode.RENAME2) ? intAt(Layout.RENAME2_IN_FLAGS) : 0;
    }

    @Override
    RenameRequest blank() {
        return new RenameRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.rename(this);
    }
}
