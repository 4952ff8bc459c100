package spigot.catalog.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.catalog.TestGrid;
import spigot.catalog.TestTree;
import spigot.catalog.client.RegistrationClient;
import spigot.coherence.HolderConfig;
import spigot.coherence.Lease;
import spigot.model.FileId;
import spigot.session.BootClock;
import spigot.session.LeaseHolder;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Messages;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.LeaseKind;
import spigot.transport.wire.LookupReply;
import spigot.transport.wire.LookupRequest;
import spigot.transport.wire.Mutation;
import spigot.transport.wire.NamespaceReply;
import spigot.transport.wire.NamespaceRequest;
import spigot.transport.wire.Want;

@DisplayName("A client on whose behalf names change")
class ActorTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private final MemoryCatalogLog log = new MemoryCatalogLog();

    private TestGrid grid;
    private RegistrationClient server;
    private TestTree tree;
    private Node alice;
    private Node bob;
    private long number;

    @BeforeEach
    void start() throws Exception {
        grid = new TestGrid(directory, log);
        server = grid.replicaServer(grid.identity(PeerIdentity.Role.SERVER, 1, "server"));
        tree = new TestTree(server, "/data");
        alice = new Node(11);
        bob = new Node(12);
    }

    @AfterEach
    void stop() throws Exception {
        alice.close();
        bob.close();
        grid.close();
    }

    /** A node with its leases; it caches nothing, and says when it has to drop. */
    private final class Node implements LinkHandler, AutoCloseable {
        final PeerIdentity identity;
        final AtomicInteger drops = new AtomicInteger();
        final LeaseHolder leases;
        private final Peer peer;
        final Link link;

        Node(long number) throws Exception {
            identity = grid.identity(PeerIdentity.Role.NODE, number, "node" + number);
            leases = new LeaseHolder(
                    "catalog", LeaseKind.DIRECTORIES, HolderConfig.of(number), BootClock.system(), (_, done) -> {
                        drops.incrementAndGet();
                        done.run();
                    });
            peer = grid.connect(identity).apply(this);
            link = peer.link(SOON);
            leases.linkUp(link);
        }

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            throw new FailureException(Failure.Code.BAD_REQUEST, "asks only");
        }

        @Override
        public void message(Link from, Envelope message) {
            leases.message(from, message);
        }

        Want want() throws Exception {
            return leases.want(SOON).orElseThrow();
        }

        LookupReply lookup(String name, Want want) throws Exception {
            return link.call(
                            Envelope.newBuilder()
                                    .setLookupRequest(LookupRequest.newBuilder()
                                            .setWant(want)
                                            .setDirectory(Messages.bytes(tree.root()))
                                            .setName(ByteString.copyFromUtf8(name)))
                                    .build(),
                            SOON)
                    .getLookupReply();
        }

        Lease lease() throws Exception {
            return leases.granted(lookup("x", want()).getGrant()).orElseThrow();
        }

        /** Goes without a word. */
        void die() {
            leases.linkDown(link);
            peer.close();
        }

        @Override
        public void close() {
            leases.close();
            peer.close();
        }
    }

    private NamespaceReply change(Node actor, Mutation... mutations) throws Exception {
        return server.names(request(++number, actor, mutations));
    }

    private NamespaceRequest request(long requestNumber, Node actor, Mutation... mutations) throws Exception {
        return NamespaceRequest.newBuilder()
                .setNumber(requestNumber)
                .setPublication(Messages.bytes(tree.root()))
                .setActor(Messages.bytes(actor.identity.id()))
                .setActorSession(actor.want().getSession())
                .addAllMutations(List.of(mutations))
                .build();
    }

    private Mutation add(String name, long id) {
        return Mutations.add(tree.root(), name, Mutations.id(id), GridTree.attributes(1, 1));
    }

    private static CompletableFuture<LookupReply> later(Node node, String name, Want want) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return node.lookup(name, want);
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                },
                task -> Thread.ofVirtual().start(task));
    }

    @Test
    void keepsItsLeaseWhileOthersGiveTheirsBackBeforeItIsVisible() throws Exception {
        Lease ofAlice = alice.lease();
        Lease ofBob = bob.lease();
        NamespaceReply reply = change(alice, add("new", 1));
        assertThat(bob.leases.valid(ofBob)).isFalse();
        assertThat(bob.drops).hasValue(1);
        assertThat(alice.drops).hasValue(0);
        List<Lease> kept = alice.leases.ownChange(reply.getOwn());
        assertThat(kept).extracting(Lease::object).containsExactly(tree.root());
        assertThat(kept.getFirst().version()).isNotEqualTo(ofAlice.version());
        assertThat(alice.leases.valid(kept.getFirst())).isTrue();
        assertThat(alice.leases.valid(ofAlice)).isFalse();
    }

    @Test
    void hasSeenItBeforeAnybodyElseWithALeaseOrWithout() throws Exception {
        alice.lease();
        NamespaceReply reply = change(alice, add("new", 1));
        CompletableFuture<LookupReply> leased = later(bob, "new", bob.want());
        CompletableFuture<LookupReply> unleased = later(bob, "new", Want.getDefaultInstance());
        // The actor itself is answered at once, and is told its own lease again.
        assertThat(alice.lookup("new", alice.want()).hasRecord()).isTrue();
        assertThat(leased).isNotDone();
        assertThat(unleased).isNotDone();
        alice.leases.ownChange(reply.getOwn());
        alice.leases.seen(reply.getOwn());
        assertThat(leased.get().hasRecord()).isTrue();
        assertThat(unleased.get().hasRecord()).isTrue();
        assertThat(bob.leases.granted(leased.get().getGrant())).isPresent();
    }

    @Test
    void thatHoldsNothingNeedNotSayAnything() throws Exception {
        assertThat(change(alice, add("new", 1)).hasOwn()).isFalse();
        assertThat(bob.lookup("new", bob.want()).hasRecord()).isTrue();
    }

    @Test
    void thatDiesIsNotWaitedForLongerThanItsSession() throws Exception {
        alice.lease();
        assertThat(change(alice, add("new", 1)).hasOwn()).isTrue();
        alice.die();
        CompletableFuture<LookupReply> leased = later(bob, "new", bob.want());
        await().atMost(SOON).until(leased::isDone);
        assertThat(leased.get().hasRecord()).isTrue();
        assertThat(leased.get().hasGrant()).isTrue();
    }

    @Test
    void whoseCatalogDiesIsWaitedForUntilItsLeasesHaveRunOut() throws Exception {
        alice.lease();
        NamespaceReply reply = change(alice, add("new", 1));
        Lease kept = alice.leases.ownChange(reply.getOwn()).getFirst();
        grid.restart(log);
        try (Node carol = new Node(13)) {
            LookupReply seen = carol.lookup("new", carol.want());
            // Alice may have had the old state for as long as this lease.
            assertThat(alice.leases.valid(kept)).isFalse();
            assertThat(seen.hasRecord()).isTrue();
            assertThat(seen.hasGrant()).isTrue();
        }
        // What was hidden for it is not hidden again.
        Node dave = new Node(14);
        try (dave) {
            dave.lease();
            NamespaceReply next = change(dave, add("next", 2));
            dave.leases.ownChange(next.getOwn());
            dave.leases.seen(next.getOwn());
            // Another one is answered when it has been seen; the next change then notes that.
            try (Node erin = new Node(15)) {
                assertThat(erin.lookup("next", erin.want()).hasRecord()).isTrue();
            }
            change(dave, add("last", 3));
        }
        try (View view = log.read()) {
            int[] unseen = {0};
            view.scan(Table.UNSEEN, new byte[0], (_, _) -> ++unseen[0] > 0);
            assertThat(unseen[0]).isEqualTo(1);
        }
    }

    @Test
    void isToldTheSameAgainWhenTheRequestIsRepeated() throws Exception {
        alice.lease();
        NamespaceRequest request = request(++number, alice, add("new", 1));
        NamespaceReply first = server.names(request);
        assertThat(first.hasOwn()).isTrue();
        assertThat(server.names(request)).isEqualTo(first);
        alice.leases.seen(first.getOwn());
        assertThat(bob.lookup("new", bob.want()).hasGrant()).isTrue();
    }

    @Test
    void andAnotherOneTakeTurnsInOneDirectory() throws Exception {
        int rounds = 40;
        CompletableFuture<?>[] actors = new CompletableFuture<?>[2];
        AtomicInteger numbers = new AtomicInteger();
        for (int i = 0; i < 2; i++) {
            Node actor = i == 0 ? alice : bob;
            int first = 1_000 * (i + 1);
            actors[i] = CompletableFuture.runAsync(
                    () -> {
                        try {
                            for (int round = 0; round < rounds; round++) {
                                actor.lookup("x", actor.want());
                                FileId id = Mutations.id(first + round);
                                NamespaceReply reply = server.names(request(
                                        numbers.incrementAndGet(),
                                        actor,
                                        Mutations.add(tree.root(), "n" + id.low(), id, GridTree.attributes(1, 1))));
                                actor.leases.ownChange(reply.getOwn());
                                actor.leases.seen(reply.getOwn());
                            }
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    task -> Thread.ofVirtual().start(task));
        }
        CompletableFuture.allOf(actors).get();
        assertThat(bob.lookup("n" + (1_000 + rounds - 1), bob.want()).hasRecord())
                .isTrue();
        assertThat(alice.lookup("n" + (2_000 + rounds - 1), alice.want()).hasRecord())
                .isTrue();
    }

    @Test
    void mustBeOneOfAReplicaServer() throws Exception {
        Envelope request = Envelope.newBuilder()
                .setNamespaceRequest(request(1, alice, add("new", 1)))
                .build();
        assertThat(org.assertj.core.api.Assertions.catchThrowableOfType(
                                FailureException.class, () -> alice.link.call(request, SOON))
                        .code())
                .isEqualTo(Failure.Code.DENIED);
    }
}
