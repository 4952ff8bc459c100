package spigot.mount;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import spigot.cache.OpenFile;
import spigot.cache.SliceConsumer;
import spigot.fuse.LseekRequest;
import spigot.fuse.OpenFlags;
import spigot.fuse.OpenRequest;
import spigot.fuse.ReadRequest;
import spigot.fuse.ReleaseRequest;
import spigot.linux.Errno;
import spigot.model.FileId;
import spigot.model.FileRecord;

/**
 * Open files and their bytes. A read that is in memory is answered on its worker, without an object being made; all else
 * waits on a virtual thread.
 */
final class DataOperations {
    private static final int O_ACCMODE = 3;
    private static final int O_RDONLY = 0;
    private static final int O_TRUNC = 01000;

    private final MountState state;
    private final ThreadLocal<Slice> slices = ThreadLocal.withInitial(Slice::new);

    DataOperations(MountState state) {
        this.state = state;
    }

    /** Sends bytes from where the cache has them; one for each worker. */
    private static final class Slice implements SliceConsumer {
        private @Nullable ReadRequest request;

        int answer(ReadRequest read, OpenFile file) throws IOException {
            request = read;
            try {
                return file.trySlice(read.offset(), read.size(), this);
            } finally {
                request = null;
            }
        }

        @Override
        public void accept(MemorySegment memory, long offset, int length) {
            ReadRequest read = request;
            if (read != null) {
                read.reply(memory, offset, length);
            }
        }
    }

    // ---- open, release ----

    void open(OpenRequest request) throws IOException {
        long start = System.nanoTime();
        long node = request.nodeId();
        FileId id = state.records.file(node);
        if ((request.flags() & O_ACCMODE) != O_RDONLY || (request.flags() & O_TRUNC) != 0) {
            request.replyError(Errno.EROFS);
            return;
        }
        FileRecord record = state.records.cached(node, id);
        OpenFile file = record == null ? null : state.files.tryOpen(record);
        if (record != null && file != null && agree(record, file.record())) {
            reply(request, node, id, file);
            state.statistics.done(Operation.OPEN, start);
            return;
        }
        if (file != null) {
            file.close();
        }
        state.later(Operation.OPEN, start, request, id, detached -> {
            FileRecord known = state.records.record(node, id);
            OpenFile opened = state.files.open(known);
            try {
                if (!agree(known, opened.record())) {
                    // The home is ahead of the catalog: the kernel would go by a size that it was told before.
                    state.kernel.dropAttributes(node);
                }
            } catch (InterruptedException e) {
                opened.close();
                throw e;
            }
            reply(detached, node, id, opened);
        });
    }

    private static boolean agree(FileRecord catalog, FileRecord home) {
        return !NodeRecords.isAhead(home, catalog) || home.attributes().equals(catalog.attributes());
    }

    private void reply(OpenRequest request, long node, FileId id, OpenFile file) throws IOException {
        int flags = file.keepsKernelPages() ? OpenFlags.KEEP_CACHE : 0;
        long handle = state.open.add(node, id, file);
        if (!request.reply(handle, flags)) {
            state.open.remove(handle);
        }
    }

    void release(ReleaseRequest request) {
        long start = System.nanoTime();
        state.open.remove(request.handle());
        request.replyDone();
        state.statistics.done(Operation.RELEASE, start);
    }

    // ---- read ----

    void read(ReadRequest request) throws IOException {
        long start = System.nanoTime();
        OpenFiles.FileHandle handle = state.open.get(request.handle());
        if (handle == null) {
            request.replyError(Errno.EBADF);
            return;
        }
        if (readFromMemory(request, handle)) {
            state.statistics.done(Operation.READ, start);
            return;
        }
        state.later(Operation.READ, start, request, handle.shared().file(), detached -> readAndWait(detached, handle));
    }

    private boolean readFromMemory(ReadRequest request, OpenFiles.FileHandle handle) throws IOException {
        FileId id = handle.shared().file();
        long stamp = state.gate.enter(id);
        try {
            handle.shared().answering(null);
            int bytes = slices.get().answer(request, handle.file());
            if (bytes < 0) {
                bytes = handle.file().tryRead(request.offset(), request.buffer());
                if (bytes < 0) {
                    return false;
                }
                request.reply(bytes);
            } else if (!request.isAnswered()) {
                request.reply(0);
            }
            state.statistics.read(bytes);
            return true;
        } finally {
            state.gate.leave(id, stamp);
        }
    }

    /**
     * Bytes that were read before the file's change was told are not sent after it was acknowledged, as the kernel would keep
     * them: they are read again.
     */
    private void readAndWait(ReadRequest request, OpenFiles.FileHandle handle)
            throws IOException, InterruptedException {
        OpenNode shared = handle.shared();
        // Direct reads lock no page.
        OpenNode.@Nullable PendingRead pending =
                request.isPageCacheFill() ? shared.begin(request.offset(), request.size()) : null;
        try {
            while (true) {
                int changes = shared.changes();
                int bytes = handle.file().read(request.offset(), request.buffer());
                long stamp = state.gate.enter(shared.file());
                try {
                    if (shared.changes() == changes) {
                        shared.answering(pending);
                        request.reply(bytes);
                        state.statistics.read(bytes);
                        return;
                    }
                } finally {
                    state.gate.leave(shared.file(), stamp);
                }
            }
        } finally {
            if (pending != null) {
                shared.end(pending);
            }
        }
    }

    // ---- lseek ----

    void lseek(LseekRequest request) {
        long start = System.nanoTime();
        OpenFiles.FileHandle handle = state.open.get(request.handle());
        if (handle == null) {
            request.replyError(Errno.EBADF);
            return;
        }
        state.later(Operation.LSEEK, start, request, handle.shared().file(), detached -> {
            long found = handle.file().seek(detached.offset(), detached.whence() == LseekRequest.HOLE);
            if (found < 0) {
                detached.replyError(Errno.ENXIO);
            } else {
                detached.reply(found);
            }
        });
    }
}
