package spigot.catalog.server;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import spigot.catalog.server.state.Command;
import spigot.catalog.server.state.Outcome;

/**
 * One embedded member of a Raft group (Apache Ratis), with its tables in RocksDB. Requests are handed to it inside the process;
 * nothing listens. Safe for any thread.
 */
public final class RatisCatalogLog implements CatalogLog {
    private static final RaftGroupId GROUP =
            RaftGroupId.valueOf(UUID.fromString("c2c5f6e0-5b0d-4b3c-9d0f-3a5d1f0e7440"));
    private static final RaftPeerId MEMBER = RaftPeerId.valueOf("catalog");
    private static final Duration START_WITHIN = Duration.ofMinutes(2);
    private static final Duration ANSWER_WITHIN = Duration.ofMinutes(1);

    private final RaftServer server;
    private final ClientId client = ClientId.randomId();
    private final AtomicLong calls = new AtomicLong();
    private final RocksTables tables;
    private final CatalogStateMachine machine;
    private final Set<CompletableFuture<RaftClientReply>> pending = ConcurrentHashMap.newKeySet();

    private RatisCatalogLog(RaftServer server, RocksTables tables, CatalogStateMachine machine) {
        this.server = server;
        this.tables = tables;
        this.machine = machine;
        machine.logFailed().thenRun(this::failPending);
    }

    private void failPending() {
        for (CompletableFuture<RaftClientReply> request : pending) {
            request.completeExceptionally(new IOException("the log is closed"));
        }
    }

    /**
     * @param directory of the log and the tables; made if it does not exist
     * @throws IOException when they can't be opened, for instance because another process has them open
     */
    public static RatisCatalogLog open(Path directory) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        Path raft = directory.resolve("raft");
        Files.createDirectories(raft);
        // Ratis loads its classes while RocksDB loads its library and opens its files.
        CompletableFuture<RaftProperties> properties = CompletableFuture.supplyAsync(
                () -> RatisProperties.of(raft), Thread.ofPlatform().name("catalog-start")::start);
        RocksTables tables = RocksTables.open(directory.resolve("tables"));
        RaftServer server = null;
        try {
            CatalogStateMachine machine = new CatalogStateMachine(tables);
            RaftPeer member = RaftPeer.newBuilder()
                    .setId(MEMBER)
                    .setAddress(LocalRpc.NO_ADDRESS)
                    .build();
            server = RaftServer.newBuilder()
                    .setServerId(MEMBER)
                    .setGroup(RaftGroup.valueOf(GROUP, member))
                    .setProperties(properties.join())
                    .setStateMachine(machine)
                    .setOption(RaftStorage.StartupOption.RECOVER)
                    .build();
            server.start();
            machine.ready().get(START_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
            return new RatisCatalogLog(server, tables, machine);
        } catch (ExecutionException | TimeoutException e) {
            closeAfterFailure(server, tables);
            throw new IOException("the catalog's log in " + raft + " did not start: " + e, e);
        } catch (IOException | InterruptedException | RuntimeException e) {
            closeAfterFailure(server, tables);
            throw e;
        }
    }

    private static void closeAfterFailure(@org.jspecify.annotations.Nullable RaftServer server, RocksTables tables)
            throws IOException {
        if (server != null) {
            server.close();
        }
        tables.close();
    }

    @Override
    public Outcome propose(Command command) throws IOException, InterruptedException {
        Message message = Message.valueOf(UnsafeByteOperations.unsafeWrap(command.toByteArray()));
        RaftClientReply reply = submit(message, RaftClientRequest.writeRequestType());
        try {
            return Outcome.parseFrom(reply.getMessage().getContent().asReadOnlyByteBuffer());
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("the catalog's log answered what is no outcome", e);
        }
    }

    @Override
    public View read() throws IOException, InterruptedException {
        submit(Message.EMPTY, RaftClientRequest.readRequestType());
        return tables.view();
    }

    @Override
    public void snapshot() throws IOException, InterruptedException {
        require(server.snapshotManagement(SnapshotManagementRequest.newCreate(
                client, MEMBER, GROUP, calls.incrementAndGet(), ANSWER_WITHIN.toMillis(), 1)));
    }

    private RaftClientReply submit(Message message, RaftClientRequest.Type type)
            throws IOException, InterruptedException {
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(MEMBER)
                .setGroupId(GROUP)
                .setCallId(calls.incrementAndGet())
                .setMessage(message)
                .setType(type)
                .build();
        CompletableFuture<RaftClientReply> reply = server.submitClientRequestAsync(request);
        pending.add(reply);
        try {
            if (machine.logFailed().isDone()) {
                failPending();
            }
            return require(reply.get(ANSWER_WITHIN.toMillis(), TimeUnit.MILLISECONDS));
        } catch (ExecutionException | CompletionException e) {
            throw failed(e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            throw failed(e);
        } finally {
            pending.remove(reply);
        }
    }

    private RaftClientReply require(RaftClientReply reply) throws IOException {
        if (!reply.isSuccess()) {
            throw failed(reply.getException());
        }
        return reply;
    }

    private IOException failed(@org.jspecify.annotations.Nullable Throwable cause) {
        IOException broken = machine.broken();
        if (broken != null) {
            return new IOException(broken.getMessage(), cause);
        }
        Throwable inner = cause;
        while (inner != null && inner.getCause() != null) {
            inner = inner.getCause();
        }
        return new IOException(
                "the catalog's log did not answer: " + (inner == null ? "no reason given" : inner.getMessage()), cause);
    }

    /** Flushes the tables, so that the next start has nothing to apply again; idempotent. */
    @Override
    public void close() throws IOException {
        server.close();
        tables.close();
    }
}
