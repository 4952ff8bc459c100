package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;
import static spigot.catalog.server.Mutations.add;
import static spigot.catalog.server.Mutations.exchange;
import static spigot.catalog.server.Mutations.id;
import static spigot.catalog.server.Mutations.link;
import static spigot.catalog.server.Mutations.move;
import static spigot.catalog.server.Mutations.moveOver;
import static spigot.catalog.server.Mutations.remove;
import static spigot.catalog.server.Mutations.set;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import spigot.catalog.server.state.Outcome;
import spigot.model.FileId;
import spigot.model.NodeId;
import spigot.transport.Messages;
import spigot.transport.wire.Attributes;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.NamespaceRequest;
import spigot.transport.wire.PublishRequest;
import spigot.transport.wire.ReplicaState;

@DisplayName("A change of names")
class NamesTest {
    private static final NodeId ALPHA = GridTree.ALPHA;
    private static final NodeId BETA = GridTree.BETA;
    private static final FileId NONE = new FileId(0, 0);

    private final MemoryCatalogLog log = new MemoryCatalogLog();
    private final GridTree tree = new GridTree(log);
    private FileId root;
    private FileId below;
    private long number;

    @BeforeEach
    void publish() throws Exception {
        tree.begin();
        root = tree.published(ALPHA, "/data");
        below = id(1_000);
        ok(add(root, "below", below, GridTree.directory()));
    }

    private Outcome names(NodeId server, long requestNumber, Mutation... mutations) throws Exception {
        return tree.propose(tree.command(server)
                .setNames(NamespaceRequest.newBuilder()
                        .setNumber(requestNumber)
                        .setPublication(Messages.bytes(root))
                        .addAllMutations(List.of(mutations)))
                .build());
    }

    private NamespaceReply ok(Mutation... mutations) throws Exception {
        Outcome outcome = names(ALPHA, ++number, mutations);
        assertThat(outcome.getFailure().getMessage()).isEmpty();
        return outcome.getNames();
    }

    private Failure.Code refused(Mutation... mutations) throws Exception {
        return names(ALPHA, ++number, mutations).getFailure().getCode();
    }

    private static Attributes file(int links) {
        return GridTree.attributes(10, 5).toBuilder().setLinks(links).build();
    }

    private FileId lookup(FileId directory, String name) throws Exception {
        try (View view = log.read()) {
            byte[] id = view.get(Table.ENTRIES, Keys.entry(directory, name.getBytes(StandardCharsets.UTF_8)));
            return id == null ? NONE : FileId.of(id);
        }
    }

    private FileRecord record(FileId id) throws Exception {
        try (View view = log.read()) {
            return Records.record(Objects.requireNonNull(view.get(Table.INODES, id.bytes())));
        }
    }

    private boolean exists(FileId id) throws Exception {
        try (View view = log.read()) {
            return view.get(Table.INODES, id.bytes()) != null;
        }
    }

    private long files() throws Exception {
        try (View view = log.read()) {
            return Records.number(view, Records.FILES);
        }
    }

    @Test
    void makesAFileUnderTheIdOfItsServer() throws Exception {
        FileRecord made = ok(add(root, "a", id(1), file(1))).getRecords(0);
        assertThat(lookup(root, "a")).isEqualTo(id(1));
        assertThat(made).isEqualTo(record(id(1)));
        assertThat(Messages.nodeId(made.getHome())).isEqualTo(ALPHA);
        assertThat(made.getVersion().getIndex()).isEqualTo(1);
        assertThat(files()).isEqualTo(1);
    }

    @Test
    void movesAFileOverAnotherOneAndSetsWhatElseChangedWithIt() throws Exception {
        ok(add(root, "a", id(1), file(1)), add(below, "b", id(2), file(1)));
        Attributes touched =
                GridTree.directory().toBuilder().setModifiedNanos(99).build();
        NamespaceReply reply = ok(
                moveOver(root, "a", id(1), below, "b", id(2)), set(root, touched, false), set(id(2), file(0), false));
        assertThat(lookup(root, "a")).isEqualTo(NONE);
        assertThat(lookup(below, "b")).isEqualTo(id(1));
        assertThat(exists(id(2))).isFalse();
        assertThat(record(root).getAttributes().getModifiedNanos()).isEqualTo(99);
        assertThat(reply.getRecords(1)).isEqualTo(record(root));
        assertThat(reply.getRecords(2)).isEqualTo(FileRecord.getDefaultInstance());
        assertThat(files()).isEqualTo(1);
    }

    @Test
    void isMadeAsAWholeOrNotAtAll() throws Exception {
        ok(add(root, "a", id(1), file(1)), add(root, "b", id(2), file(1)));
        assertThat(refused(remove(root, "a", id(1)), move(root, "b", id(3), below, "b")))
                .isEqualTo(Failure.Code.CONFLICT);
        assertThat(lookup(root, "a")).isEqualTo(id(1));
        assertThat(files()).isEqualTo(2);
    }

    @Test
    void exchangesTwoNames() throws Exception {
        FileId directory = id(3);
        ok(add(root, "a", id(1), file(1)), add(below, "d", directory, GridTree.directory()));
        ok(add(directory, "inside", id(4), file(1)));
        ok(exchange(root, "a", id(1), below, "d", directory));
        assertThat(lookup(root, "a")).isEqualTo(directory);
        assertThat(lookup(below, "d")).isEqualTo(id(1));
        assertThat(lookup(directory, "inside")).isEqualTo(id(4));
        assertThat(refused(exchange(root, "a", id(1), below, "d", directory)))
                .as("done already")
                .isEqualTo(Failure.Code.UNKNOWN);
        assertThat(refused(exchange(root, "below", below, below, "d", id(1)))).isEqualTo(Failure.Code.CONFLICT);
    }

    @Test
    void countsTheNamesOfAFileAndKeepsItToTheLast() throws Exception {
        ok(add(root, "a", id(1), file(1)));
        ok(link(below, "b", id(1)), set(id(1), file(2), false));
        assertThat(record(id(1)).getAttributes().getLinks()).isEqualTo(2);
        ok(remove(root, "a", id(1)), set(id(1), file(1), false));
        assertThat(lookup(below, "b")).isEqualTo(id(1));
        assertThat(record(id(1)).getAttributes().getLinks()).isEqualTo(1);
        assertThat(record(id(1)).getVersion().getIndex()).isEqualTo(1);
        ok(remove(below, "b", id(1)));
        assertThat(exists(id(1))).isFalse();
        assertThat(files()).isZero();
    }

    @Test
    void ofTheContentIsANewVersion() throws Exception {
        ok(add(root, "a", id(1), file(1)));
        FileRecord record = ok(set(id(1), GridTree.attributes(3, 6), true)).getRecords(0);
        assertThat(record.getVersion().getIndex()).isEqualTo(2);
        assertThat(record.getAttributes().getSize()).isEqualTo(3);
        // Another time alone is no other content.
        assertThat(ok(set(id(1), GridTree.attributes(3, 7), false))
                        .getRecords(0)
                        .getVersion()
                        .getIndex())
                .isEqualTo(2);
    }

    @Test
    void repeatedHasOneEffectAndTheSameAnswer() throws Exception {
        NamespaceReply first = ok(add(root, "a", id(1), file(1)));
        ok(move(root, "a", id(1), below, "b"));
        assertThat(names(ALPHA, number - 1, add(root, "a", id(1), file(1))).getNames())
                .isEqualTo(first);
        assertThat(lookup(root, "a")).isEqualTo(NONE);
        assertThat(lookup(below, "b")).isEqualTo(id(1));
    }

    @Test
    void whoseAnswerIsNotKeptAnyMoreIsRefused() throws Exception {
        long old = number;
        number += NamespaceChanges.PLACES - 1;
        ok(add(root, "a", id(1), file(1)));
        assertThat(names(ALPHA, old, remove(root, "a", id(1))).getFailure().getCode())
                .isEqualTo(Failure.Code.BAD_REQUEST);
        assertThat(names(BETA, old, remove(root, "a", id(1))).getFailure().getCode())
                .isEqualTo(Failure.Code.NOT_FOUND);
        assertThat(lookup(root, "a")).isEqualTo(id(1));
    }

    @Test
    void thatTheTablesShowAlreadyIsNone() throws Exception {
        ok(add(root, "a", id(1), file(1)));
        ok(add(root, "a", id(1), file(1)));
        ok(move(root, "a", id(1), below, "b"));
        ok(move(root, "a", id(1), below, "b"));
        ok(remove(below, "b", id(1)));
        ok(remove(below, "b", id(1)));
        assertThat(files()).isZero();
    }

    @Test
    void thatDoesNotFitTheTablesIsAConflict() throws Exception {
        ok(add(root, "a", id(1), file(1)), add(root, "b", id(2), file(1)));
        assertThat(refused(add(root, "a", id(3), file(1)))).isEqualTo(Failure.Code.CONFLICT);
        assertThat(refused(remove(root, "a", id(2)))).isEqualTo(Failure.Code.CONFLICT);
        assertThat(refused(move(root, "a", id(1), root, "b"))).isEqualTo(Failure.Code.CONFLICT);
        assertThat(refused(moveOver(root, "a", id(1), root, "b", id(3)))).isEqualTo(Failure.Code.CONFLICT);
        assertThat(refused(move(root, "below", below, below, "x"))).isEqualTo(Failure.Code.CONFLICT);
        ok(move(root, "a", id(1), below, "a"));
        assertThat(refused(remove(root, "below", below))).isEqualTo(Failure.Code.CONFLICT);
        assertThat(refused(link(root, "l", id(9)))).isEqualTo(Failure.Code.NOT_FOUND);
    }

    @Test
    void isOnlyForTheServerThatPublishesTheDirectoriesFirst() throws Exception {
        FileId other = tree.published(BETA, "/other");
        ok(add(root, "a", id(1), file(1)));
        assertThat(refused(move(root, "a", id(1), other, "a"))).isEqualTo(Failure.Code.DENIED);
        assertThat(names(BETA, 1, remove(root, "a", id(1))).getFailure().getCode())
                .isEqualTo(Failure.Code.NOT_FOUND);
        tree.propose(tree.command(ALPHA)
                .setPublish(PublishRequest.newBuilder()
                        .setPath(com.google.protobuf.ByteString.copyFromUtf8("/data"))
                        .setReadOnly(true)
                        .setAttributes(GridTree.directory()))
                .build());
        assertThat(refused(remove(root, "a", id(1)))).isEqualTo(Failure.Code.DENIED);
    }

    @Test
    void removesAFileWithTheCopiesOfOtherServers() throws Exception {
        ok(add(root, "a", id(1), file(1)));
        tree.publish(BETA, "/data", true);
        tree.register(BETA, root, true, GridTree.file(root, "a", 10).build());
        try (View view = log.read()) {
            assertThat(Records.copies(view, id(1)))
                    .extracting(copy -> copy.entry().getState())
                    .contains(ReplicaState.UNVERIFIED);
        }
        ok(remove(root, "a", id(1)));
        assertThat(exists(id(1))).isFalse();
        assertThat(lookup(root, "a")).isEqualTo(NONE);
    }
}
