package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static spigot.transport.tls.TestGrid.LONG;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.transport.CallCancelledException;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.PeerIdentity.Role;
import spigot.transport.wire.DigestRequest;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.GridRequest;
import spigot.transport.wire.ListPart;
import spigot.transport.wire.ServerHello;
import spigot.transport.wire.XattrRequest;

/** What a link does between two peers that behave. */
class LinkTest {
    private final ServingHandler serving = new ServingHandler();
    private TestGrid grid;
    private Link link;

    @BeforeEach
    void connect(@TempDir Path directory) throws Exception {
        grid = new TestGrid(directory, serving);
        link = grid.client().link(LONG);
    }

    @AfterEach
    void close() throws Exception {
        serving.gate.countDown();
        grid.close();
    }

    @Test
    void bothSidesKnowEachOther() {
        assertThat(link.peer()).isEqualTo(grid.serverIdentity.self());
        await().untilAsserted(() -> assertThat(serving.opened).hasSize(1));
        assertThat(serving.opened.element().peer().name()).isEqualTo("laptop");
        assertThat(serving.opened.element().peer().role()).isEqualTo(Role.NODE);
        assertThat(serving.opened.element().peer().site()).isEqualTo("tainan");
        assertThat(serving.opened.element().peer().grid()).isEqualTo(grid.authority.grid());
    }

    @Test
    void aCallReturnsItsReply() throws Exception {
        assertThat(link.call(ServingHandler.renew(42), LONG).getRenewed().getEpoch())
                .isEqualTo(42);
    }

    @Test
    void manyCallsAtOnceEachGetTheirOwnReply() throws Exception {
        List<Callable<Long>> calls = new ArrayList<>();
        for (long i = 0; i < 5_000; i++) {
            long session = i;
            calls.add(() ->
                    link.call(ServingHandler.renew(session), LONG).getRenewed().getEpoch());
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Long>> results = threads.invokeAll(calls);
            for (int i = 0; i < results.size(); i++) {
                assertThat(results.get(i).get()).isEqualTo(i);
            }
        }
    }

    @Test
    void aServerCallsItsClientToo() throws Exception {
        await().until(() -> !serving.opened.isEmpty());
        Link back = serving.opened.element();
        assertThat(back.call(ServingHandler.renew(7), LONG).getRenewed().getEpoch())
                .isEqualTo(7);
        ByteBuffer destination = ByteBuffer.allocate(100);
        back.fetch(ServingHandler.read(5, 100), destination, LONG, null);
        assertThat(destination.array()).isEqualTo(ServingHandler.pattern(5, 100));
    }

    @Test
    void oneWayMessagesComeInOrder() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            link.send(ServingHandler.renew(i));
        }
        await().until(() -> serving.messages.size() == 1_000);
        assertThat(serving.messages.stream().map(m -> m.getRenew().getSession()))
                .isSorted();
    }

    @Test
    void aFailureOfTheHandlerBecomesAFailureException() {
        Envelope request = Envelope.newBuilder()
                .setXattrRequest(XattrRequest.getDefaultInstance())
                .build();
        assertThatThrownBy(() -> link.call(request, LONG)).isInstanceOfSatisfying(FailureException.class, e -> {
            assertThat(e.code()).isEqualTo(Failure.Code.NO_ATTRIBUTE);
            assertThat(e).hasMessage("no such attribute");
        });
    }

    @Test
    void anIoErrorOfTheHandlerBecomesIoError() {
        Envelope request = Envelope.newBuilder()
                .setServerHello(ServerHello.getDefaultInstance())
                .build();
        assertThatThrownBy(() -> link.call(request, LONG)).isInstanceOfSatisfying(FailureException.class, e -> {
            assertThat(e.code()).isEqualTo(Failure.Code.IO_ERROR);
            assertThat(e.failure().getErrno()).isEqualTo(5);
            assertThat(e).hasMessage("the disk is gone");
        });
    }

    @Test
    void aFaultOfTheHandlerIsAnsweredAndTheLinkLivesOn() throws Exception {
        Envelope request = Envelope.newBuilder()
                .setGridRequest(GridRequest.getDefaultInstance())
                .build();
        assertThatThrownBy(() -> link.call(request, LONG))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.UNKNOWN));
        link.call(ServingHandler.renew(1), LONG);
    }

    @Test
    void aRequestOfALaterVersionIsAnsweredAsNotKnown() throws Exception {
        Envelope later = Envelope.newBuilder()
                .setUnknownFields(UnknownFieldSet.newBuilder()
                        .addField(
                                9999,
                                UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                        .build())
                .build();
        assertThatThrownBy(() -> link.call(later, LONG))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.BAD_REQUEST));
        link.send(later);
        link.call(ServingHandler.renew(1), LONG);
        assertThat(serving.messages).isEmpty();
    }

    @Test
    void partsOfAStreamComeInOrderAndTheLastIsReturned() throws Exception {
        List<String> names = new ArrayList<>();
        Envelope last = link.stream(
                ServingHandler.list(3_000),
                LONG,
                part -> names.add(part.getListPart().getEntries(0).getName().toStringUtf8()));
        assertThat(last.getListPart())
                .isEqualTo(ListPart.newBuilder().setLast(true).build());
        assertThat(names).hasSize(3_000);
        for (int i = 0; i < names.size(); i++) {
            assertThat(names.get(i)).isEqualTo("entry " + i);
        }
    }

    @Test
    void aFetchFillsTheBuffer() throws Exception {
        int length = 4 << 20;
        ByteBuffer heap = ByteBuffer.allocate(length + 10).position(10);
        AtomicInteger progress = new AtomicInteger();
        Envelope reply = link.fetch(ServingHandler.read(3, length), heap, LONG, progress::incrementAndGet);
        assertThat(reply.getReadReply().getBlocks().getLength()).isEqualTo(length);
        assertThat(heap.position()).isEqualTo(length + 10);
        assertThat(heap.flip().position(10).slice()).isEqualTo(ByteBuffer.wrap(ServingHandler.pattern(3, length)));
        assertThat(progress.get()).isGreaterThan(10);
        try (Arena arena = Arena.ofShared()) {
            ByteBuffer direct = arena.allocate(1_000_001).asByteBuffer();
            link.fetch(ServingHandler.read(9, 1_000_001), direct, LONG, null);
            assertThat(direct.flip()).isEqualTo(ByteBuffer.wrap(ServingHandler.pattern(9, 1_000_001)));
        }
    }

    @Test
    void fetchesRunOverSeveralConnectionsAtOnce() throws Exception {
        int fetches = 64;
        int length = 1 << 20;
        List<Callable<ByteBuffer>> calls = new ArrayList<>();
        for (int i = 0; i < fetches; i++) {
            long offset = i * 1_000L;
            calls.add(() -> {
                ByteBuffer destination = ByteBuffer.allocate(length);
                link.fetch(ServingHandler.read(offset, length), destination, LONG, null);
                return destination.flip();
            });
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<ByteBuffer>> results = threads.invokeAll(calls);
            for (int i = 0; i < fetches; i++) {
                assertThat(results.get(i).get()).isEqualTo(ByteBuffer.wrap(ServingHandler.pattern(i * 1_000L, length)));
            }
        }
        long payload = (long) fetches * length;
        assertThat(grid.clientCounters.payloadReceivedBytes()).isEqualTo(payload);
        assertThat(grid.clientCounters.wireReceivedBytes()).isBetween(payload, payload + payload / 50);
        // The server counts what it has sent, a moment after the client may have it.
        await().untilAsserted(() -> {
            assertThat(grid.serverCounters.payloadSentBytes()).isEqualTo(payload);
            assertThat(grid.serverCounters.wireSentBytes()).isGreaterThan(payload);
        });
    }

    @Test
    void aFetchThatEndsShortTellsByThePosition() throws Exception {
        ByteBuffer destination = ByteBuffer.allocate(100);
        link.fetch(ServingHandler.read(0, 30), destination, LONG, null);
        assertThat(destination.position()).isEqualTo(30);
    }

    @Test
    void aHeaderOfAlmostAMebibytePassesAndALargerOneIsRefusedWhereItIsMade() throws Exception {
        Envelope large = digests((1 << 20) - 64);
        assertThat(link.call(large, LONG).getDigestReply().getSha256(0).size()).isEqualTo((1 << 20) - 64);
        assertThatThrownBy(() -> link.call(digests(2 << 20), LONG))
                .isInstanceOfSatisfying(
                        FailureException.class, e -> assertThat(e.code()).isEqualTo(Failure.Code.UNKNOWN));
        Envelope tooLarge = Envelope.newBuilder()
                .setXattrRequest(XattrRequest.newBuilder().setName(ByteString.copyFrom(new byte[2 << 20])))
                .build();
        assertThatThrownBy(() -> link.call(tooLarge, LONG)).isInstanceOf(IllegalArgumentException.class);
        link.call(ServingHandler.renew(1), LONG);
    }

    private static Envelope digests(int bytes) {
        return Envelope.newBuilder()
                .setDigestRequest(DigestRequest.newBuilder().setFragments(bytes))
                .build();
    }

    @Test
    void aCallThatIsNotAnsweredTimesOutAndTheLateReplyIsDropped() throws Exception {
        assertThatThrownBy(() -> link.call(ServingHandler.gated(), Duration.ofMillis(200)))
                .isInstanceOf(CallTimeoutException.class)
                .hasMessageContaining("alpha")
                .hasMessageContaining("SEEK_REQUEST")
                .hasMessageContaining("200 ms");
        serving.gate.countDown();
        assertThat(link.call(ServingHandler.renew(1), LONG).getRenewed().getEpoch())
                .isEqualTo(1);
        assertThat(link.isOpen()).isTrue();
    }

    @Test
    void anInterruptedCallEndsAtOnceAndCancelsTheStreamAtItsServer() throws Exception {
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                // More parts than the queues hold, and a consumer that does not come back.
                link.stream(ServingHandler.list(50_000_000), LONG, part -> parkUntilInterrupted());
            } catch (Exception expected) {
                serving.ends.add(expected);
            }
        });
        await().until(() -> serving.partsSent.get() > 100);
        caller.interrupt();
        assertThat(caller.join(LONG)).isTrue();
        await().untilAsserted(() -> assertThat(serving.ends).hasAtLeastOneElementOfType(CallCancelledException.class));
        link.call(ServingHandler.renew(1), LONG);
    }

    private static void parkUntilInterrupted() {
        try {
            Thread.sleep(LONG);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted as planned", e);
        }
    }

    @Test
    void aClosedLinkFailsItsCallsAndTellsBothHandlers() throws Exception {
        Future<?> call;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            call = threads.submit(() -> link.call(ServingHandler.gated(), LONG));
            await().until(() -> serving.waiting.get() == 1);
            link.close();
        }
        assertThatThrownBy(call::get).hasCauseInstanceOf(LinkBrokenException.class);
        assertThat(link.isOpen()).isFalse();
        await().until(() -> serving.closed.size() == 1);
        assertThatThrownBy(() -> link.send(ServingHandler.renew(1))).isInstanceOf(LinkBrokenException.class);
        assertThatThrownBy(() -> link.call(ServingHandler.renew(1), LONG)).isInstanceOf(LinkBrokenException.class);
    }
}
