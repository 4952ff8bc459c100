package spigot.fuse;

/** FALLOCATE: reserve, punch or zero a range. */
public final class FallocateRequest extends StatusRequest<FallocateRequest> {
    FallocateRequest() {}

    public long handle() {
        return longAt(Layout.FALLOCATE_IN_HANDLE);
    }

    public long offset() {
        return longAt(Layout.FALLOCATE_IN_OFFSET);
    }

    public long bytes() {
        return longAt(Layout.FALLOCATE_IN_LENGTH);
    }

    /** Flags of fallocate(2): {@code KEEP_SIZE} 1, {@code PUNCH_HOLE} 2, {@code ZERO_RANGE} 16. */
    public int mode() {
        return intAt(Layout.FALLOCATE_IN_MODE);
    }

    @Override
    FallocateRequest blank() {
        return new FallocateRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.fallocate(this);
    }
}
