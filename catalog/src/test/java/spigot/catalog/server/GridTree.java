package spigot.catalog.server;

import com.google.protobuf.ByteString;
import java.util.Random;
import spigot.catalog.server.state.Begin;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Outcome;
import spigot.catalog.server.state.Withdraw;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.NodeId;
import spigot.model.XattrKinds;
import spigot.transport.Messages;
import spigot.transport.wire.PublishRequest;
import spigot.transport.wire.RegisterRequest;
import spigot.transport.wire.Registered;
import spigot.transport.wire.Registration;
import spigot.transport.wire.UpdateRequest;
import spigot.transport.wire.WithdrawRequest;

/** Speaks to a {@link CatalogLog} as a catalog server does, recalling what has to be. */
final class GridTree {
    static final ByteString GRID = ByteString.copyFrom(new byte[16]);
    static final NodeId ALPHA = new NodeId(1, 1);
    static final NodeId BETA = new NodeId(2, 2);

    private final CatalogLog log;
    private final Random random = new Random(42);

    GridTree(CatalogLog log) {
        this.log = log;
    }

    long begin() throws Exception {
        return propose(command(NodeId.NONE)
                        .setBegin(Begin.newBuilder().setGrid(GRID))
                        .build())
                .getLife();
    }

    Command.Builder command(NodeId server) {
        byte[] seed = new byte[16];
        random.nextBytes(seed);
        return Command.newBuilder()
                .setSeed(ByteString.copyFrom(seed))
                .setTimeNanos(1_000_000_000L)
                .setServer(server.equals(NodeId.NONE) ? ByteString.EMPTY : Messages.bytes(server));
    }

    Outcome propose(Command command) throws Exception {
        Outcome outcome = log.propose(command);
        while (outcome.getNeedsRecallCount() > 0) {
            outcome = log.propose(command.toBuilder()
                    .addAllRecalled(outcome.getNeedsRecallList())
                    .build());
        }
        return outcome;
    }

    Outcome publish(NodeId server, String path, boolean replica) throws Exception {
        return propose(command(server)
                .setPublish(PublishRequest.newBuilder()
                        .setPath(ByteString.copyFromUtf8(path))
                        .setReplica(replica)
                        .setAttributes(directory()))
                .build());
    }

    FileId published(NodeId server, String path) throws Exception {
        return FileId.of(
                publish(server, path, false).getPublished().getRoot().getId().toByteArray());
    }

    Outcome register(NodeId server, FileId root, boolean replica, Registration... entries) throws Exception {
        RegisterRequest.Builder request = RegisterRequest.newBuilder()
                .setPublication(Messages.bytes(root))
                .setReplica(replica);
        for (Registration entry : entries) {
            request.addEntries(entry);
        }
        return propose(command(server).setRegister(request).build());
    }

    /** Registers one entry that must not be refused. */
    Registered registered(NodeId server, FileId root, boolean replica, Registration entry) throws Exception {
        Registered registered =
                register(server, root, replica, entry).getRegistered().getEntries(0);
        if (registered.hasFailure()) {
            throw new AssertionError(registered.getFailure().getMessage());
        }
        return registered;
    }

    FileId id(Registered registered) {
        return FileId.of(registered.getId().toByteArray());
    }

    void withdraw(NodeId server, FileId directory, String name) throws Exception {
        propose(command(server)
                .setWithdraw(Withdraw.newBuilder()
                        .addNames(WithdrawRequest.Name.newBuilder()
                                .setDirectory(Messages.bytes(directory))
                                .setName(ByteString.copyFromUtf8(name))))
                .build());
    }

    Outcome update(NodeId server, FileId id, long epoch, spigot.transport.wire.Attributes attributes, boolean content)
            throws Exception {
        return propose(command(server)
                .setUpdate(UpdateRequest.newBuilder()
                        .setId(Messages.bytes(id))
                        .setAttributes(attributes)
                        .setContentChanged(content)
                        .setHomeEpoch(epoch))
                .build());
    }

    static Registration.Builder file(FileId directory, String name, long size) {
        return Registration.newBuilder()
                .setParent(Messages.bytes(directory))
                .setName(ByteString.copyFromUtf8(name))
                .setAttributes(attributes(size, 1000));
    }

    static spigot.transport.wire.Attributes attributes(long size, long modified) {
        return Messages.wire(new Attributes(
                FileKind.REGULAR,
                0644,
                1000,
                1000,
                size,
                size,
                1,
                modified,
                modified + 5,
                modified,
                1,
                0,
                XattrKinds.NONE));
    }

    static spigot.transport.wire.Attributes directory() {
        return Messages.wire(new Attributes(
                FileKind.DIRECTORY, 0755, 1000, 1000, 4096, 4096, 2, 1000, 1000, 1000, 1, 0, XattrKinds.NONE));
    }
}
