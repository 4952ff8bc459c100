package spigot.mount;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import spigot.cache.FileClient;
import spigot.catalog.client.CatalogClient;
import spigot.fuse.FuseException;
import spigot.fuse.FuseMount;
import spigot.fuse.FuseSession;
import spigot.fuse.FuseStatistics;
import spigot.fuse.InitFlags;
import spigot.fuse.MountOptions;

/**
 * A grid that is mounted. Any thread may call it, but no thread of the mount. The clients belong to the caller, who closes
 * them after the mount has ended.
 */
public final class MountedGrid implements AutoCloseable {
    private final FuseSession session;
    private final SpigotFileSystem fileSystem;
    private final MountState state;

    private MountedGrid(FuseSession session, SpigotFileSystem fileSystem, MountState state) {
        this.session = session;
        this.fileSystem = fileSystem;
        this.state = state;
    }

    /**
     * Mounts and serves until {@link #unmount}, or until somebody else unmounts.
     *
     * @param point an existing directory
     * @param options from {@link #options}, changed where it should differ
     * @param kernel the listener that both clients were started with; for one mount only
     * @throws FuseException with one line for the user when it can't be done; then nothing is left behind
     */
    public static MountedGrid start(
            Path point,
            MountOptions options,
            MountLimits limits,
            KernelCaches kernel,
            CatalogClient catalog,
            FileClient files)
            throws FuseException {
        MountState state = new MountState(catalog, files, limits, kernel);
        SpigotFileSystem fileSystem = new SpigotFileSystem(state);
        FuseSession session = FuseMount.mount(point, options, fileSystem);
        return new MountedGrid(session, fileSystem, state);
    }

    /**
     * What suits a grid: read-only; permissions checked by the kernel, by the access control lists of files too, as without
     * them the group bits of a mode would give more than the owner did; neither devices nor set-user-id programs. Without
     * ASYNC_DIO, as a process in a direct read could not be killed then while a server does not answer.
     */
    public static MountOptions options() {
        return MountOptions.defaults()
                .withReadOnly(true)
                .withInitFlags(
                        (InitFlags.STANDARD & ~InitFlags.ASYNC_DIO) | InitFlags.EXPORT_SUPPORT | InitFlags.POSIX_ACL);
    }

    public Path mountPoint() {
        return session.mountPoint();
    }

    /**
     * All that is counted.
     *
     * @param fuse by the kernel's own operations
     * @param nodes inodes that the kernel knows
     */
    public record Status(
            MountStatistics.Snapshot operations, FuseStatistics fuse, int nodes, int openFiles, int openDirectories) {}

    public Status status() {
        return new Status(
                state.statistics.snapshot(),
                session.statistics(),
                state.nodes.size(),
                state.open.size(),
                fileSystem.openDirectories());
    }

    /** Whether statfs has been told figures yet. */
    boolean hasFigures() {
        return fileSystem.hasFigures();
    }

    /** Completed when the mount has ended, by whatever. */
    public CompletableFuture<FuseSession.End> ended() {
        return session.ended();
    }

    /** Unmounts, also under programs that use it; returns when nothing is served any more. */
    public void unmount() throws FuseException, InterruptedException {
        session.unmount();
    }

    /** As {@link #unmount}. */
    @Override
    public void close() throws FuseException {
        session.close();
    }
}
