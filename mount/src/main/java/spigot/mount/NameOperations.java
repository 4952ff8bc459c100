package spigot.mount;

import java.io.IOException;
import java.util.Optional;
import spigot.catalog.client.CachedLookup;
import spigot.fuse.AttributesRequest;
import spigot.fuse.Entry;
import spigot.fuse.GetattrRequest;
import spigot.fuse.LookupRequest;
import spigot.fuse.Name;
import spigot.fuse.NodeAttributes;
import spigot.fuse.ReadlinkRequest;
import spigot.fuse.Request;
import spigot.fuse.RequestHandler;
import spigot.fuse.StatxRequest;
import spigot.linux.Errno;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.FileName;
import spigot.model.FileRecord;

/**
 * Names and attributes. What is cached is answered at once; under a directory's lease the kernel may keep it, else it asks
 * again each time.
 */
final class NameOperations {
    private static final long NANOS = 1_000_000_000L;

    private final MountState state;

    NameOperations(MountState state) {
        this.state = state;
    }

    // ---- lookup ----

    void lookup(LookupRequest request) throws IOException {
        long start = System.nanoTime();
        FileId directory = state.records.file(request.nodeId());
        if (isDots(request.name())) {
            lookupDots(start, request, directory);
            return;
        }
        if (request.name().length() > FileName.MAX_BYTES) {
            request.replyError(Errno.ENAMETOOLONG);
            return;
        }
        byte[] bytes = request.name().bytes();
        FileName name = FileName.of(bytes);
        if (answerFromCache(request, directory, name, bytes)) {
            state.statistics.done(Operation.LOOKUP, start);
            return;
        }
        state.later(Operation.LOOKUP, start, request, directory, detached -> {
            state.kernel.looking(directory, () -> askAndAnswer(detached, directory, name, bytes));
        });
    }

    private void askAndAnswer(LookupRequest request, FileId directory, FileName name, byte[] bytes)
            throws IOException, InterruptedException {
        Optional<FileRecord> found = state.catalog.lookup(directory, name);
        // The lease that came with the answer lets the kernel keep it; without one it is good for this call only.
        if (!answerFromCache(request, directory, name, bytes)) {
            if (found.isPresent()) {
                replyEntry(request, found.get(), directory, bytes, false);
            } else {
                request.replyAbsent(0);
            }
        }
    }

    private boolean answerFromCache(LookupRequest request, FileId directory, FileName name, byte[] bytes) {
        long stamp = state.gate.enter(directory);
        try {
            boolean leased = state.isLeased(directory);
            CachedLookup found = state.catalog.cachedLookup(directory, name);
            if (found == null) {
                return false;
            }
            leased &= state.isLeased(directory);
            switch (found) {
                case CachedLookup.Present(FileRecord record) -> replyEntry(request, record, directory, bytes, leased);
                case CachedLookup.Absent _ -> {
                    if (leased) {
                        state.nodes.namesGiven(request.nodeId());
                    }
                    request.replyAbsent(leased ? state.kernel.nameValidNanos() : 0);
                }
            }
            return true;
        } finally {
            state.gate.leave(directory, stamp);
        }
    }

    private void replyEntry(LookupRequest request, FileRecord record, FileId directory, byte[] name, boolean leased) {
        Entry entry = request.entry();
        fill(entry, record, request.nodeId(), directory, name, leased);
        state.records.lookedUp(record);
        if (!request.reply(entry)) {
            state.nodes.forget(entry.nodeId, 1);
        }
    }

    /** Makes the entry of a name, and counts one lookup of its node, to be forgotten if the kernel does not take the answer. */
    void fill(Entry entry, FileRecord record, long directoryNode, FileId directory, byte[] name, boolean leased) {
        FileRecord seen = state.open.seenByHome(record.id());
        boolean keepAttributes = leased && seen == null;
        entry.nodeId = state.nodes.lookedUp(record.id(), directory, name, keepAttributes);
        entry.attributesValidNanos = keepAttributes ? MountState.LEASED_NANOS : 0;
        entry.entryValidNanos = leased ? state.kernel.nameValidNanos() : 0;
        if (leased) {
            state.nodes.namesGiven(directoryNode);
        }
        KernelAttributes.fill(entry.attributes, NodeRecords.newer(record, seen));
    }

    private static boolean isDots(Name name) {
        return name.length() > 0
                && name.length() <= 2
                && name.byteAt(0) == '.'
                && (name.length() == 1 || name.byteAt(1) == '.');
    }

    /** "." and "..", which are asked for when a file handle is opened (NFS export, open_by_handle_at). */
    private void lookupDots(long start, LookupRequest request, FileId file) {
        boolean self = request.name().length() == 1;
        long node = request.nodeId();
        state.later(Operation.LOOKUP, start, request, file, detached -> {
            FileRecord record = state.records.record(node, file);
            if (!self) {
                record = state.catalog.record(state.catalog.list(file).parent());
            }
            NodeTable.Place place = state.nodes.place(state.nodes.node(record.id()));
            Entry entry = detached.entry();
            FileId directory = place == null ? FileId.ROOT : place.directory();
            fill(
                    entry,
                    record,
                    node,
                    directory,
                    place == null ? new byte[0] : place.name().toArray(),
                    false);
            if (!detached.reply(entry)) {
                state.nodes.forget(entry.nodeId, 1);
            }
        });
    }

    void forget(long node, long lookups) {
        state.nodes.forget(node, lookups);
    }

    // ---- attributes ----

    void getattr(GetattrRequest request) throws IOException {
        attributes(request, (to, attributes, _, valid) -> to.reply(attributes, valid));
    }

    void statx(StatxRequest request) throws IOException {
        attributes(
                request,
                (to, attributes, born, valid) ->
                        to.reply(attributes, Math.floorDiv(born, NANOS), (int) Math.floorMod(born, NANOS), valid));
    }

    /** Answers with attributes; GETATTR and STATX differ only in this. */
    @FunctionalInterface
    private interface Answer<R> {
        boolean reply(R request, NodeAttributes attributes, long bornNanos, long validNanos);
    }

    private <R extends AttributesRequest<R>> void attributes(R request, Answer<R> answer) throws IOException {
        long start = System.nanoTime();
        long node = request.nodeId();
        FileId file = state.records.file(node);
        if (attributesFromCache(request, node, file, answer)) {
            state.statistics.done(Operation.GETATTR, start);
            return;
        }
        state.later(Operation.GETATTR, start, request, file, detached -> {
            FileRecord record = state.records.record(node, file);
            if (!attributesFromCache(detached, node, file, answer)) {
                reply(detached, node, record, false, answer);
            }
        });
    }

    private <R extends AttributesRequest<R>> boolean attributesFromCache(
            R request, long node, FileId file, Answer<R> answer) {
        FileId covering = state.records.covering(node);
        long stamp = state.gate.enter(covering);
        try {
            boolean leased = state.isLeased(covering);
            FileRecord record = state.records.cached(node, file);
            if (record == null) {
                return false;
            }
            // The node may have been seen in another directory meanwhile, whose lease the gate does not stand for.
            leased &= state.isLeased(covering) && covering.equals(state.records.covering(node));
            reply(request, node, record, leased, answer);
            return true;
        } finally {
            state.gate.leave(covering, stamp);
        }
    }

    private <R extends AttributesRequest<R>> void reply(
            R request, long node, FileRecord record, boolean leased, Answer<R> answer) {
        FileRecord seen = state.open.seenByHome(record.id());
        FileRecord shown = NodeRecords.newer(record, seen);
        boolean keep = leased && seen == null;
        if (keep) {
            state.nodes.attributesGiven(node);
        }
        NodeAttributes attributes = request.attributes();
        KernelAttributes.fill(attributes, shown);
        boolean _ =
                answer.reply(request, attributes, shown.attributes().bornNanos(), keep ? MountState.LEASED_NANOS : 0);
    }

    // ---- symbolic links ----

    void readlink(ReadlinkRequest request) throws IOException {
        withRecord(Operation.READLINK, request, (answered, record) -> {
            if (record.attributes().kind() == FileKind.SYMLINK) {
                answered.reply(record.symlinkTarget().toArray());
            } else {
                answered.replyError(Errno.EINVAL);
            }
        });
    }

    /** Answers with what the record says, at once if it is cached. */
    <R extends Request<R>> void withRecord(Operation operation, R request, RecordHandler<R> body) throws IOException {
        long start = System.nanoTime();
        long node = request.nodeId();
        FileId file = state.records.file(node);
        FileRecord cached = state.records.cached(node, file);
        if (cached != null) {
            body.handle(request, cached);
            state.statistics.done(operation, start);
        } else {
            RequestHandler<R> later = detached -> body.handle(detached, state.records.record(node, file));
            state.later(operation, start, request, file, later);
        }
    }

    /** Answers a request from a record. Must not block: runs on the worker when the record is cached. */
    @FunctionalInterface
    interface RecordHandler<R> {
        void handle(R request, FileRecord record) throws IOException;
    }
}
