package spigot.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static spigot.replica.GridActor.id;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.FileId;
import spigot.model.LogicalPath;
import spigot.transport.Messages;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.OperationReply;
import spigot.transport.wire.OperationRequest;

/** The server dies between the steps of an operation; its client asks for it again. */
@DisplayName("An operation whose server died")
class OperationsAfterCrashTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int HEADER_BYTES = 8;

    @TempDir
    private Path directory;

    private Path source;
    private TestGrid grid;
    private PeerIdentity self;
    private TestGrid.TestServer server;
    private GridReader reader;
    private GridActor actor;
    private FileId root;

    @BeforeEach
    void start() throws Exception {
        source = Files.createDirectories(directory.resolve("source"));
        grid = new TestGrid(directory);
        self = grid.serverIdentity("home");
        server = grid.server(self, directory.resolve("data"));
        server.replica().publish(source, LogicalPath.parse("/data"), false, false, ProgressListener.NONE);
        reader = grid.reader();
        root = reader.get("/data").id();
        actor = new GridActor(reader.to(server), 4_711);
    }

    @AfterEach
    void stop() throws Exception {
        grid.close();
    }

    private void startAgain() throws Exception {
        server = grid.server(self, directory.resolve("data"));
        actor = actor.over(reader.to(server));
    }

    /** As if the process had been killed before the last answer was durable. */
    private void dieBeforeTheAnswer() throws Exception {
        server.close();
        try (FileChannel log = FileChannel.open(
                directory.resolve("data/operations"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long last = 0;
            for (long at = 0; at < log.size(); ) {
                ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
                log.read(header, at);
                last = at;
                at += HEADER_BYTES + header.getInt(0);
            }
            log.truncate(last);
        }
    }

    private boolean isShown(String name) throws Exception {
        return reader.find("/data/" + name) != null;
    }

    private OperationRequest creating(String name) {
        return actor.next()
                .setCreate(GridActor.creating(root, name, 0600, true))
                .build();
    }

    private OperationRequest unlinking(String name) {
        return actor.next()
                .setUnlink(OperationRequest.Unlink.newBuilder()
                        .setDirectory(Messages.bytes(root))
                        .setName(GridActor.text(name)))
                .build();
    }

    private OperationRequest renaming(String name, String toName, int flags) {
        return actor.next()
                .setRename(OperationRequest.Rename.newBuilder()
                        .setDirectory(Messages.bytes(root))
                        .setName(GridActor.text(name))
                        .setToDirectory(Messages.bytes(root))
                        .setToName(GridActor.text(toName))
                        .setFlags(flags))
                .build();
    }

    @Test
    void beforeItsAnswerWasDurableIsKnownByTheTree() throws Exception {
        OperationRequest create = creating("a");
        FileId made = id(actor.ask(create).getRecord());
        dieBeforeTheAnswer();
        startAgain();
        OperationReply again = actor.ask(create);
        assertThat(again.getCreated()).isTrue();
        assertThat(id(again.getRecord())).isEqualTo(made);
        assertThat(actor.ask(create)).isEqualTo(again);

        OperationRequest rename = renaming("a", "b", 0);
        actor.ask(rename);
        dieBeforeTheAnswer();
        startAgain();
        assertThat(id(actor.ask(rename).getRecord())).isEqualTo(made);
        assertThat(isShown("b")).isTrue();

        OperationRequest unlink = unlinking("b");
        actor.ask(unlink);
        dieBeforeTheAnswer();
        startAgain();
        // The name was made anew by somebody else: that is another file.
        Files.writeString(source.resolve("b"), "other");
        await().atMost(SOON).until(() -> isShown("b"));
        actor.ask(unlink);
        assertThat(source.resolve("b")).hasContent("other");
    }

    @Test
    void beforeItWasDoneIsDoneThen() throws Exception {
        OperationRequest create = creating("a");
        actor.ask(create);
        dieBeforeTheAnswer();
        Files.delete(source.resolve("a"));
        startAgain();
        OperationReply again = actor.ask(create);
        assertThat(again.getCreated()).isTrue();
        assertThat(source.resolve("a")).exists();
        assertThat(isShown("a")).isTrue();

        OperationRequest rename = renaming("a", "b", 0);
        actor.ask(rename);
        dieBeforeTheAnswer();
        Files.move(source.resolve("b"), source.resolve("a"));
        startAgain();
        actor.ask(rename);
        assertThat(source.resolve("b")).exists();
        assertThat(source.resolve("a")).doesNotExist();
        assertThat(isShown("b")).isTrue();
        assertThat(isShown("a")).isFalse();
    }

    @Test
    void beforeTheCatalogHeardOfItIsToldByTheScan() throws Exception {
        grid.cutCatalog(true);
        OperationRequest create = creating("a");
        GridActor first = actor;
        CompletableFuture<OperationReply> lost = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return first.ask(create);
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                },
                task -> Thread.ofVirtual().start(task));
        await().atMost(SOON).until(() -> Files.exists(source.resolve("a")));
        server.close();
        assertThat(isShownWhileCut()).isFalse();
        grid.cutCatalog(false);
        startAgain();
        OperationReply again = actor.ask(create);
        assertThat(again.getCreated()).isTrue();
        assertThat(reader.get("/data/a").id()).isEqualTo(id(again.getRecord()));
        lost.cancel(true);
    }

    /** The catalog itself is well: only nobody reaches it. */
    private boolean isShownWhileCut() throws Exception {
        grid.cutCatalog(false);
        try {
            return isShown("a");
        } finally {
            grid.cutCatalog(true);
        }
    }

    @Test
    void isMadeWhenTheCatalogCanBeReachedAgain() throws Exception {
        grid.cutCatalog(true);
        OperationRequest create = creating("a");
        CompletableFuture<OperationReply> waiting = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return actor.ask(create);
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                },
                task -> Thread.ofVirtual().start(task));
        await().atMost(SOON).until(() -> Files.exists(source.resolve("a")));
        assertThat(waiting).isNotDone();
        grid.cutCatalog(false);
        assertThat(waiting.get().getCreated()).isTrue();
        assertThat(isShown("a")).isTrue();
    }
}
