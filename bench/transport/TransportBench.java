import com.google.protobuf.ByteString;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import spigot.model.NodeId;
import spigot.transport.Link;
import spigot.transport.LinkHandler;
import spigot.transport.Peer;
import spigot.transport.PeerIdentity;
import spigot.transport.Responder;
import spigot.transport.TransportCounters;
import spigot.transport.TransportLimits;
import spigot.transport.identity.GridAuthority;
import spigot.transport.identity.Identity;
import spigot.transport.tls.Connector;
import spigot.transport.tls.ServerLimits;
import spigot.transport.tls.TransportServer;
import spigot.transport.wire.Done;
import spigot.transport.wire.Envelope;
import spigot.transport.wire.ReadRequest;

/**
 * What the transport does on this machine, both ends in one JVM over loopback: calls a second, their latency, and the payload
 * that fetches of several sizes move through TLS 1.3. Started by bench/transport/run.
 */
public final class TransportBench {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Envelope CALL =
            Envelope.newBuilder().setDone(Done.getDefaultInstance()).build();

    public static void main(String[] arguments) throws Exception {
        long seconds = arguments.length > 0 ? Long.parseLong(arguments[0]) : 4;
        Path directory = Files.createTempDirectory("spigot-bench");
        SecureRandom random = new SecureRandom();
        GridAuthority authority = GridAuthority.create(
                directory, NodeId.random(random), GridAuthority.DEFAULT_VALIDITY, Clock.systemUTC());
        Identity server = authority.issue(NodeId.random(random), PeerIdentity.Role.SERVER, "server", "here");
        Identity client = authority.issue(NodeId.random(random), PeerIdentity.Role.NODE, "client", "here");
        InetSocketAddress loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (TransportServer listening = TransportServer.listen(
                        loopback,
                        () -> server,
                        new Serving(),
                        TransportLimits.DEFAULT,
                        ServerLimits.DEFAULT,
                        new TransportCounters());
                Peer peer = new Connector(() -> client, TransportLimits.DEFAULT, new TransportCounters(), random)
                        .peer("127.0.0.1:" + listening.port(), new Serving())) {
            Link link = peer.link(TIMEOUT);
            for (int round = 0; round < 2; round++) {
                calls(link, 1, seconds);
                calls(link, 16, seconds);
                calls(link, 256, seconds);
                fetches(link, 1, 64 << 10, seconds);
                fetches(link, 8, 64 << 10, seconds);
                fetches(link, 1, 4 << 20, seconds);
                fetches(link, 8, 1 << 20, seconds);
                fetches(link, 8, 4 << 20, seconds);
            }
        } finally {
            Files.deleteIfExists(directory.resolve("authority.pem"));
            Files.deleteIfExists(directory);
        }
    }

    /** Answers reads with that many bytes out of one buffer, and all else with Done. */
    private static final class Serving implements LinkHandler {
        private final ByteBuffer bytes = ByteBuffer.allocateDirect(4 << 20);

        @Override
        public void request(Link from, Envelope request, Responder responder) throws Exception {
            if (request.hasReadRequest()) {
                responder.reply(CALL, bytes.slice(0, request.getReadRequest().getLength()));
            } else {
                responder.reply(CALL);
            }
        }
    }

    private static void calls(Link link, int threads, long seconds) throws Exception {
        List<long[]> latencies = new ArrayList<>();
        Envelope request = Envelope.newBuilder()
                .setReadRequest(ReadRequest.newBuilder().setId(ByteString.copyFrom(new byte[16])))
                .build();
        double perSecond = run(threads, seconds, latencies, () -> link.call(request, TIMEOUT));
        report("calls, " + threads + " at a time", String.format("%,9.0f calls/s", perSecond), latencies);
    }

    private static void fetches(Link link, int threads, int length, long seconds) throws Exception {
        List<long[]> latencies = new ArrayList<>();
        Envelope request = Envelope.newBuilder()
                .setReadRequest(ReadRequest.newBuilder()
                        .setId(ByteString.copyFrom(new byte[16]))
                        .setLength(length))
                .build();
        ThreadLocal<ByteBuffer> destination = ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(length));
        double perSecond = run(
                threads,
                seconds,
                latencies,
                () -> link.fetch(request, destination.get().clear(), TIMEOUT, null));
        report(
                "fetches of " + (length >> 10) + " KiB, " + threads + " at a time",
                String.format("%,9.0f MiB/s", perSecond * length / (1 << 20)),
                latencies);
    }

    private interface Action {
        void run() throws Exception;
    }

    private static double run(int threads, long seconds, List<long[]> latencies, Action action) throws Exception {
        long start = System.nanoTime();
        long end = start + seconds * 1_000_000_000L;
        AtomicLong done = new AtomicLong();
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            running.add(Thread.ofVirtual().start(() -> {
                long[] own = new long[1 << 16];
                int count = 0;
                try {
                    for (long now = System.nanoTime(); now < end; ) {
                        action.run();
                        long then = System.nanoTime();
                        own[count++ & (own.length - 1)] = then - now;
                        now = then;
                    }
                } catch (Exception e) {
                    e.printStackTrace();
                }
                done.addAndGet(count);
                synchronized (latencies) {
                    latencies.add(Arrays.copyOf(own, Math.min(count, own.length)));
                }
            }));
        }
        for (Thread thread : running) {
            thread.join();
        }
        return done.get() * 1e9 / (System.nanoTime() - start);
    }

    private static void report(String what, String rate, List<long[]> latencies) {
        long[] all = latencies.stream().flatMapToLong(Arrays::stream).sorted().toArray();
        System.out.printf(
                "%-36s %s   p50 %,8.0f us   p99 %,8.0f us%n",
                what, rate, all[all.length / 2] / 1e3, all[(int) (all.length * 0.99)] / 1e3);
    }
}
