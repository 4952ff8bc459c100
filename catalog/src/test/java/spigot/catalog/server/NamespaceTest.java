package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import spigot.catalog.server.state.Nominate;
import spigot.catalog.server.state.Outcome;
import spigot.catalog.server.state.Withdraw;
import spigot.model.Attributes;
import spigot.model.FileId;
import spigot.model.FileKind;
import spigot.model.NodeId;
import spigot.model.XattrKinds;
import spigot.transport.Messages;
import spigot.transport.wire.Failure;
import spigot.transport.wire.FileRecord;
import spigot.transport.wire.Registered;
import spigot.transport.wire.Registration;
import spigot.transport.wire.ReplicaState;
import spigot.transport.wire.ReplicaStateRequest;
import spigot.transport.wire.UpdateRequest;
import spigot.transport.wire.Version;

/** The rules of names, copies and versions. */
class NamespaceTest {
    private static final NodeId ALPHA = GridTree.ALPHA;
    private static final NodeId BETA = GridTree.BETA;

    private final MemoryCatalogLog log = new MemoryCatalogLog();
    private final GridTree tree = new GridTree(log);
    private FileId root;

    @BeforeEach
    void publish() throws Exception {
        tree.begin();
        root = tree.published(ALPHA, "/data/x");
    }

    private FileRecord record(FileId id) throws Exception {
        try (View view = log.read()) {
            byte[] inode = view.get(Table.INODES, id.bytes());
            assertThat(inode).describedAs("file %s", id).isNotNull();
            return Records.record(Objects.requireNonNull(inode));
        }
    }

    private boolean exists(FileId id) throws Exception {
        try (View view = log.read()) {
            return view.get(Table.INODES, id.bytes()) != null;
        }
    }

    private FileId lookup(FileId directory, String name) throws Exception {
        try (View view = log.read()) {
            byte[] id = view.get(Table.ENTRIES, Keys.entry(directory, name.getBytes(StandardCharsets.UTF_8)));
            return id == null ? new FileId(0, 0) : FileId.of(id);
        }
    }

    private ReplicaState state(FileId id, NodeId server) throws Exception {
        try (View view = log.read()) {
            return Records.copies(view, id).stream()
                    .filter(copy -> copy.server().equals(server))
                    .map(copy -> copy.entry().getState())
                    .findFirst()
                    .orElse(ReplicaState.REPLICA_UNKNOWN);
        }
    }

    private long number(String name) throws Exception {
        try (View view = log.read()) {
            return Records.number(view, name);
        }
    }

    private FileId file(String name, long size) throws Exception {
        return tree.id(tree.registered(
                ALPHA, root, false, GridTree.file(root, name, size).build()));
    }

    private static final FileId NONE = new FileId(0, 0);

    @Nested
    class Publishing {
        @Test
        void theDirectoriesOnTheWayAreMade() throws Exception {
            FileId data = lookup(FileId.ROOT, "data");
            assertThat(record(data).getAttributes().getMode()).isEqualTo(0755);
            assertThat(record(data).getAttributes().getUid()).isZero();
            assertThat(lookup(data, "x")).isEqualTo(root);
            assertThat(record(root).getAttributes().getUid()).isEqualTo(1000);
        }

        @Test
        void again_keepsTheId() throws Exception {
            assertThat(tree.published(ALPHA, "/data/x")).isEqualTo(root);
        }

        @Test
        void aPathOfAnotherServerIsAConflictThatNamesIt() throws Exception {
            tree.propose(tree.command(ALPHA)
                    .setServerInfo(spigot.transport.wire.ServerInfo.newBuilder()
                            .setName("alpha")
                            .setId(Messages.bytes(ALPHA)))
                    .build());
            Failure failure = tree.publish(BETA, "/data/x", false).getFailure();
            assertThat(failure.getCode()).isEqualTo(Failure.Code.CONFLICT);
            assertThat(failure.getMessage()).contains("'x'", "'alpha'", "--replica");
        }

        @Test
        void aFurtherCopyNeedsAHome() throws Exception {
            assertThat(tree.publish(BETA, "/data/y", true).getFailure().getCode())
                    .isEqualTo(Failure.Code.NOT_FOUND);
            assertThat(tree.publish(BETA, "/data/x", true).hasPublished()).isTrue();
        }

        @Test
        void aFileOnTheWayIsRefused() throws Exception {
            file("f", 1);
            assertThat(tree.publish(BETA, "/data/x/f/g", false).getFailure().getCode())
                    .isEqualTo(Failure.Code.NOT_DIRECTORY);
        }

        @Test
        void atTheRootOfTheGrid() throws Exception {
            FileId top = tree.published(BETA, "/");
            assertThat(top).isEqualTo(FileId.ROOT);
            assertThat(record(FileId.ROOT).getAttributes().getUid()).isEqualTo(1000);
            assertThat(tree.publish(ALPHA, "/", false).getFailure().getCode()).isEqualTo(Failure.Code.CONFLICT);
            tree.propose(tree.command(BETA)
                    .setWithdraw(Withdraw.newBuilder().addIds(Messages.bytes(FileId.ROOT)))
                    .build());
            assertThat(tree.publish(ALPHA, "/", false).hasPublished()).isTrue();
        }

        @Test
        void aDirectoryThatNobodyPublishedIsAdopted() throws Exception {
            FileId data = tree.published(BETA, "/data");
            assertThat(data).isEqualTo(lookup(FileId.ROOT, "data"));
            assertThat(record(data).getAttributes().getUid()).isEqualTo(1000);
            Registered x = tree.register(
                            BETA,
                            data,
                            false,
                            Registration.newBuilder()
                                    .setParent(Messages.bytes(data))
                                    .setName(ByteString.copyFromUtf8("x"))
                                    .setAttributes(GridTree.directory())
                                    .build())
                    .getRegistered()
                    .getEntries(0);
            assertThat(x.getFailure().getCode()).isEqualTo(Failure.Code.CONFLICT);
        }
    }

    @Nested
    class Registering {
        @Test
        void theSameAgainChangesNothing() throws Exception {
            FileId file = file("a", 10);
            Registration again = GridTree.file(root, "a", 10).build();
            try (View view = log.read()) {
                Transaction rows = new Transaction(view);
                var request = spigot.transport.wire.RegisterRequest.newBuilder()
                        .setPublication(Messages.bytes(root))
                        .addEntries(again);
                Namespace.Result result =
                        Namespace.apply(tree.command(ALPHA).setRegister(request).build(), rows);
                assertThat(result.changes()).isFalse();
                assertThat(result.touched()).isEmpty();
                assertThat(tree.id(result.outcome().getRegistered().getEntries(0)))
                        .isEqualTo(file);
            }
        }

        @Test
        void anotherSizeIsANewVersionOfTheSameFile() throws Exception {
            FileId file = file("a", 10);
            Registered changed = tree.registered(
                    ALPHA, root, false, GridTree.file(root, "a", 11).build());
            assertThat(tree.id(changed)).isEqualTo(file);
            assertThat(changed.getVersion().getIndex()).isEqualTo(2);
            assertThat(number(Records.BYTES)).isEqualTo(11);
        }

        @Test
        void anotherModeIsTheSameVersion() throws Exception {
            file("a", 10);
            Registration.Builder entry = GridTree.file(root, "a", 10);
            entry.getAttributesBuilder().setMode(0600);
            assertThat(tree.registered(ALPHA, root, false, entry.build())
                            .getVersion()
                            .getIndex())
                    .isEqualTo(1);
        }

        @Test
        void anotherTimeOfAccessChangesNothing() throws Exception {
            FileId file = file("a", 10);
            Registration.Builder entry = GridTree.file(root, "a", 10);
            entry.getAttributesBuilder().setAccessedNanos(99);
            tree.registered(ALPHA, root, false, entry.build());
            assertThat(record(file).getAttributes().getAccessedNanos()).isNotEqualTo(99);
        }

        @Test
        void aTreeInOneBatch() throws Exception {
            Outcome outcome = tree.register(
                    ALPHA,
                    root,
                    false,
                    Registration.newBuilder()
                            .setParent(Messages.bytes(root))
                            .setName(ByteString.copyFromUtf8("d"))
                            .setAttributes(GridTree.directory())
                            .build(),
                    Registration.newBuilder()
                            .setParentIndex(0)
                            .setName(ByteString.copyFromUtf8("e"))
                            .setAttributes(GridTree.directory())
                            .build(),
                    Registration.newBuilder()
                            .setParentIndex(1)
                            .setName(ByteString.copyFromUtf8("f"))
                            .setAttributes(GridTree.attributes(3, 1))
                            .build(),
                    Registration.newBuilder()
                            .setParentIndex(0)
                            .setName(ByteString.copyFromUtf8("g"))
                            .setSameAsIndex(3)
                            .setAttributes(GridTree.attributes(3, 1))
                            .build());
            List<Registered> done = outcome.getRegistered().getEntriesList();
            assertThat(done).noneMatch(Registered::hasFailure);
            FileId d = lookup(root, "d");
            assertThat(lookup(lookup(d, "e"), "f")).isEqualTo(lookup(d, "g")).isEqualTo(tree.id(done.get(2)));
            assertThat(number(Records.FILES)).isEqualTo(1);
        }

        @Test
        void anEntryThatIsRefusedDoesNotHarmTheOthers() throws Exception {
            Outcome outcome = tree.register(
                    ALPHA,
                    root,
                    false,
                    GridTree.file(new FileId(7, 7), "lost", 1).build(),
                    GridTree.file(root, "bad/name", 1).build(),
                    GridTree.file(root, "good", 1).build(),
                    Registration.newBuilder()
                            .setParentIndex(0)
                            .setName(ByteString.copyFromUtf8("below"))
                            .setAttributes(GridTree.attributes(1, 1))
                            .build());
            List<Registered> done = outcome.getRegistered().getEntriesList();
            assertThat(done.stream().map(Registered::hasFailure)).containsExactly(true, true, false, true);
            assertThat(lookup(root, "good")).isNotEqualTo(NONE);
        }

        @Test
        void namesThatAreNotUtf8OrOddAreNamesLikeOthers() throws Exception {
            byte[] longest = new byte[255];
            java.util.Arrays.fill(longest, (byte) 'x');
            List<ByteString> names = List.of(
                    ByteString.copyFrom(new byte[] {(byte) 0xff, (byte) 0xfe}),
                    ByteString.copyFromUtf8("line\nbreak"),
                    ByteString.copyFromUtf8(" "),
                    ByteString.copyFromUtf8("..."),
                    ByteString.copyFrom(longest));
            for (ByteString name : names) {
                FileId id = tree.id(tree.registered(
                        ALPHA,
                        root,
                        false,
                        GridTree.file(root, "a", 1).setName(name).build()));
                try (View view = log.read()) {
                    assertThat(view.get(Table.ENTRIES, Keys.entry(root, name.toByteArray())))
                            .isEqualTo(id.bytes());
                }
            }
        }

        @Test
        void onlyBelowWhatTheServerPublishes() throws Exception {
            FileId other = tree.published(BETA, "/other");
            Registered refused = tree.register(
                            BETA,
                            other,
                            false,
                            GridTree.file(root, "intruder", 1).build())
                    .getRegistered()
                    .getEntries(0);
            assertThat(refused.getFailure().getCode()).isEqualTo(Failure.Code.DENIED);
            assertThat(tree.register(
                                    BETA,
                                    root,
                                    false,
                                    GridTree.file(root, "a", 1).build())
                            .getFailure()
                            .getCode())
                    .isEqualTo(Failure.Code.NOT_FOUND);
        }

        @Test
        void anIdThatTheServerRemembersIsKept() throws Exception {
            FileId remembered = new FileId(-5, 77);
            Registered done = tree.registered(
                    ALPHA,
                    root,
                    false,
                    GridTree.file(root, "a", 1)
                            .setId(Messages.bytes(remembered))
                            .setKnownVersionIndex(9)
                            .build());
            assertThat(tree.id(done)).isEqualTo(remembered);
            assertThat(done.getVersion().getIndex()).isEqualTo(9);
        }

        @Test
        void anIdOfAnotherServersFileIsNotTaken() throws Exception {
            FileId file = file("a", 1);
            FileId other = tree.published(BETA, "/other");
            FileId fresh = tree.id(tree.registered(
                    BETA,
                    other,
                    false,
                    GridTree.file(other, "b", 1).setId(Messages.bytes(file)).build()));
            assertThat(fresh).isNotEqualTo(file);
        }
    }

    @Nested
    class Replacing {
        @Test
        void aFileReplacedByRenameIsAnotherFileUnderTheSameName() throws Exception {
            FileId old = file("a", 1);
            Registration replacing =
                    GridTree.file(root, "a", 2).setReplaces(Messages.bytes(old)).build();
            FileId next = tree.id(tree.registered(ALPHA, root, false, replacing));
            assertThat(next).isNotEqualTo(old);
            assertThat(exists(old)).isFalse();
            assertThat(lookup(root, "a")).isEqualTo(next);
            assertThat(tree.id(tree.registered(ALPHA, root, false, replacing))).isEqualTo(next);
            assertThat(number(Records.FILES)).isEqualTo(1);
        }

        @Test
        void renamedOverAnotherNameTheFileKeepsItsId() throws Exception {
            FileId a = file("a", 1);
            FileId b = file("b", 2);
            tree.registered(
                    ALPHA,
                    root,
                    false,
                    GridTree.file(root, "b", 1)
                            .setReplaces(Messages.bytes(b))
                            .setSameAs(Messages.bytes(a))
                            .build());
            tree.withdraw(ALPHA, root, "a");
            assertThat(lookup(root, "b")).isEqualTo(a);
            assertThat(lookup(root, "a")).isEqualTo(NONE);
            assertThat(exists(b)).isFalse();
        }

        @Test
        void aFileKnownByItsIdUnderANewNameIsTheSameFile() throws Exception {
            FileId a = file("a", 1);
            FileId moved = tree.id(tree.registered(
                    ALPHA,
                    root,
                    false,
                    GridTree.file(root, "z", 1).setId(Messages.bytes(a)).build()));
            tree.withdraw(ALPHA, root, "a");
            assertThat(moved).isEqualTo(a);
            assertThat(lookup(root, "z")).isEqualTo(a);
        }

        @Test
        void aDirectoryKnownByItsIdMovesWithAllThatIsBelowIt() throws Exception {
            FileId d = directory(root, "d", NONE);
            FileId f = tree.id(
                    tree.registered(ALPHA, root, false, GridTree.file(d, "f", 1).build()));
            FileId e = directory(root, "e", NONE);
            assertThat(directory(e, "moved", d)).isEqualTo(d);
            assertThat(lookup(root, "d")).isEqualTo(NONE);
            assertThat(lookup(lookup(e, "moved"), "f")).isEqualTo(f);
        }

        @Test
        void aDirectoryNeverMovesBelowItself() throws Exception {
            FileId d = directory(root, "d", NONE);
            FileId e = directory(d, "e", NONE);
            assertThat(directory(e, "loop", d)).isNotEqualTo(d);
            assertThat(lookup(root, "d")).isEqualTo(d);
        }

        @Test
        void aDirectoryWithEntriesIsNotReplacedByAFile() throws Exception {
            FileId d = directory(root, "d", NONE);
            tree.registered(ALPHA, root, false, GridTree.file(d, "f", 1).build());
            Registered refused = tree.register(
                            ALPHA, root, false, GridTree.file(root, "d", 1).build())
                    .getRegistered()
                    .getEntries(0);
            assertThat(refused.getFailure().getCode()).isEqualTo(Failure.Code.CONFLICT);
            tree.withdraw(ALPHA, d, "f");
            assertThat(tree.id(tree.registered(
                            ALPHA, root, false, GridTree.file(root, "d", 1).build())))
                    .isNotEqualTo(d);
        }

        private FileId directory(FileId parent, String name, FileId known) throws Exception {
            Registration.Builder entry = Registration.newBuilder()
                    .setParent(Messages.bytes(parent))
                    .setName(ByteString.copyFromUtf8(name))
                    .setAttributes(GridTree.directory());
            if (!known.equals(NONE)) {
                entry.setId(Messages.bytes(known));
            }
            return tree.id(tree.registered(ALPHA, root, false, entry.build()));
        }
    }

    @Nested
    class HardLinks {
        @Test
        void aFileLivesUntilItsLastNameIsWithdrawn() throws Exception {
            FileId file = file("a", 5);
            tree.registered(
                    ALPHA,
                    root,
                    false,
                    GridTree.file(root, "b", 5).setSameAs(Messages.bytes(file)).build());
            assertThat(lookup(root, "b")).isEqualTo(file);
            tree.withdraw(ALPHA, root, "a");
            assertThat(exists(file)).isTrue();
            tree.withdraw(ALPHA, root, "b");
            assertThat(exists(file)).isFalse();
            assertThat(number(Records.FILES)).isZero();
            assertThat(number(Records.BYTES)).isZero();
        }

        @Test
        void aChangeTakesBackTheLeasesOfAllDirectoriesThatNameIt() throws Exception {
            FileId file = file("a", 5);
            FileId d = tree.id(tree.registered(
                    ALPHA,
                    root,
                    false,
                    Registration.newBuilder()
                            .setParent(Messages.bytes(root))
                            .setName(ByteString.copyFromUtf8("d"))
                            .setAttributes(GridTree.directory())
                            .build()));
            tree.registered(
                    ALPHA,
                    root,
                    false,
                    GridTree.file(d, "b", 5).setSameAs(Messages.bytes(file)).build());
            Outcome outcome = log.propose(tree.command(ALPHA)
                    .setUpdate(UpdateRequest.newBuilder()
                            .setId(Messages.bytes(file))
                            .setAttributes(GridTree.attributes(6, 2000))
                            .setContentChanged(true)
                            .setHomeEpoch(1))
                    .build());
            assertThat(outcome.getNeedsRecallList()).containsExactlyInAnyOrder(Messages.bytes(root), Messages.bytes(d));
        }
    }

    @Nested
    class Copies {
        private FileId file;

        @BeforeEach
        void publishTwice() throws Exception {
            file = file("a", 10);
            tree.publish(BETA, "/data/x", true);
        }

        private Registered copy(long size, long modified) throws Exception {
            return tree.registered(
                    BETA,
                    root,
                    true,
                    GridTree.file(root, "a", size)
                            .setAttributes(GridTree.attributes(size, modified))
                            .build());
        }

        private void compared(ReplicaState outcome, long version) throws Exception {
            tree.propose(tree.command(BETA)
                    .setReplicaStates(ReplicaStateRequest.newBuilder()
                            .addStates(ReplicaStateRequest.State.newBuilder()
                                    .setId(Messages.bytes(file))
                                    .setState(outcome)
                                    .setVersion(Version.newBuilder().setEpoch(1).setIndex(version))))
                    .build());
        }

        @Test
        void ofTheSameSizeIsUnverifiedUntilItWasCompared() throws Exception {
            Registered copy = copy(10, 77);
            assertThat(tree.id(copy)).isEqualTo(file);
            assertThat(copy.getState()).isEqualTo(ReplicaState.UNVERIFIED);
            compared(ReplicaState.VERIFIED, 1);
            assertThat(state(file, BETA)).isEqualTo(ReplicaState.VERIFIED);
            assertThat(copy(10, 77).getState()).isEqualTo(ReplicaState.VERIFIED);
            assertThat(state(file, ALPHA)).isEqualTo(ReplicaState.HOME);
        }

        @Test
        void ofAnotherSizeDiffers() throws Exception {
            assertThat(copy(11, 77).getState()).isEqualTo(ReplicaState.DIFFERS);
            assertThat(record(file).getAttributes().getSize()).isEqualTo(10);
        }

        @Test
        void thatChangedHasToBeComparedAgain() throws Exception {
            copy(10, 77);
            compared(ReplicaState.VERIFIED, 1);
            assertThat(copy(10, 78).getState()).isEqualTo(ReplicaState.UNVERIFIED);
        }

        @Test
        void ofAnOlderVersionIsUnverified() throws Exception {
            copy(10, 77);
            compared(ReplicaState.VERIFIED, 1);
            tree.update(ALPHA, file, 1, GridTree.attributes(10, 5000), true);
            assertThat(state(file, BETA)).isEqualTo(ReplicaState.UNVERIFIED);
            compared(ReplicaState.VERIFIED, 1);
            assertThat(state(file, BETA)).isEqualTo(ReplicaState.UNVERIFIED);
            compared(ReplicaState.VERIFIED, 2);
            assertThat(state(file, BETA)).isEqualTo(ReplicaState.VERIFIED);
            tree.update(ALPHA, file, 1, GridTree.attributes(12, 6000), true);
            assertThat(state(file, BETA)).isEqualTo(ReplicaState.DIFFERS);
        }

        @Test
        void ofWhatTheHomeDoesNotHaveIsRefused() throws Exception {
            Registered refused = tree.register(
                            BETA, root, true, GridTree.file(root, "extra", 1).build())
                    .getRegistered()
                    .getEntries(0);
            assertThat(refused.getFailure().getCode()).isEqualTo(Failure.Code.NOT_FOUND);
        }

        @Test
        void withoutBeingCalledAReplicaIsAConflict() throws Exception {
            Registered refused = tree.register(
                            BETA, root, false, GridTree.file(root, "a", 10).build())
                    .getRegistered()
                    .getEntries(0);
            assertThat(refused.getFailure().getCode()).isEqualTo(Failure.Code.CONFLICT);
        }

        @Test
        void ofAnotherKindDiffers() throws Exception {
            Registered copy = tree.registered(
                    BETA,
                    root,
                    true,
                    Registration.newBuilder()
                            .setParent(Messages.bytes(root))
                            .setName(ByteString.copyFromUtf8("a"))
                            .setAttributes(Messages.wire(new Attributes(
                                    FileKind.SYMLINK, 0777, 0, 0, 10, 0, 1, 1, 1, 1, 1, 0, XattrKinds.NONE)))
                            .setSymlinkTarget(ByteString.copyFromUtf8("elsewhere"))
                            .build());
            assertThat(copy.getState()).isEqualTo(ReplicaState.DIFFERS);
        }

        @Test
        void aVerifiedOneBecomesHomeOnceAndKeepsTheVersion() throws Exception {
            copy(10, 77);
            compared(ReplicaState.VERIFIED, 1);
            for (int i = 0; i < 2; i++) {
                tree.propose(tree.command(NodeId.NONE)
                        .setNominate(Nominate.newBuilder()
                                .setId(Messages.bytes(file))
                                .setHomeEpoch(1)
                                .setHome(Messages.bytes(BETA)))
                        .build());
            }
            assertThat(record(file).getHome()).isEqualTo(Messages.bytes(BETA));
            assertThat(record(file).getHomeEpoch()).isEqualTo(2);
            assertThat(record(file).getVersion().getIndex()).isEqualTo(1);
            assertThat(state(file, BETA)).isEqualTo(ReplicaState.HOME);
            assertThat(state(file, ALPHA)).isEqualTo(ReplicaState.UNVERIFIED);
            Failure late = tree.update(ALPHA, file, 1, GridTree.attributes(99, 1), true)
                    .getFailure();
            assertThat(late.getCode()).isEqualTo(Failure.Code.NOT_HOME);
            tree.update(BETA, file, 2, GridTree.attributes(11, 9000), true);
            assertThat(record(file).getVersion())
                    .isEqualTo(Version.newBuilder().setEpoch(2).setIndex(2).build());
            assertThat(tree.registered(
                                    ALPHA,
                                    root,
                                    false,
                                    GridTree.file(root, "a", 10).build())
                            .getState())
                    .isEqualTo(ReplicaState.DIFFERS);
        }

        @Test
        void anUnverifiedOneIsNeverNominated() throws Exception {
            copy(10, 77);
            tree.propose(tree.command(NodeId.NONE)
                    .setNominate(Nominate.newBuilder()
                            .setId(Messages.bytes(file))
                            .setHomeEpoch(1)
                            .setHome(Messages.bytes(BETA)))
                    .build());
            assertThat(record(file).getHome()).isEqualTo(Messages.bytes(ALPHA));
        }

        @Test
        void aVerifiedOneOutlivesTheHome() throws Exception {
            copy(10, 77);
            compared(ReplicaState.VERIFIED, 1);
            tree.withdraw(ALPHA, root, "a");
            assertThat(record(file).getHome()).isEqualTo(Messages.bytes(BETA));
            assertThat(record(file).getHomeEpoch()).isEqualTo(2);
            tree.withdraw(BETA, root, "a");
            assertThat(exists(file)).isFalse();
        }

        @Test
        void oneThatWasNotVerifiedGoesWithTheHome() throws Exception {
            copy(10, 77);
            tree.withdraw(ALPHA, root, "a");
            assertThat(exists(file)).isFalse();
            assertThat(lookup(root, "a")).isEqualTo(NONE);
        }
    }

    @Nested
    class Withdrawing {
        @Test
        void theDirectoriesThatNobodyPublishesGoWithTheLastOfTheirEntries() throws Exception {
            tree.withdraw(ALPHA, lookup(FileId.ROOT, "data"), "x");
            assertThat(exists(root)).isFalse();
            assertThat(lookup(FileId.ROOT, "data")).isEqualTo(NONE);
            assertThat(number(Records.DIRECTORIES)).isEqualTo(1);
        }

        @Test
        void aDirectoryWithEntriesOfOthersStays() throws Exception {
            FileId d = tree.id(tree.registered(
                    ALPHA,
                    root,
                    false,
                    Registration.newBuilder()
                            .setParent(Messages.bytes(root))
                            .setName(ByteString.copyFromUtf8("d"))
                            .setAttributes(GridTree.directory())
                            .build()));
            FileId nested = tree.published(BETA, "/data/x/d/nested");
            tree.withdraw(ALPHA, root, "d");
            assertThat(lookup(d, "nested")).isEqualTo(nested);
            tree.withdraw(BETA, d, "nested");
            assertThat(exists(d)).isFalse();
            assertThat(exists(root)).isTrue();
        }

        @Test
        void whatAnotherServerPublishesCantBeWithdrawn() throws Exception {
            FileId file = file("a", 1);
            tree.withdraw(BETA, root, "a");
            assertThat(exists(file)).isTrue();
        }

        @Test
        void allIdsInAnyOrderLeaveNothing() throws Exception {
            FileId d = tree.id(tree.registered(
                    ALPHA,
                    root,
                    false,
                    Registration.newBuilder()
                            .setParent(Messages.bytes(root))
                            .setName(ByteString.copyFromUtf8("d"))
                            .setAttributes(GridTree.directory())
                            .build()));
            List<FileId> ids = new ArrayList<>(List.of(root, d));
            for (int i = 0; i < 10; i++) {
                ids.add(tree.id(tree.registered(
                        ALPHA, root, false, GridTree.file(d, "f" + i, i).build())));
            }
            Withdraw.Builder withdraw = Withdraw.newBuilder();
            ids.forEach(id -> withdraw.addIds(Messages.bytes(id)));
            tree.propose(tree.command(ALPHA).setWithdraw(withdraw).build());
            try (View view = log.read()) {
                for (Table table : List.of(Table.ENTRIES, Table.NAMES, Table.REPLICAS, Table.SERVED)) {
                    List<byte[]> left = new ArrayList<>();
                    view.scan(table, new byte[0], (key, _) -> left.add(key));
                    assertThat(left).describedAs("%s", table).isEmpty();
                }
                assertThat(Records.filesOf(view, ALPHA)).isZero();
            }
            assertThat(number(Records.FILES)).isZero();
            assertThat(number(Records.DIRECTORIES)).isEqualTo(1);
        }
    }

    @Nested
    class Updating {
        @Test
        void aRepeatedUpdateMakesOneVersion() throws Exception {
            FileId file = file("a", 10);
            for (int i = 0; i < 3; i++) {
                tree.update(ALPHA, file, 1, GridTree.attributes(12, 4000), true);
            }
            assertThat(record(file).getVersion().getIndex()).isEqualTo(2);
        }

        @Test
        void ofADirectoryComesFromItsPublisher() throws Exception {
            spigot.transport.wire.Attributes later =
                    GridTree.directory().toBuilder().setModifiedNanos(42).build();
            tree.update(ALPHA, root, 0, later, false);
            assertThat(record(root).getAttributes().getModifiedNanos()).isEqualTo(42);
            assertThat(tree.update(BETA, root, 0, later, false).getFailure().getCode())
                    .isEqualTo(Failure.Code.NOT_HOME);
        }

        @Test
        void everyChangeOfADirectoryGivesItAHigherRevision() throws Exception {
            long before = revision(root);
            FileId file = file("a", 1);
            long afterName = revision(root);
            assertThat(afterName).isGreaterThan(before);
            tree.update(ALPHA, file, 1, GridTree.attributes(2, 3), true);
            assertThat(revision(root)).isGreaterThan(afterName);
            long after = revision(root);
            file("a", 2);
            tree.update(ALPHA, file, 1, GridTree.attributes(2, 1000), false);
            tree.publish(BETA, "/elsewhere", false);
            assertThat(revision(root)).isBetween(after, after + 2);
        }

        private long revision(FileId directory) throws Exception {
            try (View view = log.read()) {
                return Namespace.revision(view, directory);
            }
        }
    }

    @Test
    void anotherGridIsRefused() throws Exception {
        Outcome outcome = log.propose(tree.command(NodeId.NONE)
                .setBegin(spigot.catalog.server.state.Begin.newBuilder()
                        .setGrid(ByteString.copyFromUtf8("another grid....")))
                .build());
        assertThat(outcome.getFailure().getMessage()).contains("another grid");
    }

    @Test
    void theSameCommandsMakeTheSameTables() throws Exception {
        MemoryCatalogLog other = new MemoryCatalogLog();
        GridTree twin = new GridTree(other);
        twin.begin();
        FileId twinRoot = twin.published(ALPHA, "/data/x");
        assertThat(twinRoot).isEqualTo(root);
        assertThat(twin.id(twin.registered(
                        ALPHA, twinRoot, false, GridTree.file(twinRoot, "a", 1).build())))
                .isEqualTo(file("a", 1));
    }
}
