package spigot.mount;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import spigot.catalog.client.DirectoryListing;
import spigot.fuse.DirectoryWriter;
import spigot.fuse.Entry;
import spigot.fuse.OpenFlags;
import spigot.fuse.OpenRequest;
import spigot.fuse.ReaddirRequest;
import spigot.fuse.ReleaseRequest;
import spigot.linux.Errno;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileRecord;

/**
 * Reading directories: a handle has one listing, which the kernel may keep under the directory's lease, so that reading it
 * again asks nobody.
 */
final class DirectoryOperations {
    private static final Logger log = LoggerFactory.getLogger(DirectoryOperations.class);
    private static final byte[] DOT = {'.'};
    private static final byte[] DOT_DOT = {'.', '.'};

    private final MountState state;
    private final NameOperations names;
    private final HandleTable<DirectoryHandle> handles;
    private final Listings listings;

    DirectoryOperations(MountState state, NameOperations names) {
        this.state = state;
        this.names = names;
        handles = new HandleTable<>(state.limits.openDirectories());
        listings = new Listings(state.limits.listingBytes());
    }

    int openDirectories() {
        return handles.size();
    }

    // ---- opendir, releasedir ----

    void opendir(OpenRequest request) throws IOException {
        long start = System.nanoTime();
        long node = request.nodeId();
        FileId directory = state.records.file(node);
        DirectoryListing listing = state.catalog.cachedListing(directory);
        if (listing != null) {
            open(request, node, directory, listing);
            state.statistics.done(Operation.OPENDIR, start);
        } else {
            state.later(Operation.OPENDIR, start, request, directory, detached -> {
                open(detached, node, directory, state.catalog.list(directory));
            });
        }
    }

    private void open(OpenRequest request, long node, FileId directory, DirectoryListing listing) throws IOException {
        int serial = listings.hold(listing);
        if (serial == 0) {
            throw new ErrorNumbers.TooManyOpenException("open directories hold " + listings.heldBytes()
                    + " bytes of listings, more is not allowed at this mount: close some, or raise its limit");
        }
        DirectoryHandle handle = new DirectoryHandle(node, directory, listings, listing, serial);
        long number = handles.add(handle);
        if (number == 0) {
            handle.close();
            throw new ErrorNumbers.TooManyOpenException("more than " + state.limits.openDirectories()
                    + " directories are open at this mount: close some, or raise its limit");
        }
        long stamp = state.gate.enter(directory);
        try {
            int flags = 0;
            if (state.catalog.isLeased(directory, listing)) {
                // The kernel's copy may stay if it is of this very listing, else this open drops it.
                flags = OpenFlags.CACHE_DIR | (state.nodes.listingGiven(node, serial) ? OpenFlags.KEEP_CACHE : 0);
            }
            if (!request.reply(number, flags)) {
                boolean _ = state.nodes.listingGiven(node, 0);
                close(number);
            }
        } finally {
            state.gate.leave(directory, stamp);
        }
    }

    void releasedir(ReleaseRequest request) {
        long start = System.nanoTime();
        close(request.handle());
        request.replyDone();
        state.statistics.done(Operation.RELEASEDIR, start);
    }

    private void close(long number) {
        DirectoryHandle handle = handles.remove(number);
        if (handle != null) {
            state.kernel.entriesTaken(handle);
            handle.close();
        }
    }

    void closeAll() {
        handles.removeAll().forEach(DirectoryHandle::close);
    }

    // ---- readdir, readdirplus ----

    void readdir(ReaddirRequest request) {
        long start = System.nanoTime();
        DirectoryHandle handle = handles.get(request.handle());
        if (handle == null) {
            request.replyError(Errno.EBADF);
            return;
        }
        // A further request on a handle says that the kernel is done with the answer to the former.
        state.kernel.entriesTaken(handle);
        DirectoryListing newest = request.offset() == 0 ? state.catalog.cachedListing(handle.directory()) : null;
        if (handle.isRewound(request.offset()) && newest == null) {
            state.later(Operation.READDIR, start, request, handle.directory(), detached -> {
                state.kernel.looking(handle.directory(), () -> reply(detached, handle, newestOrNull(handle)));
            });
            return;
        }
        reply(request, handle, newest);
        state.statistics.done(Operation.READDIR, start);
    }

    /** Who can't be told what the directory holds now gets once more what it held. */
    private @Nullable DirectoryListing newestOrNull(DirectoryHandle handle) throws InterruptedException {
        try {
            return state.catalog.list(handle.directory());
        } catch (IOException e) {
            log.debug("event=rewound_directory_not_refreshed directory={}", handle.directory(), e);
            return null;
        }
    }

    private void reply(ReaddirRequest request, DirectoryHandle handle, @Nullable DirectoryListing newest) {
        DirectoryHandle.Cursor cursor = handle.seek(request.offset(), newest);
        long stamp = state.gate.enter(handle.directory());
        try {
            if (request.isPlus() && state.catalog.isLeased(handle.directory(), cursor.listing())) {
                replyPlus(request, handle, cursor);
            } else {
                replyNames(request, handle, cursor);
            }
        } finally {
            state.gate.leave(handle.directory(), stamp);
        }
    }

    private void replyNames(ReaddirRequest request, DirectoryHandle handle, DirectoryHandle.Cursor cursor) {
        DirectoryWriter writer = request.names();
        int position = dots(writer, handle, cursor);
        DirectoryListing listing = cursor.listing();
        for (; position >= DirectoryHandle.FIRST_ENTRY && position < cursor.size(); position++) {
            int index = position - DirectoryHandle.FIRST_ENTRY;
            if (!writer.add(
                    listing.nameBytes(index),
                    listing.id(index).inode(),
                    listing.kind(index).typeBits(),
                    cursor.offsetAfter(position))) {
                break;
            }
        }
        request.reply();
    }

    private void replyPlus(ReaddirRequest request, DirectoryHandle handle, DirectoryHandle.Cursor cursor) {
        DirectoryWriter writer = request.names();
        int position = dots(writer, handle, cursor);
        DirectoryListing listing = cursor.listing();
        Entry entry = new Entry();
        long[] counted = new long[32];
        int count = 0;
        for (; position >= DirectoryHandle.FIRST_ENTRY && position < cursor.size(); position++) {
            int index = position - DirectoryHandle.FIRST_ENTRY;
            byte[] name = listing.nameBytes(index);
            FileRecord record = listing.record(index);
            names.fill(entry.clear(), record, handle.node(), handle.directory(), name, true);
            if (!writer.add(name, entry, cursor.offsetAfter(position))) {
                state.nodes.forget(entry.nodeId, 1);
                break;
            }
            if (count == counted.length) {
                counted = Arrays.copyOf(counted, count * 2);
            }
            counted[count++] = entry.nodeId;
        }
        if (count > 0) {
            state.kernel.entriesGiven(handle);
        }
        if (!request.reply()) {
            for (int i = 0; i < count; i++) {
                state.nodes.forget(counted[i], 1);
            }
        }
    }

    /** Adds "." and ".." if the read begins there; @return the position to go on at, less than FIRST_ENTRY when they did not fit */
    private static int dots(DirectoryWriter writer, DirectoryHandle handle, DirectoryHandle.Cursor cursor) {
        int position = cursor.position();
        int mode = FileKind.DIRECTORY.typeBits();
        if (position == DirectoryHandle.DOT
                && writer.add(DOT, handle.directory().inode(), mode, cursor.offsetAfter(position))) {
            position++;
        }
        if (position == DirectoryHandle.DOT_DOT
                && writer.add(DOT_DOT, cursor.listing().parent().inode(), mode, cursor.offsetAfter(position))) {
            position++;
        }
        return position;
    }
}
