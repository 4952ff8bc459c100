package spigot.transport.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import spigot.model.NodeId;
import spigot.transport.CallTimeoutException;
import spigot.transport.FailureException;
import spigot.transport.Link;
import spigot.transport.LinkBrokenException;
import spigot.transport.LinkHandler;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.wire.Done;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.Failure;
import spigot.transport.wire.ListPart;
import spigot.transport.wire.ListRequest;
import spigot.transport.wire.ReadRequest;
import spigot.transport.wire.Renew;

class MemoryLinkTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Envelope DONE =
            Envelope.newBuilder().setDone(Done.getDefaultInstance()).build();

    /** Answers by the kind of the request; keeps what it is told. */
    private static final class Server implements LinkHandler {
        final Queue<Long> renewals = new ConcurrentLinkedQueue<>();
        final CountDownLatch closed = new CountDownLatch(1);
        volatile int partsSent;

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            switch (request.getBodyCase()) {
                case READ_REQUEST -> responder.reply(DONE, ByteBuffer.wrap(new byte[] {1, 2, 3}));
                case LIST_REQUEST -> {
                    for (int i = 0; i < 1_000; i++) {
                        responder.part(part(false));
                        partsSent = i + 1;
                    }
                    responder.reply(part(true));
                }
                case RECORD_REQUEST -> throw new FailureException(Failure.Code.NOT_FOUND, "no such file");
                case GRID_REQUEST -> closed.await();
                default -> responder.reply(DONE);
            }
        }

        @Override
        public void message(Link from, Envelope message) {
            renewals.add(message.getRenew().getSession());
        }

        @Override
        public void closed(Link link) {
            closed.countDown();
        }
    }

    private final Server server = new Server();
    private final Link client = MemoryLink.pair(
                    identity(1), (from, request, responder) -> responder.reply(DONE), identity(2), server)
            .left();

    @Test
    void aCallIsAnsweredAndAFailureIsThrown() throws Exception {
        assertThat(client.call(renew(7), LONG)).isEqualTo(DONE);
        assertThatThrownBy(() -> client.call(
                        Envelope.newBuilder()
                                .setRecordRequest(spigot.transport.wire.RecordRequest.getDefaultInstance())
                                .build(),
                        LONG))
                .isInstanceOf(FailureException.class)
                .hasMessage("no such file");
    }

    @Test
    void messagesComeInOrder() throws Exception {
        List<Long> sent = new ArrayList<>();
        for (long i = 0; i < 5_000; i++) {
            sent.add(i);
            client.send(renew(i));
        }
        await().untilAsserted(() -> assertThat(server.renewals).containsExactlyElementsOf(sent));
    }

    @Test
    void aPayloadLandsInTheDestinationAndATooLargeOneIsAnError() throws Exception {
        ByteBuffer destination = ByteBuffer.allocate(5);
        client.fetch(read(), destination, LONG, null);
        assertThat(destination.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
        assertThatThrownBy(() -> client.fetch(read(), ByteBuffer.allocate(2), LONG, null))
                .hasMessageContaining("room for 2");
    }

    @Test
    void aSlowReaderOfPartsHoldsTheSenderBack() throws Exception {
        List<Integer> ahead = new ArrayList<>();
        Envelope last = client.stream(
                Envelope.newBuilder()
                        .setListRequest(ListRequest.getDefaultInstance())
                        .build(),
                LONG,
                part -> ahead.add(server.partsSent - ahead.size()));
        assertThat(last.getListPart().getLast()).isTrue();
        assertThat(ahead).hasSize(1_000);
        assertThat(IntStream.range(0, ahead.size()).map(ahead::get).max().orElseThrow())
                .isLessThanOrEqualTo(MemoryCall.PARTS + 2);
    }

    @Test
    void aSilentPeerEndsInATimeout() {
        assertThatThrownBy(() -> client.call(hang(), Duration.ofMillis(20))).isInstanceOf(CallTimeoutException.class);
        client.close();
    }

    @Test
    void closingFailsTheCallsInFlightAndTellsTheOtherEnd() throws Exception {
        Thread closer = Thread.ofVirtual().start(client::close);
        assertThatThrownBy(() -> client.call(hang(), LONG)).isInstanceOf(LinkBrokenException.class);
        closer.join();
        assertThat(client.isOpen()).isFalse();
        server.closed.await();
        assertThatThrownBy(() -> client.send(renew(1))).isInstanceOf(LinkBrokenException.class);
    }

    private static PeerIdentity identity(long number) {
        return new PeerIdentity(new NodeId(0, number), PeerIdentity.Role.NODE, "node" + number, "here", "0".repeat(32));
    }

    private static Envelope renew(long session) {
        return Envelope.newBuilder()
                .setRenew(Renew.newBuilder().setSession(session))
                .build();
    }

    private static Envelope read() {
        return Envelope.newBuilder()
                .setReadRequest(ReadRequest.getDefaultInstance())
                .build();
    }

    private static Envelope hang() {
        return Envelope.newBuilder()
                .setGridRequest(spigot.transport.wire.GridRequest.getDefaultInstance())
                .build();
    }

    private static Envelope part(boolean last) {
        return Envelope.newBuilder()
                .setListPart(ListPart.newBuilder().setLast(last))
                .build();
    }
}
