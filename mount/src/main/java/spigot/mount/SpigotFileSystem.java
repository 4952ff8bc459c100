package spigot.mount;

import java.io.IOException;
import spigot.fuse.CreateRequest;
import spigot.fuse.FallocateRequest;
import spigot.fuse.FileSystem;
import spigot.fuse.FuseSession;
import spigot.fuse.GetattrRequest;
import spigot.fuse.GetxattrRequest;
import spigot.fuse.ListxattrRequest;
import spigot.fuse.LookupRequest;
import spigot.fuse.LseekRequest;
import spigot.fuse.OpenRequest;
import spigot.fuse.ReadRequest;
import spigot.fuse.ReaddirRequest;
import spigot.fuse.ReadlinkRequest;
import spigot.fuse.ReleaseRequest;
import spigot.fuse.RemovexattrRequest;
import spigot.fuse.Request;
import spigot.fuse.SetxattrRequest;
import spigot.fuse.StatfsRequest;
import spigot.fuse.StatxRequest;
import spigot.linux.Errno;
import spigot.model.FileId;
import spigot.model.FileName;

/**
 * A grid as a read-only file system. Runs on the workers of the mount: what is in memory is answered at once, all else on a
 * virtual thread. What changes a file system is refused with EROFS, which the interface's own methods do where they are not
 * overridden. Locks are left to the kernel; FLUSH and FSYNC have nothing to do, and the kernel is told so once.
 */
final class SpigotFileSystem implements FileSystem {
    private static final int STATFS_BLOCK_BYTES = 4096;

    private final MountState state;
    private final NameOperations names;
    private final DirectoryOperations directories;
    private final DataOperations data;
    private final XattrOperations xattrs;
    private final GridFigures figures;

    SpigotFileSystem(MountState state) {
        this.state = state;
        names = new NameOperations(state);
        directories = new DirectoryOperations(state, names);
        data = new DataOperations(state);
        xattrs = new XattrOperations(state);
        figures = new GridFigures(state.catalog::grid);
    }

    @Override
    public void init(FuseSession session) {
        state.kernel.attach(session);
        // The first df(1) is to find figures: it does not wait for them.
        figures.now();
    }

    /** Whether df(1) would show something. */
    boolean hasFigures() {
        return figures.areKnown();
    }

    int openDirectories() {
        return directories.openDirectories();
    }

    /** Answers on the worker; what goes wrong there is answered too. */
    @FunctionalInterface
    private interface Inline<R> {
        void serve(R request) throws IOException;
    }

    private <R extends Request<R>> void serve(Operation operation, R request, Inline<R> body) {
        try {
            body.serve(request);
        } catch (IOException e) {
            FileId file = state.nodes.file(request.nodeId());
            state.fail(operation, request, file == null ? FileId.ROOT : file, e);
        }
    }

    // ---- names ----

    @Override
    public void lookup(LookupRequest request) {
        serve(Operation.LOOKUP, request, names::lookup);
    }

    @Override
    public void forget(long nodeId, long lookups) {
        names.forget(nodeId, lookups);
    }

    @Override
    public void getattr(GetattrRequest request) {
        serve(Operation.GETATTR, request, names::getattr);
    }

    @Override
    public void statx(StatxRequest request) {
        serve(Operation.GETATTR, request, names::statx);
    }

    @Override
    public void readlink(ReadlinkRequest request) {
        serve(Operation.READLINK, request, names::readlink);
    }

    @Override
    public void opendir(OpenRequest request) {
        serve(Operation.OPENDIR, request, directories::opendir);
    }

    @Override
    public void readdir(ReaddirRequest request) {
        serve(Operation.READDIR, request, directories::readdir);
    }

    @Override
    public void releasedir(ReleaseRequest request) {
        directories.releasedir(request);
    }

    @Override
    public void statfs(StatfsRequest request) {
        long start = System.nanoTime();
        GridFigures.Figures now = figures.now();
        long free = now.freeBytes() / STATFS_BLOCK_BYTES;
        request.reply(
                STATFS_BLOCK_BYTES,
                Math.ceilDiv(now.bytes(), STATFS_BLOCK_BYTES),
                free,
                free,
                now.files(),
                0,
                FileName.MAX_BYTES);
        state.statistics.done(Operation.STATFS, start);
    }

    // ---- data ----

    @Override
    public void open(OpenRequest request) {
        serve(Operation.OPEN, request, data::open);
    }

    @Override
    public void read(ReadRequest request) throws IOException {
        data.read(request);
    }

    @Override
    public void lseek(LseekRequest request) {
        data.lseek(request);
    }

    @Override
    public void release(ReleaseRequest request) {
        data.release(request);
    }

    // ---- extended attributes ----

    @Override
    public void getxattr(GetxattrRequest request) {
        serve(Operation.GETXATTR, request, xattrs::getxattr);
    }

    @Override
    public void listxattr(ListxattrRequest request) {
        serve(Operation.LISTXATTR, request, xattrs::listxattr);
    }

    // ---- changes that the interface would refuse with another number ----

    @Override
    public void setxattr(SetxattrRequest request) {
        request.replyError(Errno.EROFS);
    }

    @Override
    public void removexattr(RemovexattrRequest request) {
        request.replyError(Errno.EROFS);
    }

    @Override
    public void tmpfile(CreateRequest request) {
        request.replyError(Errno.EROFS);
    }

    @Override
    public void fallocate(FallocateRequest request) {
        request.replyError(Errno.EROFS);
    }

    @Override
    public void destroy() {
        state.open.closeAll();
        directories.closeAll();
    }
}
