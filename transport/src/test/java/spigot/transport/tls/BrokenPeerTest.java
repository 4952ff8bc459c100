package spigot.transport.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static spigot.transport.tls.TestGrid.LONG;
import static spigot.transport.tls.TestGrid.QUICK;
import static spigot.transport.tls.TestGrid.RANDOM;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spigot.model.NodeId;
import spigot.transport.CallTimeoutException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.Peer;
import spigot.transport.Responder;
import spigot.transport.TransportLimits;
import spigot.transport.wire.Done;
import spigot.transport.wire.Envelope;

/** Peers that die, fall silent, do not read, or send what they must not. */
class BrokenPeerTest {
    private static final Envelope DONE =
            Envelope.newBuilder().setDone(Done.getDefaultInstance()).build();

    @TempDir
    private Path directory;

    private final ServingHandler serving = new ServingHandler();
    private TestGrid grid;

    @BeforeEach
    void listen() throws Exception {
        grid = new TestGrid(directory, serving, QUICK, ServerLimits.DEFAULT);
    }

    @AfterEach
    void close() throws Exception {
        serving.gate.countDown();
        grid.close();
    }

    private Link linkTo(RawServer server) throws Exception {
        return grid.client(server.address(), new ServingHandler(), grid.node(), QUICK)
                .link(LONG);
    }

    // ---- dead and silent

    @Test
    void aServerThatDiesFailsTheCallsInFlight() throws Exception {
        Link link = grid.client().link(LONG);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> call = threads.submit(() -> link.call(ServingHandler.gated(), LONG));
            await().until(() -> serving.waiting.get() == 1);
            grid.server.close();
            assertThatThrownBy(call::get)
                    .hasCauseInstanceOf(LinkBrokenException.class)
                    .hasMessageContaining("alpha (" + grid.address() + ")");
        }
        await().until(() -> !link.isOpen());
    }

    @Test
    void aServerThatIsStoppedIsNoticedLongBeforeTheCallsTimeout() throws Exception {
        try (RawServer silent = new RawServer(grid.serverIdentity, connection -> new CountDownLatch(1).await())) {
            ServingHandler handler = new ServingHandler();
            Peer peer = grid.client(silent.address(), handler, grid.node(), QUICK);
            Link link = peer.link(LONG);
            assertThatThrownBy(() -> link.call(ServingHandler.renew(1), Duration.ofMinutes(10)))
                    .isInstanceOf(LinkBrokenException.class)
                    .hasMessageContaining("is dead: nothing was received for 2000 ms");
            assertThat(link.isOpen()).isFalse();
            await().atMost(LONG).until(() -> handler.closed.size() == 1);
        }
    }

    @Test
    void aClientThatIsStoppedLosesItsLink() throws Exception {
        try (RawPeer silent = new RawPeer(grid.server.port(), grid.node())) {
            assertThat(silent.hello().hasDone()).isTrue();
            await().until(() -> serving.opened.size() == 1);
            await().atMost(LONG).until(() -> serving.closed.size() == 1);
            assertThat(serving.opened.element().isOpen()).isFalse();
        }
    }

    @Test
    void anIdleLinkStaysUp() throws Exception {
        Link link = grid.client().link(LONG);
        long idleUntil =
                System.nanoTime() + QUICK.times().deadAfter().multipliedBy(2).toNanos();
        await().atMost(LONG).until(() -> System.nanoTime() - idleUntil > 0);
        assertThat(link.isOpen()).isTrue();
        assertThat(link.call(ServingHandler.renew(1), LONG).hasRenewed()).isTrue();
    }

    @Test
    void aSilentBulkConnectionFailsItsFetchAndLeavesTheLinkUp() throws Exception {
        try (RawServer server = new RawServer(grid.serverIdentity, connection -> {
            if (!connection.preface().control()) {
                new CountDownLatch(1).await();
            }
            while (true) {
                connection.send(FrameKind.REPLY, connection.nextRequest(), DONE, 0);
            }
        })) {
            Link link = linkTo(server);
            ByteBuffer large = ByteBuffer.allocate(1 << 20);
            assertThatThrownBy(() -> link.fetch(ServingHandler.read(0, 1 << 20), large, Duration.ofMinutes(10), null))
                    .isInstanceOf(LinkBrokenException.class)
                    .hasMessageContaining("bulk connection");
            assertThat(link.isOpen()).isTrue();
            assertThat(link.call(ServingHandler.renew(1), LONG)).isEqualTo(DONE);
        }
    }

    @Test
    void aBrokenBulkConnectionIsReopened() throws Exception {
        AtomicInteger breaks = new AtomicInteger(2);
        ServingHandler breaking = new ServingHandler() {
            @Override
            public void request(Link from, Envelope request, Responder responder) throws Exception {
                if (request.getReadRequest().getLength() > 300_000 && breaks.getAndDecrement() > 0) {
                    ((InboundCall) responder).connection().close();
                }
                super.request(from, request, responder);
            }
        };
        try (TestGrid other = new TestGrid(directory.resolve("other"), breaking)) {
            Link link = other.client().link(LONG);
            ByteBuffer large = ByteBuffer.allocate(1 << 20);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> link.fetch(ServingHandler.read(0, 1 << 20), large.clear(), LONG, null))
                        .isInstanceOf(LinkBrokenException.class)
                        .hasMessageContaining("bulk connection");
            }
            link.fetch(ServingHandler.read(0, 1 << 20), large.clear(), LONG, null);
            assertThat(large.array()).isEqualTo(ServingHandler.pattern(0, 1 << 20));
            assertThat(link.isOpen()).isTrue();
        }
    }

    @Test
    void nothingIsWrittenIntoTheBufferOnceAFetchHasTimedOut() throws Exception {
        CountDownLatch halfSent = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        int length = 1 << 20;
        try (RawServer server = new RawServer(grid.serverIdentity, connection -> {
            if (connection.preface().control()) {
                while (true) {
                    connection.nextRequest();
                }
            }
            connection.send(FrameKind.REPLY, connection.nextRequest(), DONE, length);
            connection.out().write(ServingHandler.pattern(0, length / 2));
            halfSent.countDown();
            goOn.await();
            connection.out().write(ServingHandler.pattern(length / 2, length / 2));
            connection.send(FrameKind.REPLY, connection.nextRequest(), DONE, length);
            connection.out().write(ServingHandler.pattern(7, length));
        })) {
            Link link = linkTo(server);
            ByteBuffer first = ByteBuffer.allocate(length);
            assertThatThrownBy(() -> link.fetch(ServingHandler.read(0, length), first, Duration.ofSeconds(2), null))
                    .isInstanceOf(CallTimeoutException.class);
            assertThat(halfSent.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(first.position()).isZero();
            byte[] then = first.array().clone();
            goOn.countDown();
            ByteBuffer second = ByteBuffer.allocate(length);
            link.fetch(ServingHandler.read(7, length), second, LONG, null);
            assertThat(second.array()).isEqualTo(ServingHandler.pattern(7, length));
            assertThat(first.array()).isEqualTo(then);
        }
    }

    // ---- back pressure

    @Test
    void aConnectionServesSoManyRequestsAndReadsNoMoreUntilOneIsAnswered() throws Exception {
        int places = 4;
        TransportLimits limits = QUICK.with(new TransportLimits.Queues(places, 64, 64 << 10));
        ServingHandler gated = new ServingHandler();
        try (TestGrid small = new TestGrid(directory.resolve("small"), gated, limits, ServerLimits.DEFAULT);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Link link = small.client().link(LONG);
            List<Future<Envelope>> calls = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                calls.add(threads.submit(() -> link.call(ServingHandler.gated(), LONG)));
            }
            await().until(() -> gated.waiting.get() == places);
            // Longer than a silent peer would be borne: a busy one says that it is there.
            long until = System.nanoTime()
                    + limits.times().deadAfter().multipliedBy(2).toNanos();
            await().atMost(LONG).until(() -> {
                assertThat(gated.waiting.get()).isLessThanOrEqualTo(places);
                return System.nanoTime() - until > 0;
            });
            gated.gate.countDown();
            for (Future<Envelope> call : calls) {
                assertThat(call.get().getSeekReply().getOffset()).isEqualTo(1);
            }
            assertThat(link.isOpen()).isTrue();
        }
    }

    @Test
    void aStreamWaitsForASlowReader() throws Exception {
        Link link = grid.client().link(LONG);
        CountDownLatch look = new CountDownLatch(1);
        AtomicBoolean waited = new AtomicBoolean();
        AtomicInteger parts = new AtomicInteger();
        int all = 400_000;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Envelope> stream = threads.submit(() -> link.stream(ServingHandler.list(all), LONG, part -> {
                if (parts.incrementAndGet() == 1) {
                    waited.set(awaitQuietly(look));
                }
            }));
            await().until(() -> parts.get() == 1);
            AtomicInteger before = new AtomicInteger(-1);
            // The server gets no further once the queues and the sockets between are full.
            await().pollInterval(Duration.ofMillis(200))
                    .until(() -> before.getAndSet(serving.partsSent.get()) == serving.partsSent.get());
            assertThat(serving.partsSent.get()).isLessThan(all);
            look.countDown();
            assertThat(stream.get().getListPart().getLast()).isTrue();
            assertThat(parts.get()).isEqualTo(all);
            assertThat(waited).isTrue();
        }
    }

    private static boolean awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    // ---- reconnecting

    @Test
    void aPeerConnectsAgainWhenItsServerIsBack() throws Exception {
        Peer peer = grid.client();
        Link first = peer.link(LONG);
        int port = grid.server.port();
        grid.server.close();
        await().until(() -> !first.isOpen());
        assertThatThrownBy(() -> peer.link(Duration.ofMillis(700)))
                .isInstanceOf(LinkBrokenException.class)
                .hasMessageContaining("127.0.0.1:" + port);
        try (TransportServer again = TransportServer.listen(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                () -> grid.serverIdentity,
                serving,
                QUICK,
                ServerLimits.DEFAULT,
                grid.serverCounters)) {
            Link second = peer.link(LONG);
            assertThat(second.call(ServingHandler.renew(1), LONG).hasRenewed()).isTrue();
            assertThat(peer.link(Duration.ZERO)).isSameAs(second);
            assertThat(again.port()).isEqualTo(port);
        }
    }

    @Test
    void withoutPatienceNobodyWaitsForTheNextAttempt() throws Exception {
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + closed.getLocalPort();
            closed.close();
            Peer peer = grid.client(address, new ServingHandler(), grid.node(), QUICK);
            // Each attempt doubles the pause; soon it is seconds long, and none of these calls waits for it.
            for (int i = 0; i < 200; i++) {
                assertThatThrownBy(() -> peer.link(Duration.ZERO))
                        .isInstanceOf(LinkBrokenException.class)
                        .hasMessageContaining("can't connect to " + address);
            }
        }
    }

    // ---- before the handshake is over

    private static TransportLimits impatient() {
        TransportLimits.Times times = QUICK.times();
        return QUICK.with(new TransportLimits.Times(
                times.pingAfter(), times.deadAfter(), times.stalledAfter(), LONG, Duration.ofSeconds(1)));
    }

    @Test
    void aFailedAttemptTellsHowFarItCame() throws Exception {
        try (ServerSocket stopped = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + stopped.getLocalPort();
            // As a process that is stopped: its kernel goes on accepting.
            assertThatThrownBy(() -> grid.client(address, serving, grid.node(), impatient())
                            .link(Duration.ZERO))
                    .isInstanceOf(LinkBrokenException.class)
                    .hasMessage("can't connect to " + address + ": no TLS handshake within 1000 ms");
            Thread mute = Thread.startVirtualThread(() -> {
                try (Socket first = stopped.accept();
                        Socket second = stopped.accept()) {
                    SSLSocket tls = (SSLSocket) GridTls.server(grid.serverIdentity.key(), grid.serverIdentity.chain())
                            .getSocketFactory()
                            .createSocket(second, null, true);
                    tls.setSSLParameters(GridTls.parameters());
                    tls.setUseClientMode(false);
                    while (tls.getInputStream().read() >= 0) {}
                } catch (IOException e) {
                    // The other side has left.
                }
            });
            assertThatThrownBy(() -> grid.client(address, serving, grid.node(), impatient())
                            .link(Duration.ZERO))
                    .isInstanceOf(LinkBrokenException.class)
                    .hasMessage("can't connect to " + address + ": no hello of the server within 1000 ms");
            mute.join();
        }
    }

    @Test
    void whoDoesNotFinishTheHandshakeIsClosedAndHisPlaceIsFree() throws Exception {
        TransportLimits.Times times = QUICK.times();
        TransportLimits quick = QUICK.with(new TransportLimits.Times(
                times.pingAfter(), times.deadAfter(), times.stalledAfter(), LONG, Duration.ofSeconds(2)));
        ServerLimits few = new ServerLimits(2, 2, 100, 100);
        try (TestGrid small = new TestGrid(directory.resolve("small"), serving, quick, few);
                Socket idle = RawPeer.plain(small.server.port());
                Socket slow = RawPeer.plain(small.server.port())) {
            // A TLS record that never gets complete.
            slow.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1});
            try (Socket third = RawPeer.plain(small.server.port())) {
                assertThat(third.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(idle.getInputStream().read()).isEqualTo(-1);
            assertThat(slow.getInputStream().read()).isEqualTo(-1);
            assertThat(small.client().link(LONG).isOpen()).isTrue();
        }
    }

    // ---- what no peer may send

    private interface Misdeed {
        void commit(RawPeer raw) throws Exception;
    }

    private void assertCloses(Misdeed misdeed) throws Exception {
        int before = serving.closed.size();
        try (RawPeer raw = new RawPeer(grid.server.port(), grid.node())) {
            assertThat(raw.hello().hasDone()).isTrue();
            misdeed.commit(raw);
            raw.awaitEnd();
        }
        await().atMost(LONG).until(() -> serving.closed.size() == before + 1);
    }

    @Test
    void framesThatBreakARuleCloseTheLinkAndOnlyThat() throws Exception {
        Link bystander = grid.client().link(LONG);
        byte[] renew = ServingHandler.renew(1).toByteArray();
        int request = FrameKind.REQUEST.code();
        // Lengths.
        assertCloses(raw -> raw.sendHead(9 + (2 << 20), request, 1, 2 << 20));
        assertCloses(raw -> raw.sendHead(Integer.MAX_VALUE, request, 1, 100));
        assertCloses(raw -> raw.sendHead(-1, request, 1, 100));
        assertCloses(raw -> raw.sendHead(5, request, 1, 0));
        assertCloses(raw -> raw.sendHead(100, request, 1, 99));
        assertCloses(raw -> raw.sendHead(100, request, 1, -5));
        assertCloses(raw -> raw.sendHead(9, request, 1, 0));
        assertCloses(raw -> raw.sendHead(9 + 2 + (5 << 20), FrameKind.REPLY.code(), 1, 2));
        // Kinds.
        assertCloses(raw -> raw.send(0, 1, renew, new byte[0]));
        assertCloses(raw -> raw.send(77, 1, renew, new byte[0]));
        assertCloses(raw -> raw.send(FrameKind.HELLO, 0, DONE));
        assertCloses(raw -> raw.send(FrameKind.PING.code(), 0, renew, new byte[0]));
        assertCloses(raw -> raw.send(request, 1, renew, new byte[10]));
        // Answers to what was never asked.
        assertCloses(raw -> raw.send(FrameKind.REPLY, 1, DONE));
        assertCloses(raw -> raw.send(FrameKind.FAILURE, 12345, DONE));
        assertCloses(raw -> raw.send(FrameKind.PART, -1, DONE));
        // Twice the same call id, while the first is served.
        assertCloses(raw -> {
            raw.send(FrameKind.REQUEST, 5, ServingHandler.gated());
            raw.send(FrameKind.REQUEST, 5, ServingHandler.gated());
        });
        // No message.
        byte[] garbage = new byte[200];
        new Random(1).nextBytes(garbage);
        assertCloses(raw -> raw.send(request, 1, garbage, new byte[0]));
        // A cancel of what is not served is no misdeed: it may have crossed the answer.
        try (RawPeer raw = new RawPeer(grid.server.port(), grid.node())) {
            raw.hello();
            raw.send(FrameKind.CANCEL.code(), 99, new byte[0], new byte[0]);
            raw.send(FrameKind.REQUEST, 1, ServingHandler.renew(8));
            while (raw.reader.next() && raw.reader.kind() == FrameKind.PING) {
                assertThat(raw.reader.payloadLength()).isZero();
            }
            assertThat(raw.reader.header().getRenewed().getEpoch()).isEqualTo(8);
        }
        assertThat(bystander.call(ServingHandler.renew(2), LONG).hasRenewed()).isTrue();
    }

    @Test
    void aPayloadThatIsLargerThanAskedForClosesTheConnection() throws Exception {
        try (RawServer server = new RawServer(grid.serverIdentity, connection -> {
            connection.send(FrameKind.REPLY, connection.nextRequest(), DONE, 101);
            connection.out().write(new byte[101]);
            new CountDownLatch(1).await();
        })) {
            Link link = linkTo(server);
            ByteBuffer destination = ByteBuffer.allocate(200).limit(100);
            assertThatThrownBy(() -> link.fetch(ServingHandler.read(0, 100), destination, LONG, null))
                    .isInstanceOf(LinkBrokenException.class)
                    .hasMessageContaining("a payload of 101 bytes");
        }
    }

    @Test
    void garbageInTheTlsStreamLeavesTheServerServing() throws Exception {
        long seed = Long.getLong("spigot.seed", RANDOM.nextLong());
        System.out.println("BrokenPeerTest -Dspigot.seed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            try (RawPeer raw = new RawPeer(grid.server.port(), grid.node())) {
                if (i % 2 == 0) {
                    raw.hello(new Preface(true, 0, NodeId.random(random)).encode());
                }
                byte[] garbage = new byte[1 + random.nextInt(3000)];
                random.nextBytes(garbage);
                raw.out.write(garbage);
            } catch (java.io.IOException refused) {
                assertThat(refused).isNotNull();
            }
        }
        assertThat(grid.client().link(LONG).call(ServingHandler.renew(2), LONG).hasRenewed())
                .isTrue();
        await().atMost(LONG).until(() -> serving.closed.size() >= serving.opened.size() - 1);
    }
}
