package spigot.fuse;

/** SYNCFS: make all that was written durable. */
public final class SyncfsRequest extends StatusRequest<SyncfsRequest> {
    SyncfsRequest() {}

    @Override
    SyncfsRequest blank() {
        return new SyncfsRequest();
    }

    @Override
    void serve(FileSystem fileSystem) throws Exception {
        fileSystem.syncfs(this);
    }
}
