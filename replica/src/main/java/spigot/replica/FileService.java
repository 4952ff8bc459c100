package spigot.replica;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import spigot.linux.Descriptor;
import spigot.linux.Errno;
import spigot.linux.ExtendedAttributes;
import spigot.linux.FileStatus;
import spigot.linux.Statx;
import spigot.linux.SystemCallException;
import spigot.model.Fragments;
import spigot.model.RawBytes;
import spigot.model.ReplicaState;
import spigot.model.Version;
import spigot.model.XattrKinds;
import spigot.session.LeaseGrantor;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Blocks;
import spigot.transport.wire.DigestReply;
import spigot.transport.wire.DigestRequest;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.Grant;
import spigot.transport.wire.OpenReply;
import spigot.transport.wire.OpenRequest;
import spigot.transport.wire.ReadReply;
import spigot.transport.wire.ReadRequest;
import spigot.transport.wire.SeekReply;
import spigot.transport.wire.SeekRequest;
import spigot.transport.wire.XattrReply;
import spigot.transport.wire.XattrRequest;

/**
 * Answers what is asked about files. Safe for any thread: each request runs on a virtual thread of its own, system calls on the
 * I/O threads; what a reader is sent lies in a buffer of {@link ReadBuffers} until it has left.
 */
final class FileService {
    private static final int FIRST_BYTES = 64 << 10;
    private static final Duration LOOK_PATIENCE = Duration.ofSeconds(3);
    private static final int MAX_DIGESTS = 1024;
    private static final int OPEN_ATTEMPTS = 5;

    private final Parts parts;
    private final Duration patience;
    private final AtomicLong bytesServed = new AtomicLong();

    /** What it works with. */
    record Parts(
            ReplicaConfiguration configuration,
            ServedFiles files,
            FileUpdates updates,
            FileReader reader,
            FragmentDigests digests,
            CatalogLease catalogLease,
            LeaseGrantor leases,
            IoPool io,
            ReadBuffers buffers,
            WrittenFiles written) {}

    FileService(Parts parts) {
        this.parts = parts;
        this.patience = parts.configuration().times().patience();
    }

    long bytesServed() {
        return bytesServed.get();
    }

    /** @return false when the request is not about files */
    boolean request(Link from, Envelope request, Responder responder) throws IOException, InterruptedException {
        switch (request.getBodyCase()) {
            case OPEN_REQUEST -> open(readerAt(from), request.getOpenRequest(), responder);
            case READ_REQUEST -> read(readerAt(from), request.getReadRequest(), responder);
            case SEEK_REQUEST -> seek(readerAt(from), request.getSeekRequest(), responder);
            case XATTR_REQUEST -> xattr(readerAt(from), request.getXattrRequest(), responder);
            case DIGEST_REQUEST -> digest(from, request.getDigestRequest(), responder);
            default -> {
                return false;
            }
        }
        return true;
    }

    private static Link readerAt(Link from) throws FailureException {
        if (from.peer().role() == PeerIdentity.Role.JOINER) {
            throw new FailureException(
                    Failure.Code.DENIED, "only members of the grid may read: join it with a token first");
        }
        return from;
    }

    // ---- open

    private void open(Link from, OpenRequest request, Responder responder) throws IOException, InterruptedException {
        ServedFile file = regular(request.getId());
        parts.catalogLease().require();
        parts.updates().requireHome(file);
        int wanted = Math.min(FIRST_BYTES, Messages.notNegative(request.getFirstLength(), "length"));
        long offset = Messages.notNegative(request.getFirstOffset(), "offset") & -Fragments.BLOCK_BYTES;
        ByteBuffer buffer = parts.buffers().take(Math.max(wanted, 1));
        try {
            for (int attempt = 1; attempt <= OPEN_ATTEMPTS; attempt++) {
                boolean last = attempt == OPEN_ATTEMPTS;
                if (tryOpen(from, request, responder, file, new Range(offset, last ? 0 : wanted), buffer)) {
                    return;
                }
            }
        } catch (FailureException e) {
            if (e.code() == Failure.Code.NOT_FOUND) {
                // So that whoever looks the name up again finds what it leads to now.
                file.tree().lookNow(file.id(), LOOK_PATIENCE);
            }
            throw e;
        } catch (SystemCallException e) {
            throw TreeErrors.failure("opening file " + file.id() + " failed at its server", e.errno());
        } finally {
            parts.buffers().give(buffer);
        }
        throw changing(file);
    }

    private record Range(long offset, int length) {}

    /** @return false when the file changed meanwhile: nothing has been answered */
    private boolean tryOpen(
            Link from, OpenRequest request, Responder responder, ServedFile file, Range range, ByteBuffer buffer)
            throws IOException, InterruptedException {
        parts.updates().bringUpToDate(file);
        parts.updates().requireHome(file);
        // First the lease, then the look that goes with it: a change after the look takes the lease back.
        // While it is written there are no leases, but tokens.
        Optional<Grant> grant = request.hasWant() && !file.isWritten()
                ? parts.leases()
                        .acquire(
                                from,
                                request.getWant(),
                                file.id(),
                                () -> file.row().version(),
                                patience)
                : Optional.empty();
        if (grant.isPresent()) {
            file.setLeased(true);
        }
        IndexedFile row = parts.written().current(file);
        boolean outdated = grant.isPresent()
                && (file.isWritten()
                        || !Messages.version(grant.get().getVersion()).equals(row.version()));
        if (outdated) {
            return false;
        }
        boolean cached =
                request.hasHave() && Messages.version(request.getHave()).equals(row.version());
        int length = cached ? 0 : range.length();
        Blocks blocks = parts.io().run(() -> readFrom(file, row, range.offset(), length, buffer));
        if (blocks == null) {
            return false;
        }
        OpenReply.Builder reply = OpenReply.newBuilder()
                .setRecord(Messages.wire(row.record(
                        parts.configuration().server(),
                        file.tree().publication().readOnly())));
        grant.ifPresent(reply::setGrant);
        if (length > 0) {
            reply.setFirst(blocks);
        }
        answer(responder, Envelope.newBuilder().setOpenReply(reply).build(), buffer);
        return true;
    }

    private @Nullable Blocks readFrom(ServedFile file, IndexedFile row, long offset, int length, ByteBuffer buffer)
            throws IOException {
        try (SharedDescriptor descriptor = parts.files().descriptor(file)) {
            return file.isWritten()
                    ? parts.written().blocks(file, row, descriptor, offset, length, buffer)
                    : parts.reader().read(file, row, descriptor, offset, length, buffer);
        }
    }

    // ---- read, seek

    private void read(Link from, ReadRequest request, Responder responder) throws IOException, InterruptedException {
        ServedFile file = regular(request.getId());
        Version version = Messages.version(request.getVersion());
        long offset = Messages.notNegative(request.getOffset(), "offset");
        int length = request.getLength();
        if (offset % Fragments.BLOCK_BYTES != 0 || length < 0 || length > ReadBuffers.MAX_BYTES) {
            throw Messages.bad(
                    "range",
                    "offset " + offset + " (a multiple of 4096), length " + Integer.toUnsignedString(length)
                            + " (at most 4 MiB), asked by " + from.peer().name());
        }
        IndexedFile row = served(file, version);
        ByteBuffer buffer = parts.buffers().take(Math.max(length, 1));
        try {
            Blocks blocks = parts.io().run(() -> readFrom(file, row, offset, length, buffer));
            if (blocks == null) {
                changedUnderway(file);
                throw versionGone(file, version);
            }
            answer(
                    responder,
                    Envelope.newBuilder()
                            .setReadReply(ReadReply.newBuilder().setBlocks(blocks))
                            .build(),
                    buffer);
        } catch (SystemCallException e) {
            throw TreeErrors.failure("reading file " + file.id() + " failed at its server", e.errno());
        } finally {
            parts.buffers().give(buffer);
        }
    }

    private void seek(Link from, SeekRequest request, Responder responder) throws IOException, InterruptedException {
        ServedFile file = regular(request.getId());
        Version version = Messages.version(request.getVersion());
        long offset = Messages.notNegative(request.getOffset(), "offset");
        IndexedFile row = served(file, version);
        Long found = file.isWritten()
                ? dense(row, offset, request.getHole())
                : parts.io().run(() -> {
                    try (SharedDescriptor descriptor = parts.files().descriptor(file)) {
                        return parts.reader().seek(row, descriptor, offset, request.getHole());
                    }
                });
        if (found == null) {
            changedUnderway(file);
            throw versionGone(file, version);
        }
        if (found < 0 && found != -Errno.ENXIO) {
            throw TreeErrors.failure(
                    "looking for holes in file " + file.id() + " for "
                            + from.peer().name() + " failed",
                    (int) -found);
        }
        responder.reply(Envelope.newBuilder()
                .setSeekReply(SeekReply.newBuilder().setOffset(found < 0 ? -1 : found))
                .build());
    }

    /** Where nobody has told the holes, all is data but the end. */
    private static Long dense(IndexedFile row, long offset, boolean hole) {
        long size = row.attributes().size();
        return offset >= size ? -Errno.ENXIO : hole ? size : offset;
    }

    /** @throws FailureException VERSION_GONE unless this server has this version and may serve it */
    private IndexedFile served(ServedFile file, Version version) throws FailureException {
        IndexedFile row = parts.written().current(file);
        boolean servable = row.state() == ReplicaState.HOME || row.state() == ReplicaState.VERIFIED;
        if (!servable || !row.version().equals(version)) {
            throw versionGone(file, version);
        }
        return row;
    }

    /** The reader need not wait for it. */
    private void changedUnderway(ServedFile file) {
        Thread.startVirtualThread(() -> {
            try {
                parts.updates().bringUpToDate(file);
            } catch (IOException e) {
                org.slf4j.LoggerFactory.getLogger(FileService.class)
                        .debug("change not told, at the next open file={} reason=\"{}\"", file.id(), e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void answer(Responder responder, Envelope reply, ByteBuffer buffer) throws IOException {
        bytesServed.addAndGet(buffer.remaining());
        if (buffer.hasRemaining()) {
            responder.reply(reply, buffer);
        } else {
            responder.reply(reply);
        }
    }

    // ---- extended attributes

    private void xattr(Link from, XattrRequest request, Responder responder) throws IOException, InterruptedException {
        ServedFile file = parts.files().await(Messages.fileId(request.getId()), LOOK_PATIENCE);
        byte[] name = request.getName().toByteArray();
        if (name.length > 0 && !isShown(name)) {
            throw new FailureException(
                    Failure.Code.NO_ATTRIBUTE,
                    "extended attribute '" + request.getName().toStringUtf8() + "' is not published, asked by "
                            + from.peer().name());
        }
        byte[] value = parts.io().run(() -> {
            try (Descriptor located = parts.files().locate(file)) {
                FileStatus status = Statx.of(located.number());
                if (FileChange.between(file.row(), status) == FileChange.OTHER_FILE
                        && !file.row().attributes().isDirectory()) {
                    file.tree().lookAt(file.id());
                    throw new FailureException(
                            Failure.Code.NOT_FOUND, "file " + file.id() + " was replaced: look its name up again");
                }
                return name.length == 0 ? shownNames(located) : value(located, name);
            }
        });
        responder.reply(Envelope.newBuilder()
                .setXattrReply(XattrReply.newBuilder().setValue(ByteString.copyFrom(value)))
                .build());
    }

    private static byte[] value(Descriptor located, byte[] name) throws IOException {
        try {
            return ExtendedAttributes.value(located, name);
        } catch (SystemCallException e) {
            if (e.errno() == Errno.ENODATA || e.errno() == Errno.EOPNOTSUPP) {
                throw new FailureException(Failure.Code.NO_ATTRIBUTE, "the file has no such extended attribute");
            }
            throw TreeErrors.failure("reading an extended attribute failed", e.errno());
        }
    }

    private static byte[] shownNames(Descriptor located) throws SystemCallException {
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        for (byte[] name : ExtendedAttributes.names(located)) {
            if (isShown(name)) {
                names.writeBytes(name);
                names.write(0);
            }
        }
        return names.toByteArray();
    }

    private static boolean isShown(byte[] name) {
        for (byte b : name) {
            if (b == 0) {
                return false;
            }
        }
        return XattrKinds.isPublished(RawBytes.copyOf(name));
    }

    // ---- digests

    private void digest(Link from, DigestRequest request, Responder responder)
            throws IOException, InterruptedException {
        if (from.peer().role() != PeerIdentity.Role.SERVER) {
            throw new FailureException(Failure.Code.DENIED, "only servers may ask for digests");
        }
        if (request.getFragments() < 0 || request.getFragments() > MAX_DIGESTS || request.getFirstFragment() < 0) {
            throw Messages.bad("range of fragments", Integer.toUnsignedString(request.getFragments()));
        }
        ServedFile file = regular(request.getId());
        Version version = Messages.version(request.getVersion());
        if (file.isWritten()) {
            throw new FailureException(Failure.newBuilder()
                    .setCode(Failure.Code.NOT_READY)
                    .setMessage("file " + file.id() + " is being written: its copies are compared afterwards")
                    .setRetryAfterMillis(1000)
                    .build());
        }
        IndexedFile row = served(file, version);
        List<byte[]> digests =
                parts.digests().of(file, row, row.fragmentBytes(), request.getFirstFragment(), request.getFragments());
        if (digests == null) {
            changedUnderway(file);
            throw versionGone(file, version);
        }
        DigestReply.Builder reply =
                DigestReply.newBuilder().setSize(row.attributes().size());
        digests.forEach(digest -> reply.addSha256(ByteString.copyFrom(digest)));
        responder.reply(Envelope.newBuilder().setDigestReply(reply).build());
    }

    // ---- which file

    private ServedFile regular(ByteString id) throws IOException, InterruptedException {
        ServedFile file = parts.files().await(Messages.fileId(id), LOOK_PATIENCE);
        if (!file.row().attributes().isRegular()) {
            throw new FailureException(
                    Failure.Code.BAD_REQUEST,
                    "file " + file.id() + " has no data: it is a "
                            + file.row().attributes().kind());
        }
        return file;
    }

    private static FailureException versionGone(ServedFile file, Version version) {
        return new FailureException(
                Failure.Code.VERSION_GONE,
                "this server does not have version " + version + " of file " + file.id() + ": open it again");
    }

    private static FailureException changing(ServedFile file) {
        return new FailureException(Failure.newBuilder()
                .setCode(Failure.Code.NOT_READY)
                .setMessage("file " + file.id() + " changed at each of " + OPEN_ATTEMPTS + " attempts to open it")
                .setRetryAfterMillis(50)
                .build());
    }
}
