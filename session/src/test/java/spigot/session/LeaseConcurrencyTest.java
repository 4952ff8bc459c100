package spigot.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import spigot.coherence.GrantorConfig;
import spigot.coherence.HolderConfig;
import spigot.model.FileId;
import spigot.model.Version;
import spigot.transport.Link;
import spigot.transport.PeerIdentity;
import spigot.transport.wire.Envelope;

/**
 * Real threads on real time: clients read, the server changes, messages get lost and doubled, links break, and the server
 * starts again. Whatever a client reads is at least as new as what was visible when its read began.
 */
@Timeout(120)
class LeaseConcurrencyTest {
    private static final long SEED = Long.getLong("spigot.session.seed", System.nanoTime());
    private static final Duration RUN = Duration.ofSeconds(4);
    private static final List<FileId> DIRECTORIES =
            LongStream.range(1, 7).mapToObj(i -> new FileId(7, i)).toList();

    private final AtomicInteger cachedReads = new AtomicInteger();
    private final AtomicInteger changes = new AtomicInteger();
    private final AtomicLong numbers = new AtomicLong();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private volatile boolean running = true;

    @Test
    void noReadIsStaleWhateverHappensToMessagesLinksAndTheServer() throws Exception {
        BootClock clock = BootClock.system();
        List<Future<?>> workers = new ArrayList<>();
        List<TestHolder> clients = new ArrayList<>();
        try (TestGrantor server = new TestGrantor(GrantorConfig.ofLease(400), clock);
                ExecutorService threads = Executors.newFixedThreadPool(10)) {
            for (int i = 1; i <= 3; i++) {
                // Room for fewer leases than there are directories: some are given up all the time.
                TestHolder client = new TestHolder(i, new HolderConfig(0, 4, 2), clock, server, this::later);
                client.connect(this::lossy);
                clients.add(client);
                workers.add(threads.submit(() -> read(client, server)));
                workers.add(threads.submit(() -> read(client, server)));
                workers.add(threads.submit(() -> cut(client)));
            }
            workers.add(threads.submit(() -> change(server)));
            Thread.sleep(RUN.toMillis() / 2);
            server.restart();
            Thread.sleep(RUN.toMillis() / 2);
            running = false;
            for (Future<?> worker : workers) {
                worker.get();
            }
        } finally {
            running = false;
            clients.forEach(TestHolder::close);
        }
        assertThat(wrong).as("with -Dspigot.session.seed=%d", SEED).isEmpty();
        assertThat(cachedReads).hasPositiveValue();
        assertThat(changes).hasPositiveValue();
    }

    private @Nullable Void read(TestHolder client, TestGrantor server) throws Exception {
        SplittableRandom random = random();
        while (running) {
            FileId directory = DIRECTORIES.get(random.nextInt(DIRECTORIES.size()));
            Version before = server.version(directory);
            boolean cached = client.hasCached(directory);
            try {
                Version seen = client.read(directory);
                if (seen.compareTo(before) < 0) {
                    wrong.add("read " + seen + " of " + directory + " after " + before + " was visible");
                }
                if (cached) {
                    cachedReads.incrementAndGet();
                }
            } catch (IOException | IllegalStateException _) {
                // The link is cut, or the server is between two lives.
                Thread.sleep(random.nextInt(1, 5));
            }
        }
        return null;
    }

    private @Nullable Void change(TestGrantor server) throws Exception {
        SplittableRandom random = random();
        while (running) {
            try {
                server.change(DIRECTORIES.get(random.nextInt(DIRECTORIES.size())));
                changes.incrementAndGet();
            } catch (IOException | IllegalStateException _) {
                // Called off by the restart.
            }
            Thread.sleep(random.nextInt(0, 10));
        }
        return null;
    }

    private @Nullable Void cut(TestHolder client) throws Exception {
        SplittableRandom random = random();
        while (running) {
            Thread.sleep(random.nextInt(50, 600));
            client.disconnect();
            Thread.sleep(random.nextInt(0, 50));
            client.connect(this::lossy);
        }
        return null;
    }

    private void later(Runnable drop) {
        Thread.ofVirtual().start(drop);
    }

    private SplittableRandom random() {
        return new SplittableRandom(SEED + numbers.incrementAndGet());
    }

    private Link lossy(Link link) {
        return new LossyLink(link, random());
    }

    /** Of the messages without reply some are lost and some come twice. */
    private record LossyLink(Link link, SplittableRandom random) implements Link {
        @Override
        public void send(Envelope message) throws IOException {
            int copies;
            synchronized (random) {
                copies = random.nextInt(10) == 0 ? 0 : random.nextInt(10) == 0 ? 2 : 1;
            }
            for (int i = 0; i < copies; i++) {
                link.send(message);
            }
        }

        @Override
        public PeerIdentity peer() {
            return link.peer();
        }

        @Override
        public boolean isOpen() {
            return link.isOpen();
        }

        @Override
        public Envelope call(Envelope request, Duration timeout) throws IOException, InterruptedException {
            return link.call(request, timeout);
        }

        @Override
        public Envelope fetch(Envelope request, ByteBuffer destination, Duration timeout, @Nullable Runnable progress)
                throws IOException, InterruptedException {
            return link.fetch(request, destination, timeout, progress);
        }

        @Override
        public Envelope stream(Envelope request, Duration timeout, Consumer<Envelope> part)
                throws IOException, InterruptedException {
            return link.stream(request, timeout, part);
        }

        @Override
        public void close() {
            link.close();
        }
    }
}
