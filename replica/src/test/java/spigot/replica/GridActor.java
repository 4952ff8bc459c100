package spigot.replica;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.assertj.core.api.Assertions;
import spigot.linux.Errno;
import spigot.model.FileId;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.Messages;
import spigot.transport.wire.Caller;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.OperationReply;
import spigot.transport.wire.OperationRequest;

/** Asks a server to change names and attributes as a computing node does, numbering its operations. */
final class GridActor {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Link server;
    private final long session;
    private final AtomicLong numbers;
    private final Caller caller;

    GridActor(Link server, long session) {
        this(
                server,
                session,
                new AtomicLong(),
                Caller.newBuilder().setUid(0).setGid(0).setUmask(022).build());
    }

    private GridActor(Link server, long session, AtomicLong numbers, Caller caller) {
        this.server = server;
        this.session = session;
        this.numbers = numbers;
        this.caller = caller;
    }

    GridActor as(Caller other) {
        return new GridActor(server, session, numbers, other);
    }

    /** The same client, after the server has started again. */
    GridActor over(Link other) {
        return new GridActor(other, session, numbers, caller);
    }

    OperationRequest.Builder next() {
        return OperationRequest.newBuilder()
                .setSession(session)
                .setNumber(numbers.incrementAndGet())
                .setCaller(caller);
    }

    /** Tries again while nothing was done because others were at it. */
    OperationReply ask(OperationRequest request) throws Exception {
        while (true) {
            try {
                return server.call(
                                Envelope.newBuilder()
                                        .setOperationRequest(request)
                                        .build(),
                                PATIENCE)
                        .getOperationReply();
            } catch (FailureException e) {
                if (e.code() != Failure.Code.NOT_READY) {
                    throw e;
                }
                Thread.sleep(Math.max(1, e.failure().getRetryAfterMillis()));
            }
        }
    }

    private OperationReply ask(Consumer<OperationRequest.Builder> operation) throws Exception {
        OperationRequest.Builder request = next();
        operation.accept(request);
        return ask(request.build());
    }

    private static ByteString id(FileId id) {
        return Messages.bytes(id);
    }

    static ByteString text(String name) {
        return ByteString.copyFromUtf8(name);
    }

    static OperationRequest.Create creating(FileId directory, String name, int mode, boolean exclusive) {
        return OperationRequest.Create.newBuilder()
                .setDirectory(id(directory))
                .setName(text(name))
                .setMode(mode)
                .setExclusive(exclusive)
                .build();
    }

    OperationReply create(FileId directory, String name, int mode) throws Exception {
        return ask(request -> request.setCreate(creating(directory, name, mode, true)));
    }

    OperationReply createOrOpen(FileId directory, String name, int mode) throws Exception {
        return ask(request -> request.setCreate(creating(directory, name, mode, false)));
    }

    OperationReply makeDirectory(FileId directory, String name, int mode) throws Exception {
        return ask(request -> request.setMakeDirectory(OperationRequest.MakeDirectory.newBuilder()
                .setDirectory(id(directory))
                .setName(text(name))
                .setMode(mode)));
    }

    OperationReply makeNode(FileId directory, String name, spigot.transport.wire.Kind kind, int mode) throws Exception {
        return ask(request -> request.setMakeNode(OperationRequest.MakeNode.newBuilder()
                .setDirectory(id(directory))
                .setName(text(name))
                .setKind(kind)
                .setMode(mode)));
    }

    OperationReply makeSymlink(FileId directory, String name, String target) throws Exception {
        return ask(request -> request.setMakeSymlink(OperationRequest.MakeSymlink.newBuilder()
                .setDirectory(id(directory))
                .setName(text(name))
                .setTarget(text(target))));
    }

    OperationReply link(FileId file, FileId directory, String name) throws Exception {
        return ask(request -> request.setMakeLink(OperationRequest.MakeLink.newBuilder()
                .setId(id(file))
                .setDirectory(id(directory))
                .setName(text(name))));
    }

    OperationReply unlink(FileId directory, String name) throws Exception {
        return ask(request -> request.setUnlink(
                OperationRequest.Unlink.newBuilder().setDirectory(id(directory)).setName(text(name))));
    }

    OperationReply removeDirectory(FileId directory, String name) throws Exception {
        return ask(request -> request.setRemoveDirectory(OperationRequest.RemoveDirectory.newBuilder()
                .setDirectory(id(directory))
                .setName(text(name))));
    }

    OperationReply rename(FileId directory, String name, FileId toDirectory, String toName, int flags)
            throws Exception {
        return ask(request -> request.setRename(OperationRequest.Rename.newBuilder()
                .setDirectory(id(directory))
                .setName(text(name))
                .setToDirectory(id(toDirectory))
                .setToName(text(toName))
                .setFlags(flags)));
    }

    OperationReply set(FileId file, Consumer<OperationRequest.SetAttributes.Builder> what) throws Exception {
        OperationRequest.SetAttributes.Builder set =
                OperationRequest.SetAttributes.newBuilder().setId(id(file));
        what.accept(set);
        return ask(request -> request.setSetAttributes(set));
    }

    OperationReply setXattr(FileId file, String name, String value, int flags) throws Exception {
        return ask(request -> request.setSetXattr(OperationRequest.SetXattr.newBuilder()
                .setId(id(file))
                .setName(text(name))
                .setValue(text(value))
                .setFlags(flags)));
    }

    OperationReply removeXattr(FileId file, String name) throws Exception {
        return ask(request -> request.setRemoveXattr(
                OperationRequest.RemoveXattr.newBuilder().setId(id(file)).setName(text(name))));
    }

    static FileId id(FileRecord record) {
        return FileId.of(record.getId().toByteArray());
    }

    interface Call {
        void run() throws Exception;
    }

    static void assertFails(int errno, Call call) {
        Assertions.assertThatExceptionOfType(FailureException.class)
                .isThrownBy(call::run)
                .satisfies(e -> Assertions.assertThat(
                                List.of(e.code(), Errno.name(e.failure().getErrno())))
                        .as(e.getMessage())
                        .isEqualTo(List.of(Failure.Code.IO_ERROR, Errno.name(errno))));
    }
}
